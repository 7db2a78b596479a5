"""What a run takes where there is much of everything, and many runs at once: `python -m benchmarks.limits [--write]`.

With `--write` the figures go into `docs/reliability.md`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.git_http import git_over_http
from benchmarks.history import BEGIN
from release_state.demo.scenarios import SCENARIOS
from tests.standins.world import World
from tests.support.cli import ROOT, clean_environment

VERSIONS, RELEASES, PULLS, OPEN, BRANCHES = 10_000, 2_000, 5_000, 300, 60
AT_ONCE = 10
PAGE = ROOT / "docs" / "reliability.md"
MARKS = "<!-- limits: begin -->", "<!-- limits: end -->"


_LAUNCH = """
import json, resource, subprocess, sys
quiet = subprocess.DEVNULL
code = subprocess.run(sys.argv[1:], stdin=quiet, stdout=quiet, stderr=quiet).returncode
print(json.dumps([code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""
"""From here, a run would begin with the memory of this process as its own peak: it holds a whole world."""


@dataclass(frozen=True)
class Cost:
    """What a run took: its exit code, seconds, the peak memory of its largest process in MiB, and its requests."""

    code: int
    seconds: float
    peak: float
    requests: int = 0


def fill(world: World) -> None:
    """Give a world much of everything, all of it at its first commits."""
    commit = world.remote_git.rev("refs/tags/v0.1.0^{commit}")
    names = [f"0.0.{number}" for number in range(1, VERSIONS + 1)]
    refs = [f"refs/tags/v{name}" for name in names]
    refs += [f"refs/heads/{world.branch('testpypi', f'0.3.{number}')}" for number in range(BRANCHES)]
    lines = "".join(f"create {ref} {commit}\n" for ref in refs)
    world.remote_git.run("update-ref", "--stdin", stdin=lines.encode())
    for number, name in enumerate(names):
        when = BEGIN + timedelta(hours=8 * number)
        world.index.upload("pypi", f"{world.package.replace('-', '_')}-{name}.tar.gz", b"old", when)
    # One of each as the world makes it; the others are copies, for it looks at every tag each time.
    added = world.github.add_release(
        f"v{names[-1]}", body="notes", make_latest="false", author="bot", created_at=BEGIN, published_at=BEGIN
    )
    first = world.github.releases[added]
    for number, name in enumerate(names[-RELEASES:-1]):
        copy = replace(first, id=10**8 + number, tag=f"v{name}", name=f"v{name}")
        world.github.releases[copy.id] = copy
    numbers = [
        world.github.add_pull(branch, title="of long ago", merged=merged, head_sha=commit, created_at=BEGIN)
        for branch, merged in (("feature", False), (world.branch("pypi", names[-1]), True))
    ]
    opened, merged = (world.github.pulls[number] for number in numbers)
    for number in range(PULLS - 2):
        is_open = number < OPEN
        head = f"feature-{number}" if is_open else world.branch("pypi", names[number])
        key = 10**6 + number
        world.github.pulls[key] = replace(opened if is_open else merged, number=key, id=10**9 + number, head_ref=head)


def options(world: World, remote_url: str) -> list[str]:
    """The options that send a run to a world."""
    indexes = [word for name in ("pypi", "testpypi") for word in ("--index-url", f"{name}={world.index_url(name)}")]
    return [
        *("--repo", str(world.clone), "--remote-url", remote_url, *indexes, "--github-status-url", ""),
        *("--index-status-url", "", "--github-api-url", world.github.url, "--package", world.package),
        *("--repository", world.repository),
    ]


def start(world: World, arguments: Sequence[str], home: Path) -> subprocess.Popen[bytes]:
    """Begin a run."""
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _LAUNCH, sys.executable, "-m", "release_state", *arguments],
        cwd=ROOT,
        env=clean_environment(home, {"GITHUB_TOKEN": world.token}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def end(process: subprocess.Popen[bytes], began: float) -> Cost:
    """Wait for a run."""
    output, _ = process.communicate()
    code, peak = json.loads(output)
    return Cost(code, time.monotonic() - began, peak / 1024)


@contextmanager
def served(scenario: str, *, much: bool) -> Iterator[tuple[World, str, Any]]:
    """A world in a scenario's state, behind smart HTTP; with much of everything or as it is."""
    with World() as world, git_over_http(world.root) as git:
        SCENARIOS[scenario].build(world)
        if much:
            fill(world)
        with world.github.git.at_rest():
            yield world, f"http://127.0.0.1:{git.port}/{world.repository}.git", git


def much_of_everything(folder: Path) -> dict[str, Cost]:
    """The gate and the audit of a project with a long history, each in a fresh cache."""
    costs = {}
    with served("clean", much=True) as (world, remote_url, git):
        for name, what in (("gate", "0.2.0"), ("audit", "all")):
            home = folder / name
            home.mkdir()
            asked = (world.github.requests, world.index.requests, git.requests)
            for requests in asked:
                requests.clear()
            arguments = ["--version", what, *options(world, remote_url), "--reports-dir", str(home / "reports")]
            began = time.monotonic()
            cost = end(start(world, arguments, home), began)
            costs[name] = Cost(cost.code, cost.seconds, cost.peak, sum(map(len, asked)))
    return costs


def at_once(folder: Path, count: int = AT_ONCE) -> tuple[list[Cost], list[str]]:
    """So many runs over one clone, one cache and one folder of reports; and what is wrong with what they left."""
    home, reports = folder / "home", folder / "reports"
    home.mkdir()
    with served("released", much=False) as (world, remote_url, _):
        arguments = ["--version", "0.2.0", "--no-install", *options(world, remote_url), "--reports-dir", str(reports)]
        began = time.monotonic()
        running = [start(world, arguments, home) for _ in range(count)]
        costs = [end(process, began) for process in running]
        wrong = [f"exit code {cost.code}" for cost in costs if cost.code != 0]
        wrong += [f"a lock is left: {path}" for place in (world.clone, home) for path in place.rglob("*.lock")]
    own = [path for path in reports.glob("*.json") if not path.name.startswith("latest")]
    if len(own) != count or len({path.stem for path in reports.glob("*.html")} - {"latest"}) != count:
        wrong.append(f"{len(own)} reports of {count} runs")
    for path in own:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["verdict"] != "RELEASED AND VERIFIED" or not (reports / document["run"]["html"]).is_file():
            wrong.append(f"{path.name}: {document['verdict']}")
    latest = json.loads((reports / "latest.json").read_text(encoding="utf-8"))
    page = reports / latest["run"]["html"]
    if page.read_bytes() != (reports / "latest.html").read_bytes():
        wrong.append("latest.json and latest.html are of two runs")
    wrong += [f"left over: {path.name}" for path in reports.iterdir() if path.name.startswith(".")]
    return costs, wrong


def table() -> tuple[list[str], bool]:
    """The figures as a table, and whether all is right."""
    with tempfile.TemporaryDirectory(prefix="release-state-limits-") as folder:
        much = much_of_everything(Path(folder))
        runs, wrong = at_once(Path(folder))
    rows = [
        "| run | requests | seconds | peak memory of its largest process |",
        "|---|---|---|---|",
    ]
    for name, cost in much.items():
        rows.append(f"| {name} (exit code {cost.code}) | {cost.requests} | {cost.seconds:.0f} | {cost.peak:.0f} MiB |")
    slowest, peak = max(cost.seconds for cost in runs), max(cost.peak for cost in runs)
    said = "all right" if not wrong else "; ".join(wrong)
    what = f"{len(runs)} gates at once on one clone, one cache and one folder of reports: {said}"
    rows.append(f"| {what} | | {slowest:.0f} | {peak:.0f} MiB |")
    return rows, not wrong


def main() -> int:
    """Measure, print, and write the page where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    write = parser.parse_args().write
    rows, is_right = table()
    print(*rows, sep="\n")
    if write:
        text = PAGE.read_text(encoding="utf-8")
        before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
        PAGE.write_text("\n".join([before + MARKS[0], *rows, MARKS[1] + after]), encoding="utf-8")
    return 0 if is_right else 1


if __name__ == "__main__":
    raise SystemExit(main())
