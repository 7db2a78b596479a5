"""What is being released, where to, and what follows from that: tag, branch, title."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Literal
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.model.observation import Model
from release_state.model.process import PROCESS_WORDS, Made, Process, ProcessKind, ProcessWord, StartKind

Trace = Literal["tag", "release", "pull-request"]

KNOWN_TAG_TEMPLATES = (
    *("v{version}", "{version}", "V{version}", "release-{version}", "release/{version}"),
    *(f"{{package}}{between}{{version}}" for between in ("-", "-v", "/", "/v", "@", "@v", "==")),
    *("v.{version}", "version-{version}", "release_{version}", "rel-{version}", "{package}_{version}"),
    *("rel_{underscored}", "v{underscored}", "py-{version}", "py-v{version}", "python-{version}", "python-v{version}"),
)
"""Other spellings of tags in use, to find a tag that equals the version by PEP 440."""
_LONGEST_KEPT = 100
"""Characters of a version's text that is kept with what it spells."""


class Channel(Model):
    """A way to publish: an index, and what a release through it leaves behind."""

    name: str
    index_url: str
    """Root of the Simple API, with or without a trailing slash."""
    leaves: tuple[Trace, ...] = ()
    """What a finished release leaves on GitHub. Without a pull request the release branch is gone at the end."""
    environment: str | None = None
    """What the configuration says of the GitHub environment of the job that publishes; empty: none, None: nothing."""
    dependencies_index_url: str | None = None
    """The index for dependencies if this one holds only the package."""
    is_public_index: bool = False
    """PyPI or TestPyPI: a 404 of a project page is trusted to mean that it lists nothing."""


class ReleaseBranchName(Model):
    """A branch name that parses by the release-branch template."""

    name: str
    channel: str
    version: str
    """Normalized by PEP 440."""


class Target(Model, dict=True):
    """One version on one channel of one package, with the names that follow."""

    package: str
    repository: str
    """`owner/name` on GitHub."""
    version: str
    """Normalized by PEP 440."""
    channel: Channel
    channels: tuple[Channel, ...]
    """Every channel that the project defines."""
    base_branch: str | None = None
    """None: the remote's default branch."""
    remote: str = "origin"
    remote_url: str
    """The address for `git ls-remote`, without credentials."""
    clone: str | None = None
    """Absolute path of the local clone."""
    tag_template: str = "v{version}"
    branch_template: str = "release/{channel}-v{version}"
    title_template: str = "Release v{version}"
    """A pull request of the release has a title that contains this."""
    workflow: str = "release.yml"
    """File name of the release workflow; empty: none."""
    process: Process = Process()
    """What was found out about the process; empty before the remote and the workflow files have been read."""
    given: tuple[str, ...] = ()
    """The keys of the process that the configuration gives, so that nothing found out replaces them."""
    origins: tuple[tuple[str, str], ...] = ()
    """Where each of these keys comes from."""
    process_kind: ProcessKind | None = None
    """The setting `process`: the configured word for the kind of process."""
    started_by: tuple[StartKind, ...] = ()
    """What the configuration says to start the upload; empty: it is found out."""
    makes: tuple[Made, ...] = ()
    """What the configuration says a run makes besides the upload, if it gives `makes`."""
    expected_files: tuple[str, ...] = ("sdist", "wheel")
    expected_before_release: tuple[Literal["version", "changelog"], ...] = ()
    """What the base branch must declare before a release starts."""
    changelog: str = "CHANGELOG.md"
    version_rules: Literal["auto", "semantic-release", "commitizen", "conventional", "none"] = "auto"
    """The rules that compute the next version; "auto": those that the base branch configures."""
    ci_required: bool = True
    github_api: str
    github_web: str
    github_status_url: str | None = None
    """None: not asked."""
    index_status_url: str | None = None
    """The status page of the channel's index; None: not asked."""
    settings: tuple[tuple[str, str], ...] = ()
    """The settings that another run needs again: from the command line, the environment or a file that it would not
    find. By key, as typed, without credentials; `index-url` names the channel whose address was set."""
    reports_dir: str | None = None
    """Absolute path of the reports folder: the suite's own reports there do not count as changes of the clone."""

    @property
    def key(self) -> str:
        """The target in a word, unique in a run: `package==version@channel`."""
        return f"{self.name}=={self.version}@{self.channel.name}"

    @property
    def name(self) -> str:
        """The package's name, normalized by PEP 503."""
        return canonicalize_name(self.package)

    @cached_property
    def parsed_version(self) -> Version:
        """The version as a comparable object."""
        return Version(self.version)

    @property
    def tag(self) -> str:
        """The tag of this version: as the remote spells it, else as the template does."""
        return self.process.tag or self._fill(self.tag_template)

    @property
    def workflows(self) -> tuple[str, ...]:
        """File names of the workflows that publish, the release workflow first; empty: none."""
        named = (self.workflow, *(publisher.workflow for publisher in self.process.publishers))
        return tuple(dict.fromkeys(filter(None, named)))

    @property
    def process_word(self) -> ProcessWord:
        """What the configured word for the process stands for; nothing without one."""
        return PROCESS_WORDS[self.process_kind] if self.process_kind else ProcessWord()

    def list_asked(self) -> tuple[Trace, ...]:
        """Return the traces that the word for the process asks for, on a channel that has them by default."""
        return tuple(trace for trace in self.channel.leaves if trace in self.process_word.leaves)

    @property
    def release_branch(self) -> str:
        """The release branch of this version and channel."""
        return self._fill(self.branch_template)

    @property
    def pull_title(self) -> str:
        """The text that the title of the release pull request contains."""
        return self._fill(self.title_template)

    @property
    def index_page(self) -> str:
        """The page of the version for a person: on PyPI and TestPyPI a web page, elsewhere the Simple page."""
        return f"{self.project_page}{self.version}/" if self.channel.is_public_index else self.project_page

    @property
    def project_page(self) -> str:
        """The page of the project for a person, as `index_page` is that of the version."""
        root = self.channel.index_url.rstrip("/")
        return (
            f"{root.removesuffix('/simple')}/project/{self.name}/"
            if self.channel.is_public_index
            else f"{root}/{self.name}/"
        )

    @property
    def web(self) -> str:
        """The page of the repository."""
        return f"{self.github_web}/{self.repository}"

    def tag_for(self, version: str) -> str:
        """Return the tag of a version."""
        return self.tag if version == self.version else self._fill(self.tag_template, version)

    def release_branch_for(self, version: str, channel: str) -> str:
        """Return the release branch of another version or channel."""
        return self._fill(self.branch_template, version, channel)

    def _fill(self, template: str, version: str | None = None, channel: str | None = None) -> str:
        text = version or self.version
        values = {"version": text, "channel": channel or self.channel.name, "package": self.package}
        values["semver"], values["underscored"] = format_semver(text), text.replace(".", "_")
        return re.sub(r"\{(version|semver|underscored|channel|package)\}", lambda found: values[found[1]], template)

    def parse_tag(self, tag: str) -> Version | None:
        """Return the version that a tag names by the template or a known spelling; None for a sibling's tag."""
        found = self.parse_tag_spelling(tag)
        return found[1] if found else None

    def parse_tag_spelling(self, tag: str) -> tuple[str, Version] | None:
        """Return the template by which a tag names a version of this package, and that version; as `parse_tag`."""
        # Cached: each of thousands of tags is parsed many times.
        if tag not in self._spellings:
            self._spellings[tag] = self._parse_spelling(tag)
        return self._spellings[tag]

    def _parse_spelling(self, tag: str) -> tuple[str, Version] | None:
        for template, pattern in self.tag_patterns:
            if (found := pattern.fullmatch(tag)) and (version := _read_number(found["version"], template)):
                letter = found["version"][0]  # PEP 440 reads a leading v as well, so that {version} takes v1.0 too
                return (template.replace("{version}", f"{letter}{{version}}") if letter in "vV" else template), version
        return None

    def is_version_named_by(self, tag: str) -> bool:
        """Return whether a tag names this version in any spelling; one with fewer numbers is a moving tag."""
        version = self.parse_tag(tag)
        return version is not None and names_version(version, self.parsed_version)

    def names_package(self, template: str) -> bool:
        """Return whether a tag template holds the package's name, as a placeholder or written out."""
        bare = re.sub(r"\{(version|semver|underscored)\}", "", template)
        words = re.split("[^a-z0-9]+", bare.replace("{package}", self.name).lower())
        return f"-{self.name}-" in f"-{'-'.join(words)}-"

    def parse_release_branch(self, name: str) -> ReleaseBranchName | None:
        """Channel and version of a release branch; None where the name does not parse by the template."""
        if (found := self._branch_pattern.fullmatch(name)) and (version := parse_version(found["version"])):
            channel = found.groupdict().get("channel", self.channel.name)
            return ReleaseBranchName(name=name, channel=channel, version=str(version))
        return None

    def is_lasting(self, branch: str, default_branch: str | None) -> bool:
        """Whether a branch is the base or the remote's default one: never a release branch, whatever its name says."""
        return branch in (self.base_branch, default_branch)

    def find_channel(self, name: str) -> Channel | None:
        """Return the project's channel of this name."""
        return next((channel for channel in self.channels if channel.name == name), None)

    @cached_property
    def _spellings(self) -> dict[str, tuple[str, Version] | None]:
        return _share_spellings(self.tag_patterns)

    @cached_property
    def tag_patterns(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """The templates of tags, the project's own first, each with its pattern."""
        templates = dict.fromkeys((self.tag_template, *KNOWN_TAG_TEMPLATES))
        return tuple((template, self._pattern(template)) for template in templates)

    @cached_property
    def _branch_pattern(self) -> re.Pattern[str]:
        return self._pattern(self.branch_template)

    def _pattern(self, template: str) -> re.Pattern[str]:
        # PEP 503: a name may be spelt with any run of -, _ and . and in any case of ASCII.
        package = "[-_.]+".join(f"(?ai:{re.escape(part)})" for part in self.name.split("-"))
        names = "|".join(re.escape(channel.name) for channel in self.channels)
        number = "(?P<version>[^/]+)"
        parts = {"{version}": number, "{semver}": number, "{underscored}": number}
        parts |= {"{channel}": f"(?P<channel>{names})", "{package}": package}
        seen: set[str] = set()
        pattern = ""
        for piece in re.split(r"(\{(?:version|semver|underscored|channel|package)\})", template):
            if piece in parts and piece in seen and piece != "{package}":
                pattern += f"(?P={piece[1:-1]})"
            else:
                pattern += parts.get(piece, re.escape(piece))
                seen.add(piece)
        return re.compile(pattern)


def parse_repository(url: str, web: str) -> str | None:
    """`owner/name` of a remote's URL on the GitHub host at `web`, https and ssh spellings; None for anything else."""
    try:
        host = urlsplit(web).hostname or ""
        parts = urlsplit(url)
    except ValueError:  # reported later, if the run would use this address
        return None
    if "://" in url:
        found_host, path = parts.hostname or "", parts.path
    else:
        found_host, _, path = url.rpartition("@")[2].partition(":")
    path = path.strip("/").removesuffix(".git")
    ours = found_host.lower() in (host.lower(), f"ssh.{host.lower()}")
    return path if ours and path.count("/") == 1 else None


def count_numbers(version: Version, published: Iterable[Version]) -> int:
    """Return how many release numbers a tag of a version has at least: `--version 1.2.0` may be the index's 1.2.

    As many as the index spells it with; before it is published, no more than any published version has.
    """
    own, most = len(version.release), 0
    for each in published:
        if each == version:
            return len(each.release)
        most = max(most, len(each.release))
    return min(own, most or own)


def names_version(spelled: Version, version: Version, numbers: int | None = None) -> bool:
    """Return whether what a tag spells names a version: it equals it, with at least as many release numbers.

    A moving `v9` is not 9.0.0. `numbers` is their least count, if it is not the version's own.
    """
    return spelled == version and len(spelled.release) >= (numbers or len(version.release))


_SEMANTIC = {"a": "alpha", "b": "beta", "rc": "rc"}


def format_semver(text: str) -> str:
    """Return a PEP 440 version as python-semantic-release writes it: `0.2.0-rc.1`. Other text stays as it is."""
    version = parse_version(text)
    if version is None:
        return text
    numbers = ".".join(map(str, [*version.release, 0, 0][: max(3, len(version.release))]))
    epoch = f"{version.epoch}!" if version.epoch else ""
    before = f"-{_SEMANTIC[version.pre[0]]}.{version.pre[1]}" if version.pre else ""
    after = f".post{version.post}" if version.post is not None else ""
    unfinished = f"{'.' if before else '-'}dev.{version.dev}" if version.dev is not None else ""
    build = f"+{version.local}" if version.local else ""
    return f"{epoch}{numbers}{before}{after}{unfinished}{build}"


def _read_number(text: str, template: str) -> Version | None:
    return parse_version(text.replace("_", ".") if "{underscored}" in template else text)


@lru_cache(maxsize=16)
def _share_spellings(patterns: tuple[tuple[str, re.Pattern[str]], ...]) -> dict[str, tuple[str, Version] | None]:
    """What each tag spells by these patterns, shared: most targets of a run differ in something else."""
    return {}


def read_version(text: str) -> Version:
    """Return the PEP 440 version of a text that spells one, such as a version of the index. Raises InvalidVersion."""
    return parse_version(text) or Version(text)


def parse_version(text: str) -> Version | None:
    """Return the PEP 440 version that the text spells, None where it spells none."""
    return _parse_cached(text) if len(text) <= _LONGEST_KEPT else _parse_cached.__wrapped__(text)


@lru_cache(maxsize=2**15)
def _parse_cached(text: str) -> Version | None:
    # Cached: tags of the remote and of the clone, files and the index spell the same thousands of versions.
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, and what int() says of thousands of digits
        return None
