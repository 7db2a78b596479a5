"""The settings of a run, in one table: what the command line, the environment and the configuration file call them.

Imports the standard library alone: the plugin needs it before anything else of the package can be relied on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "list", "flag", "seconds", "mebibytes"]


@dataclass(frozen=True)
class Setting:
    """One setting: `key` in `[tool.release-state]`, `--key` on the command line, `RELEASE_STATE_KEY` as a variable."""

    key: str
    help: str
    kind: Kind = "text"
    metavar: str | None = None
    default: str | None = None
    """As it would be typed; None where it is inferred or simply not set."""

    @property
    def option(self) -> str:
        """The command-line option."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "RELEASE_STATE_" + self.key.upper().replace("-", "_")

    @property
    def dest(self) -> str:
        """The attribute of pytest's option namespace: prefixed, so that it meets no other plugin's."""
        return "release_state_" + self.key.replace("-", "_")


SETTINGS = (
    Setting("package", "name of the package on the index (default: [project] name of the clone)", metavar="NAME"),
    Setting("repository", "repository on GitHub (default: from the remote's URL)", metavar="OWNER/NAME"),
    Setting("base-branch", "branch that releases are merged into (default: the remote's default branch)"),
    Setting("remote", "name of the clone's remote", default="origin"),
    Setting("remote-url", "URL that refs are read from (default: the remote's URL, else GitHub)", metavar="URL"),
    Setting(
        "tag-template", "spelling of tags: {version} or {semver}, {package}", default="v{version}", metavar="TEMPLATE"
    ),
    Setting(
        "branch-template",
        "spelling of release branches: {version} or {semver}, {channel}, {package}",
        default="release/{channel}-v{version}",
        metavar="TEMPLATE",
    ),
    Setting(
        "title-template",
        "what the title of the release pull request contains: {version} or {semver}, {channel}, {package}",
        default="Release v{version}",
        metavar="TEMPLATE",
    ),
    Setting("workflow", "file name of the release workflow; empty: none", default="release.yml", metavar="FILE"),
    Setting("expected-files", "kinds of file that a release publishes: sdist, wheel", "list", default="sdist,wheel"),
    Setting(
        "expected-before-release",
        "what the base branch holds before a release starts: version, changelog (default: neither)",
        "list",
        default="",
    ),
    Setting("changelog", "path of the changelog in the repository", default="CHANGELOG.md", metavar="PATH"),
    Setting(
        "version-rules",
        "what works the next version out: semantic-release, commitizen, conventional, none, or auto: what the base "
        "branch configures",
        default="auto",
        metavar="RULES",
    ),
    Setting("ci-required", "whether a commit without any CI needs action: true or false", "flag", default="true"),
    Setting(
        "github-status-url",
        "GitHub's status page, a Statuspage site; empty: none is asked (default: that of github.com, for github.com)",
        metavar="URL",
    ),
    Setting(
        "index-status-url",
        "the status page of the channel's index; empty: none is asked (default: Python's, for PyPI and TestPyPI)",
        metavar="URL",
    ),
    Setting("lookup-timeout", "limit of all look-ups, retries included", "seconds", default="60", metavar="SECONDS"),
    Setting("install-timeout", "limit of the installation check", "seconds", default="120", metavar="SECONDS"),
    Setting(
        "install-size",
        "most that the installation check may download and unpack, in MiB",
        "mebibytes",
        default="2048",
        metavar="MIB",
    ),
    Setting(
        "keep-answers",
        "whether answers are kept, to be asked for only if changed: true or false",
        "flag",
        default="true",
    ),
    Setting("reports-dir", "folder of the reports", default="reports", metavar="DIR"),
)


@dataclass(frozen=True)
class RunOption:
    """An option of the command line alone, which says how a run is made: neither a file nor a variable has it."""

    key: str
    is_switch: bool = False
    """Whether it takes no value."""
    of_version: bool = False
    """Whether it was meant for the version that was asked for, and for no other."""


RUN_OPTIONS = (
    RunOption("no-install", is_switch=True),
    RunOption("install-sdists", is_switch=True),
    RunOption("block-on-advice", is_switch=True),
    RunOption("wait", of_version=True),
    RunOption("plan", of_version=True),
    RunOption("phase", of_version=True),
)

PHASES = ("auto", "pre-release", "post-recovery", "rollback")
PLANS = ("auto", "complete", "rollback", "force-recovery")
DEFAULT_CHANNEL = "pypi"
VERSION_RULES = ("auto", "semantic-release", "commitizen", "conventional", "none")


def setting(key: str) -> Setting:
    """The setting of this key."""
    return next(setting for setting in SETTINGS if setting.key == key)
