"""The table of settings: their names on the command line, in the environment and in the configuration file.

Imports only the standard library: the plugin needs it before anything else.
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
    """As typed; None if it is inferred or not set."""
    is_found: bool = False
    """Whether what the repository shows replaces the default."""

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
        """The attribute in pytest's options; prefixed, to differ from other plugins'."""
        return "release_state_" + self.key.replace("-", "_")


SETTINGS = (
    Setting(
        "package",
        "package name on the index (default: the name in the clone's pyproject.toml, setup.cfg or setup.py)",
        metavar="NAME",
    ),
    Setting("repository", "GitHub repository (default: from the remote's URL)", metavar="OWNER/NAME"),
    Setting("base-branch", "branch that releases merge into (default: the remote's default branch)"),
    Setting("remote", "remote of the clone", default="origin"),
    Setting("remote-url", "URL to read refs from (default: the remote's URL, else GitHub)", metavar="URL"),
    Setting(
        "tag-template",
        "tag name: {version}, {semver} or {underscored}, {package} (default: found out; without tags v{version})",
        default="v{version}",
        metavar="TEMPLATE",
        is_found=True,
    ),
    Setting(
        "branch-template",
        "release branch name: {version} or {semver}, {channel}, {package}",
        default="release/{channel}-v{version}",
        metavar="TEMPLATE",
    ),
    Setting(
        "title-template",
        "text in the title of the release pull request: {version} or {semver}, {channel}, {package}",
        default="Release v{version}",
        metavar="TEMPLATE",
    ),
    Setting(
        "workflow",
        "file name of the workflow that publishes; empty: none (default: found out)",
        default="release.yml",
        metavar="FILE",
        is_found=True,
    ),
    Setting(
        "process",
        "kind of process: tag, release, release-pull-request, dispatch; says what neither files nor a setting say "
        "(default: found out)",
        default="",
        metavar="KIND",
    ),
    Setting(
        "started-by",
        "what starts the upload: tag, release, dispatch, branch, pull-request, schedule, workflow (default: found out)",
        "list",
        default="",
        is_found=True,
    ),
    Setting(
        "makes",
        "what a run that publishes makes: tag, release, draft, pull-request, branch (default: found out; empty: none "
        "of them)",
        "list",
        default="",
        is_found=True,
    ),
    Setting(
        "expected-files",
        "kinds of files that a release publishes: sdist, wheel (default: found out; for a first version both)",
        "list",
        default="sdist,wheel",
        is_found=True,
    ),
    Setting(
        "expected-before-release",
        "what the base branch contains before a release: version, changelog (default: the version where a pushed tag "
        "or a GitHub Release starts the upload; empty: neither)",
        "list",
        default="",
    ),
    Setting("changelog", "path of the changelog in the repository", default="CHANGELOG.md", metavar="PATH"),
    Setting(
        "version-rules",
        "rules that compute the next version: semantic-release, commitizen, conventional, none, or auto (as the base "
        "branch configures)",
        default="auto",
        metavar="RULES",
    ),
    Setting("ci-required", "whether a commit without CI needs action: true or false", "flag", default="true"),
    Setting(
        "github-status-url",
        "GitHub's status page, a Statuspage site; empty: none (default: github.com's, for github.com)",
        metavar="URL",
    ),
    Setting(
        "index-status-url",
        "status page of the channel's index; empty: none (default: Python's, for PyPI and TestPyPI)",
        metavar="URL",
    ),
    Setting("lookup-timeout", "time limit for all look-ups, with retries", "seconds", default="60", metavar="SECONDS"),
    Setting("install-timeout", "time limit for the installation check", "seconds", default="120", metavar="SECONDS"),
    Setting(
        "install-size",
        "download and unpack limit of the installation check, in MiB",
        "mebibytes",
        default="2048",
        metavar="MIB",
    ),
    Setting(
        "keep-answers",
        "whether to cache answers and ask only for changes: true or false",
        "flag",
        default="true",
    ),
    Setting(
        "reports-dir",
        "folder for reports (default: a folder of the project in the user's state; RUNNER_TEMP in GitHub Actions; "
        "reports in the checkout of this suite)",
        metavar="DIR",
    ),
)


@dataclass(frozen=True)
class ChannelSetting:
    """A key of a channel: in `[tool.release-state.channels.NAME]`, as `--key NAME=VALUE`, and as a variable."""

    key: str
    help: str
    metavar: str

    @property
    def option(self) -> str:
        """The command-line option."""
        return f"--{self.key}"

    def variable(self, channel: str) -> str:
        """The environment variable for a channel."""
        return f"RELEASE_STATE_{self.key}_{channel}".upper().replace("-", "_")


CHANNEL_SETTINGS = (
    ChannelSetting("index-url", "read a channel from this Simple API", "CHANNEL=URL"),
    ChannelSetting(
        "leaves",
        "what a finished release leaves on GitHub: tag, release, pull-request; empty: nothing (default: found out for "
        "pypi, else nothing)",
        "CHANNEL=TRACES",
    ),
    ChannelSetting(
        "environment",
        "GitHub environment of the job that publishes to a channel; empty: none (default: found out)",
        "CHANNEL=NAME",
    ),
    ChannelSetting("dependencies-index-url", "where dependencies come from, a Simple API", "CHANNEL=URL"),
)


@dataclass(frozen=True)
class RunOption:
    """An option of the command line that no file has as a key."""

    key: str
    is_switch: bool = False
    """Whether it takes no value."""
    of_version: bool = False
    """Whether it applies only to the version that was given."""


RUN_OPTIONS = (
    RunOption("no-install", is_switch=True),
    RunOption("install-sdists", is_switch=True),
    RunOption("block-on-advice", is_switch=True),
    RunOption("wait", of_version=True),
    RunOption("plan", of_version=True),
    RunOption("phase", of_version=True),
    RunOption("built", of_version=True),
)

OWN_CHECKS = "checks"
"""The option for checks of one's own, repeatable; also `RELEASE_STATE_CHECKS`, and never in a file."""
PHASES = ("auto", "pre-release", "pre-publish", "post-recovery", "rollback")
PHASE_ALIASES = {"post-release": "post-recovery"}
"""Other names of phases on the command line."""
PLANS = ("auto", "complete", "rollback", "force-recovery")
DEFAULT_CHANNEL = "pypi"
VERSION_RULES = ("auto", "semantic-release", "commitizen", "conventional", "none")


def setting(key: str) -> Setting:
    """The setting of this key."""
    return next(setting for setting in SETTINGS if setting.key == key)
