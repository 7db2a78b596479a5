"""Which version and channel a release run was for: GitHub does not keep the inputs of a run (pure).

The run's branch, title, job names and log may each confirm or deny either; a denial by one of them decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.facts.logs.lines import Line
from release_state.model.snapshot import WorkflowRun
from release_state.model.target import Target, parse_version

_VERSION = r"v?(\d[\w.+!-]{0,60})"
_WORD = re.compile(r"[^\s'\"`,;()<>|]{1,300}")
_REF_PREFIX = re.compile(r"(?:HEAD:|refs/heads/|refs/remotes/|remotes/|origin/)+")
# Output of a fetch or a listing: it names every branch and tag of the remote.
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
    r"\b(?:target_environment|channel|environment|index)['\"]?\s?[:=]\s?['\"]?(\S{1,60})|\b(?:already exists on"
    r"|publish(?:ing|ed)? to|upload(?:ing|ed)?(?: distributions)? to|releas(?:e|ing|ed) to) (.{1,30})",
    re.I,
)
_DRY_INPUT = re.compile(r"(?<![a-z0-9-])dry[ _-]?run['\"]?\s?[:=]\s?['\"]?(?:true|yes|on|1)\b", re.I)
_DRY = re.compile(r"(?<![a-z0-9-])(?<!not a )(?<!no )(?<!without )dry[ _-]?run\b(?!['\"]?\s?[:=])", re.I)


class Attribution(Struct, frozen=True):
    """Whether a run is of the target's version and channel (None: unknown), and the sources that confirm it."""

    version: bool | None = None
    channel: bool | None = None
    by: tuple[str, ...] = ()

    @classmethod
    def from_names(cls, source: str, versions: set[Version], channels: set[str], target: Target) -> Attribution:
        """The attribution by the versions and channels that a source names."""
        version, channel = _is_named(target.parsed_version, versions), _is_named(target.channel.name, channels)
        return cls(version, channel, (source,) if version or channel else ())

    @property
    def is_ours(self) -> bool:
        """Whether it is known to be of this version and channel."""
        return bool(self.version and self.channel)

    @property
    def is_other(self) -> bool:
        """Whether it is known to be of another version or channel."""
        return False in (self.version, self.channel)

    def combine(self, more: Attribution) -> Attribution:
        """Both together."""
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


def _is_named(own: object, names: set[Version] | set[str]) -> bool | None:
    """Whether the target's own is named; None if nothing is named, or its own beside others."""
    return None if not names or (own in names and len(names) > 1) else own in names


def attribute_run(run: WorkflowRun, runs: Sequence[WorkflowRun], target: Target) -> Attribution:
    """The attribution by a run's branch and title; `runs` are all runs of the workflow."""
    by_branch = Attribution()
    if run.head_branch and (parsed := target.parse_release_branch(run.head_branch)):
        by_branch = Attribution.from_names("head branch", {Version(parsed.version)}, {parsed.channel}, target)
    elif run.head_branch and run.event in ("push", "release", "create") and target.process.starts:
        # A run that a tag or its GitHub Release started has the tag for its branch, and publishes this one version.
        named, publishes = target.parse_tag(run.head_branch), run.workflow in target.workflows
        if named is not None and target.process.is_started_by("tag", "release"):
            by_branch = Attribution.from_names(
                "head branch", {named}, {target.channel.name} if publishes else set(), target
            )
    if run.event != "workflow_dispatch":
        return by_branch  # the title is that of a commit or a pull request: untrusted text about anything
    versions = _versions(_TITLE.findall(run.title)) or _versions(_ANY.findall(run.title)) & {target.parsed_version}
    # Without a `run-name`, all runs have the workflow's own title.
    has_own_title = len({other.title for other in runs}) > 1
    channels = match_channels(run.title, target) if has_own_title else set()
    return by_branch.combine(Attribution.from_names("title", versions, channels, target))


def attribute_jobs(names: Iterable[str], target: Target) -> Attribution:
    """The attribution to a channel by the names of the jobs that ran: `Production Release (PyPI)`."""
    channels = {channel for name in names for channel in match_channels(name, target)}
    by_name = Attribution.from_names("job name", set(), channels, target)
    return Attribution(channel=True) if len(target.channels) == 1 and by_name.channel is None else by_name


def attribute_log(lines: Sequence[Line], target: Target) -> Attribution:
    """The attribution by the only release branch in the log, else by tag, version and files."""
    texts = select_specific(lines)
    branches = find_release_branches(texts, target)
    if len(branches) == 1:
        ((channel, version),) = branches
        return Attribution.from_names("log", {Version(version)}, {channel}, target)
    versions = find_versions(texts, target)
    if not versions:
        # Many things have a version: another one denies nothing.
        versions = _versions(found for text in texts for found in _STATED.findall(text)) & {target.parsed_version}
    return Attribution.from_names("log", versions, find_channels(texts, target), target)


def select_specific(lines: Iterable[Line]) -> list[str]:
    """The lines that may name one version: not listings of the remote's refs."""
    return [line.text for line in lines if line.text and not _LISTED.search(line.text)]


def find_release_branches(texts: Iterable[str], target: Target) -> set[tuple[str, str]]:
    """Channel and version of all release branches in the lines."""
    prefix = target.branch_template.partition("{")[0]
    words = {word for text in texts if prefix in text for word in _WORD.findall(text) if prefix in word}
    parsed = (target.parse_release_branch(_REF_PREFIX.sub("", word, count=1).rstrip(".:")) for word in words)
    return {(found.channel, found.version) for found in parsed if found}


def find_versions(texts: Sequence[str], target: Target) -> set[Version]:
    """The tagged, published or built versions that the lines name."""
    stated = _versions(version for text in texts for version in _PUBLISHED.findall(text))
    tags = (target.parse_tag(tag) for text in texts for tag in _TAG.findall(text))
    named_files = (text for text in texts if ".whl" in text or ".tar.gz" in text or ".zip" in text)
    files = (file for text in named_files for file in _FILE.findall(text))
    built = _versions(version for name, version in files if canonicalize_name(name) == target.name)
    return stated | built | {version for version in tags if version}


def find_channels(texts: Iterable[str], target: Target) -> set[str]:
    """The channels that the lines publish to."""
    phrases = {"".join(groups) for text in texts for groups in _CHANNEL.findall(text)}
    return {channel for words in phrases for channel in match_channels(words, target)}


def match_channels(text: str, target: Target) -> set[str]:
    """The channels that a text names: `Test Release (TestPyPI)`, `to test-pypi`, an upload address."""
    names, pattern = _channel_pattern(tuple(channel.name for channel in target.channels))
    return {names[(found.lastindex or 1) - 1] for found in pattern.finditer(text)}


@lru_cache(maxsize=64)
def _channel_pattern(names: tuple[str, ...]) -> tuple[list[str], re.Pattern[str]]:
    # The longest first: the `pypi` of `test-pypi` is not the other channel.
    ordered = sorted(names, key=len, reverse=True)
    spelt = []
    for name in ordered:
        tail = next((other for other in ordered if other != name and name.endswith(other)), "")
        parts = [*re.split(r"[-_. ]+", name.removesuffix(tail).rstrip("-_. ")), *filter(None, [tail])]
        spelt.append(f"({'[-_. ]?'.join(map(re.escape, filter(None, parts)))})")
    return ordered, re.compile(rf"(?<![a-z0-9])(?:{'|'.join(spelt)})(?![a-z0-9])", re.I)


def is_dry_name(name: str) -> bool:
    """Whether a title or a job's name is that of a dry run."""
    return _DRY.search(name) is not None or _DRY_INPUT.search(name) is not None


def is_dry_log(lines: Iterable[Line], *, published_nothing: bool) -> bool:
    """Whether the log is of a dry run: by an input, or by a mention if the run `published_nothing`.

    A mention alone is not enough: some releases compute their version in a dry run of another tool.
    """
    output = [line.text for line in lines if not line.is_script]
    return any(_DRY_INPUT.search(text) or (published_nothing and _DRY.search(text)) for text in output)


def _versions(texts: Iterable[str]) -> set[Version]:
    found = (parse_version(text.rstrip(".-+!")) for text in set(texts))
    return {version for version in found if version}
