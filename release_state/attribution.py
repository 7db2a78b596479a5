"""Which version and channel a run of the release workflow was for: GitHub gives no run its inputs back (pure).

A run's branch, title, job names and log each say something, or nothing; what one denies is not put right by another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.version import Version

from release_state.logs import Line
from release_state.snapshot import WorkflowRun
from release_state.target import Channel, Target, parse_version

_WORD = re.compile(r"[^\s'\"`,;()<>|]{1,300}")
_BEFORE_A_BRANCH = re.compile(r"(?:HEAD:|refs/heads/|refs/remotes/|origin/|remotes/origin/)+")
# `git fetch` lists every branch and tag of the remote: that names no version in particular.
_FETCHED = re.compile(r"\[(?:new|deleted)(?: branch|\])[^\n]*-> ?(?:origin/|refs/remotes/)|\[new tag\]|\[new ref\]")
_VERSION = r"v?(\d[\w.+!-]{0,60})"
_TITLE = re.compile(rf"\b(?:release|version|publish|deploy)[ /:=-]{{1,3}}{_VERSION}", re.I)
_TAG = re.compile(r"\btag '?([^\s']{1,200})'? already exists", re.I)
_PUBLISHED = re.compile(rf"\bversion '?{_VERSION}'? already (?:exists|published)", re.I)
_FILE = re.compile(rf"(?<![\w.-])([A-Za-z][\w.-]{{0,100}}?)-{_VERSION.replace('v?', '')}(?=\.tar\.gz|\.zip|-\w+-\w+-\w)")
_STATED = re.compile(rf"(?<!last )(?<!current )(?<!latest )(?<!previous )\b(?:\w*_)?version\b ?(?:is|to|[:=]){_VERSION}", re.I)
_TO_CHANNEL = re.compile(r"\b(?:target_environment|channel|environment|index|repository)['\"]?\s?[:=]\s?['\"]?(\S{1,60})", re.I)
_ON_CHANNEL = re.compile(r"\b(?:already exists on|publish(?:ing|ed)? to|upload(?:ing|ed)? to|releas(?:e|ing|ed) to) (.{1,30})", re.I)
_DRY = re.compile(r"(?<!-)(?<!not a )(?<!no )\bdry[ _-]?run\b(?!['\"]?\s?[:=]?\s?['\"]?(?:false|no\b|off\b|0\b|disabled|''|\"\"))", re.I)


@dataclass(frozen=True)
class Said:
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

    def also(self, more: Said) -> Said:
        """What both say together."""
        adds = (more.version and not self.version) or (more.channel and not self.channel)
        return Said(
            _both(self.version, more.version),
            _both(self.channel, more.channel),
            (*self.by, *more.by) if adds else self.by,
        )


def _both(first: bool | None, second: bool | None) -> bool | None:
    if False in (first, second):
        return False
    return first if second is None else second


def of_run(run: WorkflowRun, others: Sequence[WorkflowRun], target: Target) -> Said:
    """What the run's own branch and title say. `others` are all runs of the workflow."""
    said = Said()
    if run.head_branch and (parsed := target.parse_release_branch(run.head_branch)):
        said = _said("head branch", [Version(parsed.version)], [parsed.channel], target)
    # Without a `run-name` every run has the workflow's own title, which says nothing of this one.
    if len({other.title for other in others}) > 1 or _TITLE.search(run.title):
        said = said.also(_said("title", _versions(_TITLE.findall(run.title)), channels_in(run.title, target), target))
    return said


def of_jobs(names: Iterable[str], target: Target) -> Said:
    """What the names of the jobs that ran say of the channel: `Production Release (PyPI)`."""
    found = {channel for name in names for channel in channels_in(name, target)}
    said = _said("job name", [], found, target)
    return Said(channel=True, by=said.by) if len(target.channels) == 1 and said.channel is None else said


def of_log(lines: Sequence[Line], target: Target) -> Said:
    """What the log says: by its release branch, else by the tag, version and files that it names."""
    texts = [line.text for line in lines if line.text and not _FETCHED.search(line.text)]
    branches = release_branches(texts, target)
    if len(branches) == 1:
        ((channel, version),) = branches
        return _said("log", [Version(version)], [channel], target)
    strong = _versions(found for text in texts for found in _PUBLISHED.findall(text))
    strong |= {v for text in texts for tag in _TAG.findall(text) if (v := target.version_of_tag(tag.strip("'")))}
    strong |= _built(texts, target)
    if not strong:
        stated = _versions(found for text in texts for found in _STATED.findall(text))
        # Many things have a version: another one than ours says nothing.
        strong = stated & {target.parsed_version}
    return _said("log", strong, named_channels(texts, target), target)


def release_branches(texts: Iterable[str], target: Target) -> set[tuple[str, str]]:
    """Channel and version of every release branch that the lines name."""
    prefix = target.branch_template.partition("{")[0]
    words = {word for text in texts if prefix in text for word in _WORD.findall(text) if prefix in word}
    parsed = (target.parse_release_branch(_BEFORE_A_BRANCH.sub("", word, count=1).rstrip(".:")) for word in words)
    return {(found.channel, found.version) for found in parsed if found}


def named_channels(texts: Iterable[str], target: Target) -> set[str]:
    """The channels that the lines name as where they publish to."""
    named = (found for text in texts for pattern in (_TO_CHANNEL, _ON_CHANNEL) for found in pattern.findall(text))
    return {channel for words in set(named) for channel in channels_in(words, target)}


def channels_in(text: str, target: Target) -> set[str]:
    """The channels that a text names in words: `Test Release (TestPyPI)`, `to test-pypi`."""
    return {found.lastgroup and _names(target)[int(found.lastgroup[1:])] or "" for found in _channels(target).finditer(text)}


def is_dry(text: str) -> bool:
    """Whether a title, a job's or step's name or a line of a log says that it is of a dry run."""
    return _DRY.search(text) is not None
