"""What is found out about real projects: `python -m tests.proofs.processes FOLDER [--right FILE] > docs/processes.md`.

FOLDER holds bare git repositories, `owner+name/…`; nothing is fetched but the list of versions from the index. FILE is
an answer sheet that was written by hand, as JSON: `{"owner/name": {"package", "workflow", "starts", "tag_template",
"environment", "pull_request", "alarms"}}`, with a list of names separated by commas where several workflows
publish. null: what git shows does not settle it. `alarms` says "right" or "false" of each check that needs action
there; one that it does not name counts as not looked at.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from msgspec import structs

from release_state.facts.process import resolve
from release_state.model.observation import Observation, known
from release_state.model.snapshot import (
    Branch,
    IndexProject,
    IndexRelease,
    Remote,
    Snapshot,
    Tag,
    WorkflowFile,
    WorkflowFiles,
)
from release_state.model.target import Channel, Target
from release_state.observe.git.workflow_files import read_build_requirements
from release_state.observe.http.client import HttpClient
from release_state.observe.index.index import observe_index
from release_state.settings.channels import pypi
from tests.proofs import clones
from tests.proofs.alarms import Alarm, find_alarms

FOLDER = ".github/workflows/"
_PULL = re.compile(r"\(#\d+\)$|^Merge pull request #\d+ ")
_RELEASES = r"releas|bump|prepare|\bversion\b|changelog"
_ALARM = "action needed"
_WORDS = {
    "workflow": "workflow",
    "start": "what starts it",
    "tags": "spelling of tags",
    "environment": "environment",
    "pulls": "pull request",
}
ALARMS = "What the checks of the release workflow say about these files, but for time limits and pinned actions:"
"""The line before the table of alarms."""
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "processes.md"
RELEASES = "## The newest releases"
"""Where the section begins that `tests.proofs.releases` writes; it is kept."""
LARGEST = 500_000
"""Bytes of a workflow file that are read."""


UNMENDED = "## Projects that nobody had mended for"
FIRST_TRY = (
    "The rules were made with those projects. Another 114, of which no file had been seen, were read by hand first and",
    "tried once in November 2026. *First* is what was found before anything was mended for them, *now* after that.",
    "Tags were taken for published versions, and the index was not asked. *Not found* has less than the files:",
    "",
    "| | first: right | wrong | not found | now: right | wrong | not found |",
    "|---|---|---|---|---|---|---|",
    "| workflow | 110 | 4 | 0 | 113 | 1 | 0 |",
    "| what starts it | 107 | 6 | 1 | 114 | 0 | 0 |",
    "| spelling of tags | 113 | 1 | 0 | 114 | 0 | 0 |",
    "| environment | 113 | 1 | 0 | 114 | 0 | 0 |",
    "| what it makes, but for a tag in a run that a tag started | 105 | 1 | 8 | 113 | 0 | 1 |",
    "",
    "What is still wrong: three workflows of one repository publish three packages on one GitHub Release, and all are",
    "watched. Of 17 alarms at first, 13 were false. Now there are 6, and none of them is false.",
    "",
    "After that, 43 more were tried. The first answer was right for the workflow of 41: one too many was of another",
    "package, and one that publishes pre-releases was not found, nor its environment. All else was right, and so was",
    "the only alarm.",
    "",
    "Later, 74 others were read and tried. The first answer was right for the workflow of 67. For six, one too many",
    "was found, of nightly versions or another package; one was not found. What starts it was right for 73, the",
    "environment for 71, what a run makes for 65. Five of ten alarms were false. Of 73 newest releases, 60 were",
    "verified and 11 unknown, one of these because its workflow was not found. Two needed action: one wrongly, and",
    "one as the stand-in for GitHub orders its releases. Now the workflows of 68 are right, and of the five alarms",
    "that are left none is false. Asked about the next version of ten, two answers named steps that these projects",
    "leave to a workflow.",
)
"""What was measured once with projects that nobody had mended for."""


@dataclass
class Found:
    """What was found out about one repository."""

    repository: str
    package: str
    version: str = ""
    workflows: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    template: str = ""
    environments: tuple[str, ...] = ()
    has_pulls: bool = False
    alarms: tuple[Alarm, ...] = ()
    candidates: int = 0
    wrong: list[str] = field(default_factory=list)
    """What differs from the answer sheet."""
    lacking: list[str] = field(default_factory=list)
    """What the answer sheet has and was not found."""
    unsettled: list[str] = field(default_factory=list)
    """What the answer sheet leaves open."""
    judged: Mapping[str, str] = field(default_factory=dict)
    """What the answer sheet says of an alarm, by check."""
    checked: bool = False
    shown: clones.Shown | None = None


def list_repositories(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and the git directory of each repository of a folder."""
    for place in sorted(folder.iterdir()):
        heads = sorted(place.rglob("HEAD")) if "+" in place.name else []
        if git := next((head.parent for head in heads if (head.parent / "objects").is_dir()), None):
            yield place.name.replace("+", "/", 1), git


def look(repository: str, git: Path, package: str, client: HttpClient) -> Found:
    """Find out the process of a project from its tags, its workflow files and the index."""

    def run(*words: str) -> str:
        done = subprocess.run(["git", "--git-dir", git, *words], capture_output=True, check=False)
        return done.stdout.decode("utf-8", "replace")

    head = run("rev-parse", "HEAD").strip()
    paths = [path for path in run("ls-tree", "-r", "--name-only", "HEAD").splitlines() if _is_wanted(path)]
    texts = {path: run("cat-file", "blob", f"HEAD:{path}") for path in paths}
    refs = run("for-each-ref", "--format=%(objectname) %(refname:strip=2)", "refs/tags").splitlines()
    named = (line.partition(" ") for line in refs)
    tags = tuple(Tag(name=name, object=sha, commit=sha, annotated=False) for sha, _, name in named)
    channel = Channel(name="pypi", index_url=pypi(), leaves=("tag", "release", "pull-request"), is_public_index=True)
    page = observe_index(client, channel, package, "0", ())
    newest = _newest(page)
    target = Target(
        package=package,
        repository=repository,
        version=newest,
        channel=channel,
        channels=(channel,),
        base_branch=run("symbolic-ref", "--short", "HEAD").strip() or "main",
        remote_url="https://github.example/x/y.git",
        github_api="https://api.github.example",
        github_web="https://github.example",
    )
    snapshot = Snapshot(observed_at=datetime.now(timezone.utc), target=target, phase="post-recovery", phase_reason="")
    base = Branch(name=target.base_branch or "main", sha=head)
    requires, unread = read_build_requirements(run("show", "HEAD:pyproject.toml").encode() or None)
    resolved = resolve(
        structs.replace(
            snapshot,
            remote=known(Remote(url=target.remote_url, default_branch=base.name, branches=(base,), tags=tags)),
            workflow_states=known(()),
            index={"pypi": page},
            workflow_files=known(
                WorkflowFiles(
                    commit=head,
                    branch=base.name,
                    build_requires=requires,
                    build_unread=unread,
                    files=tuple(WorkflowFile(path=path, text=text[:LARGEST]) for path, text in texts.items()),
                )
            ),
        )
    )
    alarms = tuple(find_alarms(resolved))
    target = resolved.target
    publishers = target.process.publishers
    return Found(
        repository=repository,
        package=package,
        version=newest,
        workflows=target.workflows,
        starts=tuple(dict.fromkeys(start.kind for start in target.process.starts)),
        template=target.tag_template,
        environments=tuple(dict.fromkeys(filter(None, (each.environment for each in publishers)))),
        candidates=len(target.process.candidates),
        has_pulls=has_release_pulls(target, tuple(tag.name for tag in tags), run),
        alarms=alarms,
    )


def list_settings(found: Found) -> dict[str, str]:
    """Return what the settings of a project should be in a clone of it."""
    return {
        "package": found.package,
        "repository": found.repository,
        "workflow": next(iter(found.workflows), ""),
        "started-by": ",".join(found.starts),
        "tag-template": found.template,
        "channels.pypi.environment": ", ".join(found.environments),
    }


def has_release_pulls(target: Target, tags: Sequence[str], run: Callable[..., str]) -> bool:
    """Whether the last releases came by a pull request, as far as git and the workflow that publishes show."""
    if target.process.makes("pull-request") or target.process.is_started_by("pull-request"):
        return True
    spelt = {name: version for name in tags if (version := target.parse_tag(name)) and not version.is_prerelease}
    newest = sorted(spelt, key=lambda name: spelt[name])[-5:]
    found = 0
    for name in newest:
        merges = run("log", "--merges", "--ancestry-path", "--format=%s", f"{name}..HEAD", "--").splitlines()
        titles = (*run("log", "-1", "--format=%s", name, "--").splitlines(), *merges[-1:])
        words = re.compile(f"{_RELEASES}|{re.escape(str(spelt[name]))}", re.IGNORECASE)
        found += any(_PULL.search(title) and words.search(title) for title in titles)
    return found >= min(2, len(newest) or 1)


def _is_wanted(path: str) -> bool:
    name = path.rpartition("/")[2]
    return (path.startswith(FOLDER) and name.endswith((".yml", ".yaml"))) or name in ("action.yml", "action.yaml")


def _newest(page: Observation[IndexProject]) -> str:
    releases: Sequence[IndexRelease] = page.value.releases if page.value else ()
    return releases[-1].version if releases else "1.0.0"


def compare(found: Found, right: Mapping[str, Any]) -> None:
    """Note what differs from the answer sheet."""
    found.checked = True
    named = right["workflow"]
    wanted = {
        name.strip().rpartition("/")[2]
        for each in (named if isinstance(named, list) else [named or ""])
        for name in each.split(",")
    }
    if set(found.workflows) != wanted - {""}:
        found.wrong.append("workflow")
    elif found.workflows and not {start.replace("_", "-") for start in right["starts"]} <= set(found.starts):
        found.wrong.append("start")
    _compare_environments(found, right)
    if right.get("pull_request") is None:
        found.unsettled.append("pulls")
    elif found.has_pulls != right["pull_request"]:
        (found.wrong if found.has_pulls else found.lacking).append("pulls")
    found.judged = right.get("alarms", {})
    template = right["tag_template"]
    if template and template != "null" and _plain(template, found.package) != _plain(found.template, found.package):
        found.wrong.append("tags")


def _compare_environments(found: Found, right: Mapping[str, Any]) -> None:
    given = right.get("environment") or ()
    wanted = {each.strip() for each in (given if isinstance(given, list) else given.split(",") if given else ())}
    if wanted - set(found.environments):
        found.lacking.append("environment")
    elif set(found.environments) - wanted:
        found.wrong.append("environment")


def _plain(template: str, package: str) -> str:
    return (
        template.replace("{package}", package)
        .replace("{semver}", "{version}")
        .replace("{version with underscores}", "{underscored}")
    )


_KINDS: tuple[Callable[[Found], list[str]], ...] = (lambda found: found.lacking, lambda found: found.unsettled)


def write(every: Sequence[Found]) -> Iterator[str]:
    """Yield the lines of the page."""
    asked = [found for found in every if found.checked]
    wrong = Counter(kind for found in asked for kind in found.wrong)
    seen = [found for found in every if found.workflows]
    yield "<!-- Made by: python -m tests.proofs.processes FOLDER --right FILE -->"
    yield ""
    yield "# Processes of real projects"
    yield ""
    yield f"This is what is found out about {len(every)} public projects without configuration. It comes from their"
    yield "tags, their workflow files and the index. *Pull request* means that two of the last five releases, or more,"
    yield "came to the base branch by one that names the release. That is read from the titles of the tagged commits,"
    yield "and of the merges that brought them. A run asks GitHub instead. It asks for a pull request only where"
    yield "earlier releases had one from a release branch."
    yield ""
    yield "*Wrong* means that the answer differs from the one read by hand from the workflow files. Most of these"
    yield "projects upload in a script of their own, or publish several packages from one repository. If no workflow is"
    yield "seen to publish, a run says so and asks for `--workflow`."
    yield ""
    none_seen = sum(bool(found.candidates) for found in every)
    yield f"Of these projects, {len(seen)} have a workflow that is seen to publish. {none_seen} have workflow files"
    yield f"of which none is. {len(asked)} of them were looked up by hand:"
    yield ""
    yield "| | right | wrong | not found | left open |"
    yield "|---|---|---|---|---|"
    lacking, unsettled = (Counter(kind for found in asked for kind in kinds(found)) for kinds in _KINDS)
    for kind, words in _WORDS.items():
        none = sum(bool(found.candidates) for found in asked if kind in found.wrong) if kind == "workflow" else 0
        bad, gone = wrong[kind] - none, lacking[kind] + none
        good = len(asked) - bad - gone - unsettled[kind]
        yield f"| {words} | {good} | {bad} | {gone} | {unsettled[kind]} |"
    yield from _write_alarms(every)
    yield from clones.write([found.shown for found in every if found.shown])
    yield ""
    yield "| project | workflow | started by | tags | environment | pull request | by hand |"
    yield "|---|---|---|---|---|---|---|"
    for found in every:
        differs = [*(f"wrong: {kind}" for kind in found.wrong), *(f"not found: {kind}" for kind in found.lacking)]
        hand = (", ".join(differs) or "right") if found.checked else ""
        workflows = ", ".join(found.workflows) or ("not found" if found.candidates else "none")
        cells = (
            found.package,
            workflows,
            ", ".join(found.starts),
            f"`{found.template}`",
            ", ".join(found.environments),
            "yes" if found.has_pulls else "no",
        )
        yield f"| {' | '.join(cell or '-' for cell in (*cells, hand))} |"
    yield from ("", UNMENDED, "", *FIRST_TRY)
    _, begin, section = PAGE.read_text(encoding="utf-8").partition(RELEASES)
    yield from ("", f"{begin}{section}".rstrip("\n")) if begin else ()


def _write_alarms(every: Sequence[Found]) -> Iterator[str]:
    """What the checks of the workflow say: alarms that were looked at one by one. The page of incidents quotes it."""
    counted = Counter(alarm.outcome for found in every for alarm in found.alarms)
    unread = [alarm for found in every for alarm in found.alarms if alarm.outcome == "unknown" and not found.candidates]
    alarms = [
        (alarm.check, found.judged.get(alarm.check, ""))
        for found in every
        for alarm in found.alarms
        if alarm.outcome == _ALARM
    ]
    judged = Counter(alarms)
    yield ""
    yield ALARMS
    yield ""
    yield f"| projects read | {len(every)} |"
    yield "|---|---|"
    yield f"| crashes | {counted['crash']} |"
    yield f"| unknown where a workflow is seen to publish | {len(unread)} |"
    yield f"| alarms | {len(alarms)} |"
    yield ""
    yield "Each alarm was held against the project's own files:"
    yield ""
    yield "| check | right | false | not looked at |"
    yield "|---|---|---|---|"
    for check in sorted({check for check, _ in alarms}):
        cells = " | ".join(str(judged[check, answer]) for answer in ("right", "false", ""))
        yield f"| [{check}](checks.md#{check.lower()}) | {cells} |"


def main() -> int:
    """Look at every repository of a folder and print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="bare git repositories, owner+name/…")
    parser.add_argument("--right", type=Path, help="the answers that were looked up by hand")
    parser.add_argument("--packages", type=Path, help='names on the index, as JSON: {"owner/name": "package"}')
    given = parser.parse_args()
    right: dict[str, Any] = json.loads(given.right.read_text("utf-8")) if given.right else {}
    packages: dict[str, str] = json.loads(given.packages.read_text("utf-8")) if given.packages else {}
    client = HttpClient(60)

    def one(item: tuple[str, Path]) -> Found:
        repository, git = item
        answers = right.get(repository, {})
        package = packages.get(repository) or answers.get("package") or repository.rpartition("/")[2]
        found = look(repository, git, package, client)
        found.shown = clones.show(git, found.version, list_settings(found), package)
        return found

    with ThreadPoolExecutor(2) as pool:
        every = list(pool.map(one, list_repositories(given.folder)))
    for found in every:
        if found.repository in right:
            compare(found, right[found.repository])
            if found.wrong:
                print(found.repository, found.wrong, found, right[found.repository], file=sys.stderr)
        if found.shown and found.shown.says:
            print(found.repository, found.shown.says, file=sys.stderr)
        for alarm in found.alarms:
            print(found.repository, *found.workflows, alarm, file=sys.stderr)
    print("\n".join(write(sorted(every, key=lambda found: found.package.lower()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
