"""What `--show-config` says in a clone of a real project, without an option but `--version`: a part of the page."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name

from tests.support.cli import clean_environment

KEYS = {
    "package": "package",
    "repository": "repository",
    "workflow": "workflow",
    "started-by": "what starts it",
    "tag-template": "spelling of tags",
    "channels.pypi.environment": "environment",
}
"""The settings that are compared, in words."""
OPEN = "..."
"""What stands for a value that is not found."""


@dataclass(frozen=True)
class Shown:
    """The settings that a clone shows, and what it should show."""

    project: str
    found: Mapping[str, str]
    wanted: Mapping[str, str]
    says: str = ""
    """What was printed instead of settings."""

    def judge(self, key: str) -> str:
        """Return "same", "not found" or "different"."""
        found, wanted = self.found.get(key, OPEN), self.wanted[key] or OPEN
        if key == "package" and found != OPEN:
            found, wanted = canonicalize_name(found), canonicalize_name(wanted)
        if key.endswith(".environment"):
            found = found or OPEN  # the table does not tell none from one that a run chooses
        if found == wanted:
            return "same"
        return "not found" if found == OPEN else "different"


def show(git: Path, version: str, wanted: Mapping[str, str], project: str) -> Shown:
    """Return what is shown in a new clone of a bare repository; its origin is the project on GitHub."""
    with TemporaryDirectory() as folder:
        clone, home = Path(folder, "clone"), Path(folder, "home")
        home.mkdir()
        env = clean_environment(home)
        for words in (
            ("clone", "-q", "--shared", "--no-checkout", git.resolve(), clone),
            ("-C", clone, "checkout", "-q", "HEAD"),
            ("-C", clone, "remote", "set-url", "origin", f"https://github.com/{wanted['repository']}.git"),
        ):
            subprocess.run(["git", *words], env=env, check=False, capture_output=True)
        command = [sys.executable, "-m", "release_state", "--show-config", "--version", version]
        done = subprocess.run(command, cwd=clone, env=env, capture_output=True, check=False, text=True, timeout=120)
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    found = dict(_read(line) for line in lines if " = " in line)
    return Shown(project, found, wanted, "" if found else (done.stderr or done.stdout)[-500:])


def _read(line: str) -> tuple[str, str]:
    key, _, rest = line.partition(" = ")
    text = rest.partition("  # ")[0]
    return key, OPEN if text == OPEN else str(ast.literal_eval(text))


def write(every: Sequence[Shown]) -> Iterator[str]:
    """Yield the lines of the page."""
    counted = Counter((key, shown.judge(key)) for shown in every for key in KEYS)
    yield ""
    yield "In a clone of each, `--show-config --version VERSION` without any other option was held against the table"
    yield "below. It asks nobody, so that it does not know which tags are of a published version. Where it finds no"
    yield "package, it shows nothing else:"
    yield ""
    yield "| | the same | not found in the clone | different |"
    yield "|---|---|---|---|"
    for key, words in KEYS.items():
        cells = (str(counted[key, judged]) for judged in ("same", "not found", "different"))
        yield f"| {words} | {' | '.join(cells)} |"
    differing = [(shown, key) for shown in every for key in KEYS if shown.judge(key) != "same"]
    yield from ("", "| project | | the clone shows | the table |", "|---|---|---|---|") if differing else ()
    for project in dict.fromkeys(shown.project for shown in every if not shown.found):
        yield f"| {project} | all | no package is found | |"
    for shown, key in differing:
        if not shown.found:
            continue
        cells = (f"`{value}`" if value else "-" for value in (shown.found.get(key, OPEN), shown.wanted[key]))
        yield f"| {shown.project} | {KEYS[key]} | {' | '.join(cells)} |"
