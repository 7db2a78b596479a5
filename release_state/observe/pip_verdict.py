"""What a failed run of pip says about the package, told apart from what it says about the network. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pypi_simple import UnparsableFilenameError, parse_filename

from release_state.target import parse_version


class Verdict(Enum):
    """What a failed run of pip means."""

    FAILED = "failed"
    """The version cannot be installed; pip had every answer that it needed."""
    NOT_ATTEMPTED = "not attempted"
    """It can perhaps be installed by running foreign build code, which is not done."""
    UNAVAILABLE = "unavailable"
    """The index did not answer, or pip itself broke: nothing is known of the version."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and the line of pip's output that decides it."""

    verdict: Verdict
    line: str
    remedy: str | None = None


# The files themselves are broken. These come first: no trouble of the network can bring them about.
_BROKEN = re.compile(
    r"DO NOT MATCH THE HASHES|inconsistent (?:name|version)|invalid metadata|invalid wheel|wheel .* is invalid"
    r"|not a supported wheel|requires a different python|invalid requirement",
    re.IGNORECASE,
)
_NO_MATCH = re.compile(r"ERROR: No matching distribution found for (.+?)(?: \(from .*)?$", re.MULTILINE)
_CONFLICT = re.compile(r"ERROR: (?:ResolutionImpossible|Cannot install .*conflicting).*")
_GONE = re.compile(r"ERROR: HTTP error (?:404|410) .*")

# pip counts a page that it could not get as one without files and says so in its log only.
_NOT_FETCHED = re.compile(r"Could not fetch URL (\S+): (.*?)(?: - skipping|$)", re.MULTILINE)
_NO_PAGE = re.compile(r"Skipping page (\S+) because .*")
_SAID_NO = re.compile(r"(?:404|410) ")
_REFUSED = re.compile(r"\b(?:401|403) ")
_NO_SDIST = re.compile(r"Skipping link: No sources permitted for \S+: (\S+)")


def judge(output: str, log: str, package: str) -> Judgement:
    """
    Judge a run of `pip download` or `pip install` that ended with an exit code other than 0.

    `output` is what pip printed, `log` what it wrote to its `--log`, `package` the package in question. Whatever is
    not known to be a statement about the package is unavailable.
    """
    for line in output.splitlines():
        if _BROKEN.search(line):
            return Judgement(Verdict.FAILED, line.strip())
    if gone := _GONE.search(output):
        return Judgement(Verdict.FAILED, gone[0])
    if trouble := _trouble(log):
        return trouble
    if missing := _NO_MATCH.search(output):
        return _judge_missing(missing[0], missing[1], log, package)
    if conflict := _CONFLICT.search(output):
        return Judgement(Verdict.FAILED, conflict[0])
    errors = [line.strip() for line in output.splitlines() if line.startswith("ERROR:") and line.strip() != "ERROR:"]
    said = [line.strip() for line in output.splitlines() if line.strip()]
    return Judgement(Verdict.UNAVAILABLE, (errors or said or ["pip failed without a word"])[-1])


def _trouble(log: str) -> Judgement | None:
    for found in _NOT_FETCHED.finditer(log):
        if not _SAID_NO.match(found[2]):
            refused = _REFUSED.search(found[2])
            remedy = "give the index URL with a user name and password that may read it" if refused else None
            return Judgement(Verdict.UNAVAILABLE, f"{found[1]}: {found[2]}", remedy)
    if skipped := _NO_PAGE.search(log):
        return Judgement(Verdict.UNAVAILABLE, skipped[0])
    return None


def _judge_missing(line: str, text: str, log: str, package: str) -> Judgement:
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return Judgement(Verdict.FAILED, line)
    name = canonicalize_name(wanted.name)
    if name == canonicalize_name(package):
        return Judgement(Verdict.FAILED, line)
    for link in _NO_SDIST.finditer(log):
        try:
            project, spelt, _ = parse_filename(link[1].partition("#")[0].rpartition("/")[2], name)
        except UnparsableFilenameError:
            continue
        version = parse_version(spelt)
        if canonicalize_name(project) == name and version and wanted.specifier.contains(version, prereleases=True):
            why = f"the dependency {text} has no wheel that fits, and foreign build code is not run"
            return Judgement(Verdict.NOT_ATTEMPTED, why)
    return Judgement(Verdict.FAILED, line)
