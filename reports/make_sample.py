"""Write `reports/sample/`: real reports of three demo scenarios, and pictures of them.

Ports, folders, times and the Python version are replaced, so that only a change in the suite changes the sample. Needs
Chromium and Playwright.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import ViewportSize, sync_playwright
from pypi_simple import PYPI_SIMPLE_ENDPOINT

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(__file__).resolve().parent / "sample"
# scenario: its pictures, as width and colour scheme
PICTURES: dict[str, list[tuple[int, Literal["light", "dark"]]]] = {
    "partial": [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")],
    "released": [(1280, "light"), (1280, "dark")],
    "branch-exists": [(1280, "light"), (1280, "dark")],
}
# a picture has to show the first steps of the plan, the whole timeline, or the step that destroys
HEIGHT = {"partial": {1280: 1000, 360: 1100}, "released": {1280: 1080}, "branch-exists": {1280: 1560}}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
NOW = "2026-11-02T09:00:00Z"  # the time in the demo world
HOST = "laptop"
_INDEX_HOST = urlsplit(PYPI_SIMPLE_ENDPOINT).hostname or ""


def main() -> int:
    """Write the sample; return 1, and keep the old one, if a run does not end as its scenario says."""
    from release_state.demo.scenarios import SCENARIOS

    with tempfile.TemporaryDirectory() as new, tempfile.TemporaryDirectory() as reports:
        for name in PICTURES:
            folder = Path(reports) / name
            command = [sys.executable, "-m", "pytest", "checks/", "--demo", name, "--reports-dir", str(folder), "-q"]
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
            if run.returncode != SCENARIOS[name].exit_code or not (folder / "latest.html").is_file():
                sys.stderr.write(f"{name}: exit code {run.returncode}\n{run.stdout}{run.stderr}")
                return 1
            take(folder, name, Path(new))
        take_pictures(Path(new))
        shutil.rmtree(SAMPLE, ignore_errors=True)
        shutil.copytree(new, SAMPLE)
    sys.stdout.write(f"written: {SAMPLE}\n")
    return 0


def take(folder: Path, name: str, sample: Path) -> None:
    """Write the two reports of one run into the sample."""
    document = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    clean = cleaner(document, folder)
    steady = json.loads(clean(json.dumps(without_times(document), ensure_ascii=False)))
    steady["run"]["html"] = f"{name}.html"
    text = json.dumps(steady, indent=2, ensure_ascii=False) + "\n"
    (sample / f"{name}.json").write_text(text, encoding="utf-8")
    page = clean((folder / "latest.html").read_text(encoding="utf-8"))
    page = re.sub(r"Report generated on \S+ at \S+ by\s+<a [^>]*>pytest-html</a>\s+", "Written by pytest-html ", page)
    observed = f'<time datetime="{NOW}">2026-11-02 09:00:00</time> UTC'
    page = re.sub(r'(<span class="observed">).*?(</span>)', rf"\g<1>{observed}\g<2>", page)
    page = re.sub(r"(<dt>By</dt><dd>)[^<]*", rf"\g<1>{HOST}", page)
    page = re.sub(r'(<span class="took">)[^<]*', r"\g<1>10 ms", page)
    page = re.sub(r"(duration\\?&#34;: \\?&#34;)[^&]*(&#34;)", r"\g<1>10 ms\2", page)
    page = re.sub(r"(data-label=\\&#34;Duration\\&#34;[^&]*(?:&#34;[^&]*)*?&gt;)[^&]*(&lt;/td)", r"\g<1>10 ms\2", page)
    page = re.sub(r"took \d\d:\d\d:\d\d|took \d+ ms", "took 00:00:05", page)
    # No facts of the machine: pytest-html's table has what the suite put there, or nothing.
    machine = r"(&#34;environment&#34;: )\{&#34;Python&#34;.*?\}(, &#34;tests&#34;)"
    page = re.sub(machine, r"\1{}\2", page)
    (sample / f"{name}.html").write_text("\n".join(map(str.rstrip, page.splitlines())) + "\n", encoding="utf-8")


def cleaner(document: dict[str, Any], folder: Path) -> Callable[[str], str]:
    """Return a function that replaces the addresses and folders of one run."""
    target = document["targets"][0]["target"]
    world = str(Path(target["clone"]).parent)
    github = target["github_api"].removeprefix("http://")
    stem = document["run"]["html"].removesuffix(".html")

    def clean(text: str) -> str:
        text = text.replace(world, "/demo").replace(github, "github.example")
        text = re.sub(r"127\.0\.0\.1:\d+", "index.example", text)
        text = text.replace(str(folder), "/demo/reports").replace(sys.prefix, "/demo/venv").replace(str(ROOT), "/demo")
        text = re.sub(rf"{re.escape(tempfile.gettempdir())}/[\w.-]+", "/demo/temporary", text)
        text = re.sub(rf"https?://(?:[\w-]+\.)*{re.escape(_INDEX_HOST)}", "https://index.example", text)
        return text.replace(stem, "report")

    return clean


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the world's time instead of the run's, and without durations."""

    def steady(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: 0.01 if key == "seconds" else steady(name, inner) for name, inner in value.items()}
        if key == "host":
            return HOST
        if isinstance(value, list):
            return [steady(key, inner) for inner in value]
        return NOW if key in ("started_at", "ended_at", "observed_at") else value

    return {name: steady(name, value) for name, value in document.items()}


def take_pictures(sample: Path) -> None:
    """Take pictures of the top of each page."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise SystemExit(f"no Chromium ({', '.join(CHROMIUM)}): the pictures cannot be taken")
    arguments = ["--no-sandbox", "--disable-background-networking", "--hide-scrollbars"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for name, variants in PICTURES.items():
            for width, scheme in variants:
                size = ViewportSize(width=width, height=HEIGHT[name][width])
                page = browser.new_page(viewport=size, color_scheme=scheme)
                page.goto((sample / f"{name}.html").as_uri())
                page.screenshot(path=sample / f"{name}-{width}-{scheme}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
