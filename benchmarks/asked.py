"""Which request buys which fact: what a whole run of each phase asks, as the services saw it."""

from __future__ import annotations

import re
from typing import NamedTuple

from benchmarks.bench import PHASES, Bench
from benchmarks.stage import stage

GITHUB = (
    (r"/pulls\?.*head=.*v0[.]2[.]0", "pull requests of the version's release branch, in any state"),
    (r"/pulls\?.*head=.*release-please", "whether releases have a pull request: that of release-please"),
    (r"/pulls\?.*head=", "whether releases have a pull request: those of an earlier version's release branch"),
    (r"/pulls\?.*state=open", "open pull requests of any release branch"),
    (r"/pulls\?", "every pull request, where there are very many release branches"),
    (r"/releases/tags/v0[.]2[.]0", "the GitHub Release of the tag"),
    (r"/releases/tags/", "whether releases have a GitHub Release: that of an earlier version's tag"),
    (r"/releases/latest", "which GitHub Release is the latest"),
    (r"/releases\?", "drafts of the tag"),
    (r"/check-runs", "CI of the base branch's head, and which apps are usual on commits before: check runs"),
    (r"/status\?", "CI of the base branch's head, and which apps are usual on commits before: commit statuses"),
    (r"/actions/runs\?.*head_sha=", "which workflows ran for the base branch's head, and what has no check run yet"),
    (r"/actions/workflows/[^/]+/runs", "runs of the release workflow that can still be unfinished, and the last one"),
    (r"/actions/workflows\?", "whether the release workflow is switched off"),
    (r"/actions/runs\?.*branch=", "how CI went on the base branch, the last runs"),
    (r"/actions/runs/\d+/(attempts/\d+/)?jobs", "jobs and steps of the last release run, where it failed"),
    (r"/actions/jobs/\d+/logs", "what the log of the failed job says"),
    (r"/actions/permissions/workflow", "whether Actions may create pull requests, and the rights of a job by default"),
    (r"/environments/[^/]+/deployment-branch-policies", "the refs that may deploy to the environment of the upload"),
    (r"/environments/", "whether any ref may deploy to the environment of the upload"),
    (r"/rulesets/\d+", "what an active ruleset asks for"),
    (r"/rulesets", "rulesets that may stand in the way"),
    (r"/rules/branches/", "the rules for the release branch and for the base branch"),
    (r"/branches/[^/]+/protection", "the classic protection of the base branch"),
    (r"/branches/", "whether the base branch is protected"),
    (
        r"/repos/[^/]+/[^/?]+$",
        "the repository: its present name; only where it can be seen is a 404 an absence",
    ),
)
INDEX = (
    (r"/pypi/[^/]+/[^/]+/json$", "whether files of the version are on their way to the Simple API"),
    (r"/simple/", "the project's page: versions, files, what is yanked"),
    (r"\.tar\.gz$", "the sdist, to be compared with the commits that it may have been built from"),
    (r"\.whl(\.metadata)?$", "the wheel, as pip installs it"),
    (r"/provenance$", "which commit the attestation of a file names"),
)
GIT = (
    (r"info/refs", "git: a connection to the remote begins with what it can do"),
    (r"git-upload-pack", "git: refs; more only where commits are lacking"),
)


class Asked(NamedTuple):
    """One request of a run, and the fact that it buys."""

    service: str
    request: str
    fact: str


def asked(bench: Bench) -> dict[str, list[Asked]]:
    """By phase: what a whole run asks."""
    found = {}
    for phase, scenario in PHASES.items():
        with stage(scenario, 0.0) as at:
            at.asked()
            bench.gate(at, phase).turn(counts=False)
            told = at.asked()
            lines = {"git": told.git, "index": told.index, "GitHub": told.github}
            found[phase] = sorted(
                Asked(service, _short(line, at.repository), fact_of(service, line))
                for service, requests in lines.items()
                for line in requests
            )
    return found


def fact_of(service: str, request: str) -> str:
    """The fact that a request buys; empty for one that nobody has described."""
    facts = {"git": GIT, "index": INDEX, "GitHub": GITHUB}[service]
    return next((fact for pattern, fact in facts if re.search(pattern, request)), "")


def _short(line: str, repository: str) -> str:
    line = line.replace(f"/repos/{repository}", "…").replace(f"/{repository}.git", "…")
    return re.sub(r"\b[0-9a-f]{40}\b", "{commit}", line)
