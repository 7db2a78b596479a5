"""Which request buys which fact: what a whole run of each phase asks, as the services saw it."""

from __future__ import annotations

import re

from benchmarks.cases import PHASES, Bench
from benchmarks.stage import stage

FACTS = (
    (r"GET /repos/[^/]+/[^/?]+$", "the repository: its present name, and whether it may be seen"),
    (r"/pulls\?.*head=", "pull requests of a release branch, in any state"),
    (r"/pulls\?.*state=open", "open pull requests of any release branch"),
    (r"/releases/tags/", "the GitHub Release of the tag"),
    (r"/releases/latest", "which GitHub Release is the latest"),
    (r"/releases\?", "drafts of the tag"),
    (r"/check-runs", "CI of the base branch's head: check runs"),
    (r"/status", "CI of the base branch's head: commit statuses"),
    (r"/workflows/[^/]+/runs", "runs of the release workflow that can still be unfinished"),
    (r"/workflows/[^/]+$", "whether the release workflow exists"),
    (r"/jobs\?|/attempts/", "jobs and steps of the last release run"),
    (r"/logs", "what the log of the last release run says"),
    (r"info/refs", "git: the remote's refs begin with what it can do"),
    (r"git-upload-pack", "git: refs, or the commits that the decision hangs on"),
    (r"GET /[^/]+/simple/", "the project's page on an index"),
    (r"\.tar\.gz", "the sdist, compared with the commits that it may have been built from"),
    (r"\.whl", "the wheel, to install it"),
)


def asked(bench: Bench) -> dict[str, list[tuple[str, str]]]:
    """By phase: each request, and the fact that it buys."""
    found = {}
    for phase, scenario in PHASES.items():
        with stage(scenario, 0.0) as at:
            at.asked()
            bench.gate(at, phase).turn(counts=False)
            told = at.asked()
            found[phase] = [(_short(line, at.repository), _fact(line)) for line in told.git + told.index + told.github]
    return found


def _fact(line: str) -> str:
    return next((fact for pattern, fact in FACTS if re.search(pattern, line)), "")


def _short(line: str, repository: str) -> str:
    line = line.replace(f"/repos/{repository}", "…").replace(f"/{repository}.git", "…")
    return re.sub(r"\b[0-9a-f]{40}\b", "{commit}", line)
