"""What a run says of the newest releases of real projects, before and after: a section of `docs/processes.md`.

    python -m tests.proofs.releases FOLDER REPOSITORY… --right FILE --before PYTHON

FOLDER and FILE are those of `tests.proofs.processes`; PYTHON is an interpreter that has an older version of the suite.
The index is the real one. GitHub is a stand-in on this machine with what a finished release leaves: green checks, and
for the last three versions a GitHub Release, a successful run, and the pull request that the commit names. A run gets
no option but version, package and addresses. `--write` puts the section into the page.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.version import InvalidVersion, Version

from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient
from release_state.observe.index.index import observe_index
from release_state.settings.channels import pypi
from tests.proofs.processes import FOLDER, PAGE, RELEASES, list_repositories
from tests.standins.github import GitHubServer
from tests.support.cli import clean_environment

TOKEN = "ghp_" + "a" * 36
EVENTS = {"tag": "push", "branch": "push", "release": "release", "dispatch": "workflow_dispatch"}
"""The event of a run by what starts it."""
_NUMBER = re.compile(r"\(#(\d+)\)$|^Merge pull request #(\d+) ")
_ABOUT = """\
The newest version of {} of these projects that is on the index and has a tag, judged without any configuration. The
index is the real one; GitHub is a stand-in that has what a finished release leaves. The copies of the repositories are
older than the index, which has later versions; some of what was said before is for that reason. *Before* is this suite
at {}, when it knew one process only. RUN-11 is unknown where no workflow is seen to publish. INDEX-12 names wheels that
the version before had: dropped by mistake or on purpose.
"""
_NOT_WELL = ("action needed", "unknown", "in progress", "defect")


@dataclass(frozen=True)
class Said:
    """What one run said of a project's newest release."""

    verdict: str
    checks: tuple[str, ...]
    """Checks that decide, and that need action or are unknown, with how they ended."""


@dataclass(frozen=True)
class Compared:
    """A project, and what was said before and after."""

    package: str
    version: str
    before: Said
    after: Said


def git(place: Path, *words: str) -> str:
    """Return the output of one git command."""
    done = subprocess.run(["git", "-C", place, *words], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


def lay_out(mirror: Path, repository: str, folder: Path) -> tuple[Path, Path]:
    """Return a remote and a clone of a bare repository, which share its objects; the clone's origin is GitHub."""
    remote, clone = folder / "remote.git", folder / "clone"
    subprocess.run(["git", "init", "-q", "--bare", remote], check=True)
    (remote / "objects/info/alternates").write_text(f"{mirror.resolve() / 'objects'}\n", encoding="utf-8")
    for name in ("HEAD", "packed-refs"):
        if (mirror / name).is_file():
            shutil.copy(mirror / name, remote / name)
    shutil.copytree(mirror / "refs", remote / "refs", dirs_exist_ok=True)
    for name in ("allowFilter", "allowAnySHA1InWant"):
        git(remote, "config", f"uploadpack.{name}", "true")
    subprocess.run(["git", "clone", "-q", "--shared", remote, clone], check=False, capture_output=True)
    git(clone, "remote", "set-url", "origin", f"https://github.com/{repository}.git")
    return remote, clone


def list_released(remote: Path, package: str) -> list[tuple[Version, str]]:
    """Return the final versions that are on the index and have a tag, the newest first, each with its tag."""
    channel = Channel(name="pypi", index_url=pypi(), leaves=(), is_public_index=True)
    page = observe_index(HttpClient(60), channel, package, "0", ())
    published = {Version(each.version) for each in page.value.releases} if page.value else set()
    tags = [(_read_version(tag, package), tag) for tag in git(remote, "tag", "-l").splitlines()]
    held = {version: tag for version, tag in tags if version in published and version and not version.is_prerelease}
    return sorted(held.items(), reverse=True)


def _read_version(tag: str, package: str) -> Version | None:
    found = re.fullmatch(rf"(?:(?:{re.escape(package)}|rel|release|python|py)[-_@/=]*)?v?\.?(\d.*)", tag, re.IGNORECASE)
    try:
        return Version(found[1].replace("_", ".")) if found else None
    except InvalidVersion:
        return None


def fill(server: GitHubServer, remote: Path, held: Sequence[tuple[Version, str]], right: Mapping[str, Any]) -> None:
    """Give GitHub what finished releases left."""
    head = git(remote, "rev-parse", "HEAD")
    for path in git(remote, "ls-tree", "-r", "--name-only", "HEAD", FOLDER).splitlines():
        if path.endswith((".yml", ".yaml")):
            server.add_workflow(path, Path(path).stem, created_at="2020-01-01T00:00:00Z")
    named = [name.strip().rpartition("/")[2] for name in str(right.get("workflow") or "").split(",")]
    start = (right.get("starts") or ["tag"])[0]
    server.add_check_run(head, "tests")
    for _, tag in held[:3]:
        commit = git(remote, "rev-parse", f"{tag}^{{commit}}")
        when = datetime.fromisoformat(git(remote, "log", "-1", "--format=%cI", commit).replace("Z", "+00:00"))
        if commit != head:
            server.add_check_run(commit, "tests", started_at=when)
        server.add_release(tag, published_at=when + timedelta(minutes=5), prerelease=False)
        for name in filter(server.find_workflow, named):
            server.add_run(
                name, event=EVENTS.get(start, "push"), head_sha=commit, created_at=when + timedelta(minutes=6),
                head_branch=tag if start in ("tag", "release") else None, check_runs=True,
            )  # fmt: skip
        subject = git(remote, "log", "-1", "--format=%s", commit)
        if _NUMBER.search(subject):
            server.add_pull(f"change-{tag}", title=subject, head_sha=commit, created_at=when - timedelta(hours=1),
                            merged=True, merged_at=when, merge_commit_sha=commit)  # fmt: skip


def compare(
    mirror: Path, repository: str, package: str, right: Mapping[str, Any], pythons: Sequence[str]
) -> Compared | None:
    """Return what the suite of each interpreter says of a project's newest release; None without one that has a tag."""
    with TemporaryDirectory() as folder:
        remote, clone = lay_out(mirror, repository, Path(folder))
        if not (held := list_released(remote, package)):
            return None
        with GitHubServer(remote, repository, git(remote, "symbolic-ref", "--short", "HEAD")) as server:
            server.tokens[TOKEN] = "write"
            fill(server, remote, held, right)
            options = {"version": str(held[0][0]), "package": package, "repository": repository}
            options |= {"remote-url": remote.as_uri(), "github-api-url": server.url}
            before, after = (
                run(python, clone, Path(folder) / str(number), options) for number, python in enumerate(pythons)
            )
        return Compared(package, str(held[0][0]), before, after)


def run(python: str, clone: Path, reports: Path, options: Mapping[str, str]) -> Said:
    """Return what a run says, in the clone; "no verdict" if it wrote no report."""
    given = {**options, "reports-dir": str(reports), "github-status-url": "", "index-status-url": ""}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    command = [python, "-m", "release_state", *words, "--channel", "pypi", "--no-install"]
    env = clean_environment(reports.parent, {"GITHUB_TOKEN": TOKEN, "PATH": os.environ["PATH"]})
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, check=False, timeout=300)
    made = [path for path in reports.glob("*.json") if not path.name.startswith("latest")]
    if not made:
        print(done.stdout.decode()[-2000:], done.stderr.decode()[-2000:], file=sys.stderr)
        return Said("no verdict", ())
    document = json.loads(made[0].read_text("utf-8"))
    checks = [each for target in document["targets"] for each in target["checks"]]
    bad = [f"{each['id']} {each['outcome']}" for each in checks if each["blocking"] and each["outcome"] in _NOT_WELL]
    for each in checks:
        if each["blocking"] and each["outcome"] in _NOT_WELL:
            print(given["package"], each["id"], each["outcome"], each.get("found"), each.get("why"), file=sys.stderr)
    return Said(document["verdict"], tuple(dict.fromkeys(bad)))


def write(every: Sequence[Compared], commit: str) -> Iterator[str]:
    """Yield the lines of the section."""
    yield RELEASES
    yield ""
    yield from textwrap.wrap(_ABOUT.format(len(every), commit), 118, break_on_hyphens=False)
    yield ""
    yield "| verdict | before | after |"
    yield "|---|---|---|"
    yield from _count([each.before.verdict for each in every], [each.after.verdict for each in every])
    yield ""
    yield "The checks that decided it, by how many of the projects:"
    yield ""
    yield "| check | before | after |"
    yield "|---|---|---|"
    before, after = ([name for each in every for name in getattr(each, when).checks] for when in ("before", "after"))
    yield from _count(before, after)
    yield ""
    yield "| project | version | before | after |"
    yield "|---|---|---|---|"
    for each in every:
        cells = (", ".join((said.verdict, *said.checks)) for said in (each.before, each.after))
        yield f"| {each.package} | {each.version} | {' | '.join(cells)} |"


def _count(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    counted = Counter(before), Counter(after)
    for name in sorted({*before, *after}):
        check, _, ending = name.partition(" ")
        is_check = re.fullmatch(r"[A-Z]+-\d+", check)
        shown = f"[{check}](checks.md#{check.lower()}), {ending}" if is_check else name
        yield f"| {shown} | {counted[0][name]} | {counted[1][name]} |"


def main() -> int:
    """Look at the repositories, and print the section or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="bare git repositories, owner+name/…")
    parser.add_argument("repositories", nargs="+", help="owner/name")
    parser.add_argument("--right", type=Path, required=True, help="the answers that were looked up by hand")
    parser.add_argument("--before", required=True, help="an interpreter that has an older version of the suite")
    parser.add_argument("--commit", required=True, help="of which commit that one is")
    parser.add_argument("--write", action="store_true", help="into docs/processes.md")
    given = parser.parse_args()
    right: dict[str, Any] = json.loads(given.right.read_text("utf-8"))
    every: list[Compared] = []
    for repository, mirror in list_repositories(given.folder):
        if repository in given.repositories:
            package = right[repository].get("package") or repository.rpartition("/")[2]
            found = compare(mirror, repository, package, right[repository], (given.before, sys.executable))
            print(repository, found, file=sys.stderr, flush=True)
            every += [found] if found else []
    section = "\n".join(write(sorted(every, key=lambda each: each.package.lower()), given.commit))
    if given.write:
        page = PAGE.read_text(encoding="utf-8").partition(RELEASES)[0].rstrip("\n")
        PAGE.write_text(f"{page}\n\n{section}\n", encoding="utf-8")
    else:
        print(section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
