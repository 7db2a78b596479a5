"""Which version and channel a run of the release workflow was for: GitHub gives no run its inputs back (pure).

A run's branch, title, job names and log each say something, or nothing; what one denies is not put right by another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.facts.logs.log import Line
from release_state.model.snapshot import WorkflowRun
from release_state.model.target import Target, parse_version

_VERSION = r"v?(\d[\w.+!-]{0,60})"
_WORD = re.compile(r"[^\s'\"`,;()<>|]{1,300}")
_BEFORE_A_BRANCH = re.compile(r"(?:HEAD:|refs/heads/|refs/remotes/|remotes/|origin/)+")
# What a fetch or a listing prints names every branch and tag of the remote, and so none in particular.
_LISTED = re.compile(r"-> ?origin/|\[new (?:tag|ref)\]|^\s+(?:remotes/)?origin/\S+$|^[0-9a-f]{40}\s+refs/")
_TITLE = re.compile(rf"\b(?:release|version|publish|deploy)[ /:=-]{{1,3}}{_VERSION}", re.I)
_ANY = re.compile(rf"(?<![\w.]){_VERSION}")
_TAG = re.compile(r"\btag '?([^\s']{1,200})'? already exists", re.I)
_PUBLISHED = re.compile(rf"\bversion '?{_VERSION}'? already (?:exists|published)", re.I)
_FILE = re.compile(r"(?<![\w.-])([A-Za-z][\w.-]{0,100}?)-(\d[\w.+!]{0,60})(?:\.tar\.gz|\.zip|-\w+-[\w.]+-[\w.]+\.whl)")
_STATED = re.compile(
    r"(?<!last )(?<!current )(?<!latest )(?<!previous )(?<!python-)(?<![A-Z])(?:\b|(?<=_))version"
    rf"(?: is| to)?[:= ]{{1,3}}['\"]?{_VERSION}",
    re.I,
)
_CHANNEL = re.compile(
    r"\b(?:target_environment|channel|environment|index)['\"]?\s?[:=]\s?['\"]?(\S{1,60})"
    r"|\b(?:already exists on|publish(?:ing|ed)? to|upload(?:ing|ed)?(?: distributions)? to|releas(?:e|ing|ed) to)"
    r" (.{1,30})",
    re.I,
)
_DRY_INPUT = re.compile(r"(?<![a-z0-9-])dry[ _-]?run['\"]?\s?[:=]\s?['\"]?(?:true|yes|on|1)\b", re.I)
_DRY = re.compile(r"(?<![a-z0-9-])(?<!not a )(?<!no )(?<!without )dry[ _-]?run\b(?!['\"]?\s?[:=])", re.I)


@dataclass(frozen=True)
class Attribution:
    """What sources say of a run: whether it is of the target's version and channel; None: not said."""

    version: bool | None = None
    channel: bool | None = None
    by: tuple[str, ...] = ()
    """The sources that said yes."""

    @property
    def is_ours(self) -> bool:
        """Whether it is known to be of this version and channel."""
        return bool(self.version and self.channel)

    @property
    def is_other(self) -> bool:
        """Whether it is known to be of another version or channel."""
        return False in (self.version, self.channel)

    def combine(self, more: Attribution) -> Attribution:
        """What both say together."""
        adds = (more.version and not self.version) or (more.channel and not self.channel)
        return Attribution(
            _both(self.version, more.version),
            _both(self.channel, more.channel),
            (*self.by, *more.by) if adds else self.by,
        )


def _both(first: bool | None, second: bool | None) -> bool | None:
    if False in (first, second):
        return False
    return first if second is None else second


def attribute_run(run: WorkflowRun, runs: Sequence[WorkflowRun], target: Target) -> Attribution:
    """What the run's own branch and title say; `runs` are all runs of the workflow."""
    said = Attribution()
    if run.head_branch and (parsed := target.parse_release_branch(run.head_branch)):
        said = _said("head branch", {Version(parsed.version)}, {parsed.channel}, target)
    if run.event != "workflow_dispatch":
        return said  # its title is that of a commit or a pull request: a stranger's words, about anything
    versions = _versions(_TITLE.findall(run.title)) or _versions(_ANY.findall(run.title)) & {target.parsed_version}
    # Without a `run-name` every run has the workflow's own title, which says nothing of this one.
    told = len({other.title for other in runs}) > 1
    return said.combine(_said("title", versions, match_channels(run.title, target) if told else set(), target))


def attribute_jobs(names: Iterable[str], target: Target) -> Attribution:
    """What the names of the jobs that ran say of the channel: `Production Release (PyPI)`."""
    said = _said("job name", set(), {channel for name in names for channel in match_channels(name, target)}, target)
    return Attribution(channel=True) if len(target.channels) == 1 and said.channel is None else said


def attribute_log(lines: Sequence[Line], target: Target) -> Attribution:
    """What the log says: by the release branch that it names, else by tag, version and files."""
    texts = select_telling(lines)
    branches = find_release_branches(texts, target)
    if len(branches) == 1:
        ((channel, version),) = branches
        return _said("log", {Version(version)}, {channel}, target)
    versions = find_versions(texts, target)
    if not versions:
        # Many things have a version: one that is not ours says nothing.
        versions = _versions(found for text in texts for found in _STATED.findall(text)) & {target.parsed_version}
    return _said("log", versions, find_channels(texts, target), target)


def select_telling(lines: Iterable[Line]) -> list[str]:
    """The lines that can name a version in particular: not those that list what the remote has."""
    return [line.text for line in lines if line.text and not _LISTED.search(line.text)]


def find_release_branches(texts: Iterable[str], target: Target) -> set[tuple[str, str]]:
    """Channel and version of every release branch that the lines name."""
    prefix = target.branch_template.partition("{")[0]
    words = {word for text in texts if prefix in text for word in _WORD.findall(text) if prefix in word}
    parsed = (target.parse_release_branch(_BEFORE_A_BRANCH.sub("", word, count=1).rstrip(".:")) for word in words)
    return {(found.channel, found.version) for found in parsed if found}


def find_versions(texts: Sequence[str], target: Target) -> set[Version]:
    """The versions that the lines name as what was tagged, published or built."""
    found = _versions(version for text in texts for version in _PUBLISHED.findall(text))
    tags = (target.parse_tag(tag) for text in texts for tag in _TAG.findall(text))
    files = (
        file for text in texts if ".whl" in text or ".tar.gz" in text or ".zip" in text for file in _FILE.findall(text)
    )
    built = _versions(version for name, version in files if canonicalize_name(name) == target.name)
    return found | {version for version in tags if version} | built


def find_channels(texts: Iterable[str], target: Target) -> set[str]:
    """The channels that the lines name as where they publish to."""
    named = {"".join(found) for text in texts for found in _CHANNEL.findall(text)}
    return {channel for words in named for channel in match_channels(words, target)}


def match_channels(text: str, target: Target) -> set[str]:
    """The channels that a text names: `Test Release (TestPyPI)`, `to test-pypi`, an upload address."""
    names, pattern = _channel_pattern(tuple(channel.name for channel in target.channels))
    return {names[(found.lastindex or 1) - 1] for found in pattern.finditer(text)}


@lru_cache(maxsize=64)
def _channel_pattern(names: tuple[str, ...]) -> tuple[list[str], re.Pattern[str]]:
    # The longest first, so that the `pypi` of `test-pypi` does not count as the other channel.
    ordered = sorted(names, key=len, reverse=True)
    spelt = []
    for name in ordered:
        tail = next((other for other in ordered if other != name and name.endswith(other)), "")
        parts = [*re.split(r"[-_. ]+", name.removesuffix(tail).rstrip("-_. ")), *filter(None, [tail])]
        spelt.append(f"({'[-_. ]?'.join(map(re.escape, filter(None, parts)))})")
    return ordered, re.compile(rf"(?<![a-z0-9])(?:{'|'.join(spelt)})(?![a-z0-9])", re.I)


def is_dry_name(name: str) -> bool:
    """Whether a title or a job's name says that it is of a dry run."""
    return _DRY.search(name) is not None or _DRY_INPUT.search(name) is not None


def is_dry_log(lines: Iterable[Line], *, published_nothing: bool) -> bool:
    """
    Whether the log is of a dry run: its input says so, or it speaks of one and `published_nothing`.

    To speak of one is not enough by itself: releases work out their version in a dry run of another tool.
    """
    said = [line.text for line in lines if not line.is_script]
    return any(_DRY_INPUT.search(text) or (published_nothing and _DRY.search(text)) for text in said)


def _said(source: str, versions: set[Version], channels: set[str], target: Target) -> Attribution:
    version, channel = _is(target.parsed_version, versions), _is(target.channel.name, channels)
    return Attribution(version, channel, (source,) if version or channel else ())


def _is(ours: object, named: set[Version] | set[str]) -> bool | None:
    """Whether ours is what is named; None where nothing is, or ours beside others."""
    return None if not named or (ours in named and len(named) > 1) else ours in named


def _versions(texts: Iterable[str]) -> set[Version]:
    found = (parse_version(text.rstrip(".-+!")) for text in set(texts))
    return {version for version in found if version}
