"""What a run says of the newest releases of real projects, before and after: a section of `docs/processes.md`.

    python -m tests.proofs.releases FOLDER --right FILE --before PYTHON --commit HASH --keep KEPT [REPOSITORY…]

FOLDER and FILE are those of `tests.proofs.processes`; PYTHON is an interpreter that has an older version of the suite.
KEPT is a folder for what each run said, one file a project: what is in it is not asked again. The index is the real
one. GitHub is a stand-in on this machine with what a finished release leaves: green checks, and
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

import msgspec
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
at {}, when it knew one process only, for {} of them. RUN-11 is unknown where no workflow is seen to publish.
"""
_NOT_WELL = ("action needed", "unknown", "in progress", "defect")


@dataclass(frozen=True)
class Said:
    """What one run said of a project's newest release."""

    verdict: str
    checks: tuple[str, ...]
    """Checks that decide, and that need action or are unknown, with how they ended."""
    findings: tuple[str, ...] = ()
    """What these checks said, to look at one by one."""


@dataclass
class Compared:
    """A project, and what was said before and after."""

    repository: str
    package: str
    version: str = ""
    """Empty: none is on the index and has a tag."""
    before: Said | None = None
    after: Said | None = None
    decided: str = ""
    """What somebody decided about the action that is needed after, from the answer sheet (`releases`)."""


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


def list_released(remote: Path, package: str) -> list[tuple[str, str]]:
    """Return the final versions that are on the index and have a tag, the newest first, each with its tag."""
    channel = Channel(name="pypi", index_url=pypi(), leaves=(), is_public_index=True)
    page = observe_index(HttpClient(60), channel, package, "0", ())
    published = {Version(each.version): each.version for each in page.value.releases} if page.value else {}
    tags = [(_read_version(tag, package), tag) for tag in git(remote, "tag", "-l").splitlines()]
    # A moving tag, v4.2 of 4.2.0, has fewer numbers.
    held = {
        version: tag
        for version, tag in sorted(tags, key=lambda each: len(each[1]))
        if version in published and version and not version.is_prerelease
    }
    return [(published[version], held[version]) for version in sorted(held, reverse=True)]


def _read_version(tag: str, package: str) -> Version | None:
    found = re.fullmatch(rf"(?:(?:{re.escape(package)}|rel|release|python|py)[-_@/=]*)?v?\.?(\d.*)", tag, re.IGNORECASE)
    try:
        return Version(found[1].replace("_", ".")) if found else None
    except InvalidVersion:
        return None


def fill(server: GitHubServer, remote: Path, held: Sequence[tuple[str, str]], right: Mapping[str, Any]) -> None:
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


def compare(mirror: Path, compared: Compared, right: Mapping[str, Any], pythons: Mapping[str, str]) -> None:
    """Note what the suite of each interpreter says of a project's newest release, where it is not known yet."""
    lacking = {when: python for when, python in pythons.items() if getattr(compared, when) is None}
    if not lacking:
        return
    with TemporaryDirectory() as folder:
        remote, clone = lay_out(mirror, compared.repository, Path(folder))
        if not (held := list_released(remote, compared.package)):
            return
        compared.version = held[0][0]
        with GitHubServer(remote, compared.repository, git(remote, "symbolic-ref", "--short", "HEAD")) as server:
            server.tokens[TOKEN] = "write"
            fill(server, remote, held, right)
            options = {"version": compared.version, "package": compared.package, "repository": compared.repository}
            options |= {"remote-url": remote.as_uri(), "github-api-url": server.url}
            for when, python in lacking.items():
                setattr(compared, when, run(python, clone, Path(folder) / when, options))


def run(python: str, clone: Path, reports: Path, options: Mapping[str, str]) -> Said:
    """Return what a run says, in the clone; "no verdict" if it wrote no report."""
    given = {**options, "reports-dir": str(reports), "github-status-url": "", "index-status-url": ""}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    command = [python, "-m", "release_state", *words, "--channel", "pypi", "--no-install"]
    env = clean_environment(reports.parent, {"GITHUB_TOKEN": TOKEN, "PATH": os.environ["PATH"]})
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, check=False, timeout=600)
    made = [path for path in reports.glob("*.json") if not path.name.startswith("latest")]
    if not made:
        return Said("no verdict", (), (done.stdout.decode()[-2000:], done.stderr.decode()[-2000:]))
    document = json.loads(made[0].read_text("utf-8"))
    checks = [each for target in document["targets"] for each in target["checks"]]
    bad = [each for each in checks if each["blocking"] and each["outcome"] in _NOT_WELL]
    names = dict.fromkeys(f"{each['id']} {each['outcome']}" for each in bad)
    return Said(
        document["verdict"],
        tuple(names),
        tuple(f"{each['id']}: {each.get('found')}; {each.get('why')}" for each in bad),
    )


def write(every: Sequence[Compared], commit: str) -> Iterator[str]:
    """Yield the lines of the section."""
    before = [each.before for each in every if each.before]
    after = [each.after for each in every if each.after]
    yield RELEASES
    yield ""
    yield from textwrap.wrap(_ABOUT.format(len(every), commit, len(before)), 118, break_on_hyphens=False)
    yield from _explain([each for each in every if each.after])
    yield ""
    yield "| verdict | before | after |"
    yield "|---|---|---|"
    yield from _count(*([said.verdict for said in each] for each in (before, after)))
    yield ""
    yield "The checks that decided it, by how many of the projects:"
    yield ""
    yield "| check | before | after |"
    yield "|---|---|---|"
    yield from _count(*([name for said in each for name in said.checks] for each in (before, after)))
    yield ""
    yield "| project | version | before | after |"
    yield "|---|---|---|---|"
    for each in every:
        both = (each.before, each.after)
        cells = (", ".join((said.verdict, *said.checks)) if said else "not looked at" for said in both)
        yield f"| {each.package} | {each.version} | {' | '.join(cells)} |"


def _explain(every: Sequence[Compared]) -> Iterator[str]:
    """Yield a list of the projects that need action now, each with what was decided about it."""
    bad = [each for each in every if each.after and any(" action" in check for check in each.after.checks)]
    yield from ("", "What needs action was looked at one by one:", "") if bad else ()
    for each in bad:
        names = ", ".join(each.after.checks if each.after else ())
        yield from textwrap.wrap(
            f"- {each.package} {each.version}, {names}: {each.decided or 'not looked at'}.",
            118,
            subsequent_indent="  ",
            break_on_hyphens=False,
        )


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
    parser.add_argument("repositories", nargs="*", help="owner/name; without any, all of the folder")
    parser.add_argument("--right", type=Path, required=True, help="the answers that were looked up by hand")
    parser.add_argument("--keep", type=Path, required=True, help="a folder for what each run said")
    parser.add_argument("--before", help="an interpreter that has an older version of the suite; without it, only look")
    parser.add_argument("--commit", default="", help="of which commit that one is")
    parser.add_argument("--write", action="store_true", help="into docs/processes.md")
    given = parser.parse_intermixed_args()
    right: dict[str, Any] = json.loads(given.right.read_text("utf-8"))
    pythons = {"after": sys.executable} | ({"before": given.before} if given.before else {})
    every: list[Compared] = []
    for repository, mirror in list_repositories(given.folder):
        if given.repositories and repository not in given.repositories:
            continue
        kept = given.keep / f"{repository.replace('/', '+')}.json"
        package = right[repository].get("package") or repository.rpartition("/")[2]
        found = Compared(repository, package)
        if kept.is_file():
            found = msgspec.json.decode(kept.read_bytes(), type=Compared)
        compare(mirror, found, right[repository], pythons)
        kept.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
        found.decided = right[repository].get("releases", "")
        every += [found] if found.version else []
    section = "\n".join(write(sorted(every, key=lambda each: each.package.lower()), given.commit))
    if given.write:
        page = PAGE.read_text(encoding="utf-8").partition(RELEASES)[0].rstrip("\n")
        PAGE.write_text(f"{page}\n\n{section}\n", encoding="utf-8")
    else:
        print(section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
