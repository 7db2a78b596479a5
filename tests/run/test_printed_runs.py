"""A printed `release-state` is the run that printed it, in whatever folder it is typed: of every setting."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from _pytest.config.argparsing import Parser
from msgspec import structs

from release_state.observe.git.reader import find_repository
from release_state.plan.steps.commands import suite_command
from release_state.report.script import render_script
from release_state.run.options import add_options, arguments_of
from release_state.settings.config import Arguments, RunConfig, load
from release_state.settings.options import CHANNEL_SETTINGS, OWN_CHECKS, RUN_OPTIONS, SETTINGS, Setting, setting
from tests.support import states as s
from tests.support.judged import verdict_of

SAID: dict[str, str] = {
    "package": "comet",
    "repository": "octo/comet",
    "base-branch": "it's$(id)&develop",
    "remote": "upstream",
    "remote-url": "https://git.example/octo/orbit.git",
    "tag-template": "{package} {version}".replace(" ", "-"),
    "branch-template": "prepare/{version}",
    "title-template": "It's “{version}” on $(channel)",
    "workflow": "publish.yml",
    "process": "release-pull-request",
    "started-by": "dispatch",
    "makes": "tag,pull-request",
    "expected-files": "wheel",
    "expected-before-release": "version,changelog",
    "changelog": "docs/What's new.md",
    "version-rules": "commitizen",
    "ci-required": "false",
    "github-status-url": "https://status.example/github",
    "index-status-url": "",
    "lookup-timeout": "31",
    "install-timeout": "32",
    "install-size": "33",
    "keep-answers": "false",
    "reports-dir": "reports of mine",
}
"""For each setting a value that is not the default one. A new setting needs one here."""
ASKED: dict[str, tuple[str, ...]] = {
    "no-install": ("--no-install",),
    "install-sdists": ("--install-sdists",),
    "block-on-advice": ("--block-on-advice",),
    "wait": ("--wait", "45"),
    "plan": ("--plan", "rollback"),
    "phase": ("--phase", "post-recovery"),
    "built": ("--built", "/usr"),
}
NOT_REPEATED = {
    # Always named, or where they are not usual.
    *("version", "channel", "repo", "github_api_url", "github_server_url"),
    *("script", "save_snapshot", "snapshot", "demo", "show_config", "project_list"),  # what another kind of run is
}


def parsed(command: list[str] | tuple[str, ...]) -> Arguments:
    """The command as the suite itself reads it."""
    assert command[0] == "release-state"
    parser = Parser(_ispytest=True)
    add_options(parser.getgroup("release-state"))
    return arguments_of(cast("pytest.Config", SimpleNamespace(option=parser.parse(list(command[1:])))))


def run_of(folder: Path, words: tuple[str, ...] = (), environ: Mapping[str, str] | None = None) -> RunConfig:
    base = ("release-state", "--version", "0.2.0", "--package", "orbit", "--repository", "octo/orbit")
    return load(parsed((*base, *words)), environ or {}, folder, find_repository)


def again(config: RunConfig, folder: Path) -> RunConfig:
    """The run that the printed command makes, in another folder and without the environment."""
    folder.mkdir(exist_ok=True)
    line = shlex.join(suite_command(config.targets[0]))
    return load(parsed(shlex.split(line)), {}, folder, find_repository)


def assert_same(one: RunConfig, other: RunConfig) -> None:
    """Both runs do the same; reports go where each is typed, unless it was said where."""
    is_said = any(key == "reports-dir" for key, _ in other.targets[0].settings)
    unlike = {"values", "channel_values", "targets", "clone", "lends_token"} | (set() if is_said else {"reports_dir"})
    fields = {field.name for field in structs.fields(RunConfig)} - unlike
    assert {name: getattr(one, name) for name in fields} == {name: getattr(other, name) for name in fields}
    for mine, yours in zip(one.targets, other.targets, strict=True):
        left_out = {"settings": None, "origins": None, **({} if is_said else {"reports_dir": None})}
        assert {**structs.asdict(mine), **left_out} == {**structs.asdict(yours), **left_out}


def clone_with(folder: Path, table: str) -> Path:
    """A clone of the repository, with a table of settings."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f"[project]\nname = 'orbit'\n{table}")
    for command in (["init", "--quiet"], ["remote", "add", "origin", "https://github.com/octo/orbit.git"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("each", SETTINGS, ids=lambda each: each.key)
def test_a_setting_of_the_command_line_is_repeated(each: Setting, tmp_path: Path) -> None:
    assert SAID[each.key] != each.default
    (tmp_path / "here").mkdir()
    config = run_of(tmp_path / "here", (each.option, SAID[each.key]))
    assert_same(again(config, tmp_path / "there"), config)
    usual = run_of(tmp_path / "here")
    assert each.option in suite_command(config.targets[0])
    assert each.key in ("package", "repository") or each.option not in suite_command(usual.targets[0])


@pytest.mark.parametrize("each", SETTINGS, ids=lambda each: each.key)
def test_a_setting_of_the_environment_is_repeated(each: Setting, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    arguments = Arguments(versions=("0.2.0",), settings={"package": "orbit", "repository": "octo/orbit"})
    settings = {key: text for key, text in arguments.settings.items() if key != each.key}
    given = structs.replace(arguments, settings=settings)
    config = load(given, {each.variable: SAID[each.key]}, tmp_path / "here", find_repository)
    assert_same(again(config, tmp_path / "there"), config)


def _toml(each: Setting) -> str:
    text = SAID[each.key]
    if each.kind == "list":
        return f"{each.key} = {text.split(',')}"
    if each.kind != "text":
        return f"{each.key} = {text}"
    return f"{each.key} = '''{text}'''"


@pytest.mark.parametrize("each", [each for each in SETTINGS if each.key != "remote"], ids=lambda each: each.key)
def test_a_setting_of_a_file_that_is_not_found_again_is_repeated(each: Setting, tmp_path: Path) -> None:
    """That of a folder which is no clone of the repository."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "pyproject.toml").write_text(f"[tool.release-state]\n{_toml(each)}\n")
    settings = {"package": "orbit", "repository": "octo/orbit"}
    settings = {key: text for key, text in settings.items() if key != each.key}
    config = load(Arguments(versions=("0.2.0",), settings=settings), {}, tmp_path / "here", find_repository)
    assert_same(again(config, tmp_path / "there"), config)


IN_A_CLONE = [each for each in SETTINGS if each.key not in ("repository", "remote", "reports-dir")]
"""The others make it no clone of the repository, or go by where the command is typed."""


@pytest.mark.parametrize("each", IN_A_CLONE, ids=lambda each: each.key)
def test_a_setting_of_the_clones_file_is_found_again_or_repeated(each: Setting, tmp_path: Path) -> None:
    clone = clone_with(tmp_path / "clone", f"[tool.release-state]\n{_toml(each)}\n")
    config = load(Arguments(versions=("0.2.0",)), {}, clone, find_repository)
    assert config.targets[0].clone == str(clone)
    assert_same(again(config, tmp_path / "there"), config)


def test_a_channel_of_a_list_is_defined_again(tmp_path: Path) -> None:
    own = {"index-url": "https://packages.example/simple/", "leaves": ["tag"], "environment": ""}
    own |= {"dependencies-index-url": "https://d/x/"}
    table = {
        "package": "orbit",
        "repository": "octo/orbit",
        "channels": {"internal": own, "other": {**own, "leaves": []}},
    }
    given = Arguments(versions=("0.2.0",), channels=("internal",))
    config = load(given, {}, tmp_path, find_repository, listed=(table, "projects.toml"))
    assert_same(again(config, tmp_path / "there"), config)


def test_what_was_said_wins_over_the_clones_file_again(tmp_path: Path) -> None:
    """The default value too, where the file has another."""
    clone = clone_with(tmp_path / "clone", "[tool.release-state]\nci-required = false\nlookup-timeout = 7\n")
    words = ("--ci-required", "true", "--lookup-timeout", "60", "--repo", str(clone))
    config = run_of(tmp_path, words)
    assert config.targets[0].ci_required
    there = again(config, tmp_path / "there")
    assert there.targets[0].ci_required
    assert there.lookup_timeout == 60


@pytest.mark.parametrize("option", RUN_OPTIONS, ids=lambda option: option.key)
def test_how_a_run_was_made_is_repeated(option: Any, tmp_path: Path) -> None:
    config = run_of(tmp_path, ASKED[option.key])
    assert_same(again(config, tmp_path / "there"), config)
    usual = run_of(tmp_path)
    assert ASKED[option.key][0] not in suite_command(usual.targets[0])
    other = suite_command(config.targets[0], "0.3.0")
    assert (ASKED[option.key][0] in other) is not option.of_version


def test_built_files_are_named_again_only_before_a_release(tmp_path: Path) -> None:
    target = run_of(tmp_path, ("--built", "/usr")).targets[0]
    assert "--built" in suite_command(target, phase="pre-release")
    assert "--built" not in suite_command(target, phase="post-release")
    inside = run_of(tmp_path, ("--built", "/usr", "--phase", "pre-publish")).targets[0]
    assert "--built" not in suite_command(inside), "the folder is of that run"


def test_every_option_is_repeated_or_has_a_reason_not_to_be() -> None:
    parser = Parser(_ispytest=True)
    add_options(parser.getgroup("release-state"))
    options = {name.removeprefix("release_state_") for name in vars(parser.parse([])) if "release_state" in name}
    known = {each.key.replace("-", "_") for each in (*SETTINGS, *RUN_OPTIONS, *CHANNEL_SETTINGS)} | {OWN_CHECKS}
    assert options - known == NOT_REPEATED, "a new option: repeat it, by release_state/settings/options.py"
    assert set(SAID) == {each.key for each in SETTINGS}
    assert set(ASKED) == {each.key for each in RUN_OPTIONS}


def test_an_index_that_was_said_is_named_again(tmp_path: Path) -> None:
    """Also the usual one, which the project's file may replace."""
    usual = run_of(tmp_path).channels["pypi"].index_url
    assert "--index-url" not in suite_command(run_of(tmp_path).targets[0])
    for config in (
        run_of(tmp_path, ("--index-url", f"pypi={usual}")),
        run_of(tmp_path, (), {"RELEASE_STATE_INDEX_URL_PYPI": usual}),
    ):
        command = suite_command(config.targets[0])
        assert command[command.index("--index-url") + 1] == f"pypi={usual}"


def test_what_was_said_of_a_channel_is_said_again(tmp_path: Path) -> None:
    assert not {"--leaves", "--environment", "--dependencies-index-url"} & set(
        suite_command(run_of(tmp_path).targets[0])
    )
    url = "https://index.example/all/"
    typed = (
        *("--leaves", "pypi=tag,release", "--leaves", "testpypi=", "--dependencies-index-url", f"testpypi={url}"),
        *("--environment", "pypi=live", "--environment", "testpypi="),
    )
    environ = {
        "RELEASE_STATE_LEAVES_PYPI": "tag,release",
        "RELEASE_STATE_LEAVES_TESTPYPI": "",
        "RELEASE_STATE_ENVIRONMENT_PYPI": "live",
        "RELEASE_STATE_ENVIRONMENT_TESTPYPI": "",
        "RELEASE_STATE_DEPENDENCIES_INDEX_URL_TESTPYPI": url,
    }
    for config in (run_of(tmp_path, typed), run_of(tmp_path, (), environ)):
        target = config.targets[0]
        keys = [f"channels.{name}.{key}" for key in ("leaves", "environment") for name in ("pypi", "testpypi")]
        assert target.given == tuple(keys)
        assert (target.channel.environment, config.channels["testpypi"].environment) == ("live", "")
        assert target.channel.leaves == ("tag", "release")
        assert config.channels["testpypi"].dependencies_index_url == url
        assert_same(again(config, tmp_path / "there"), config)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "pyproject.toml").write_text("[tool.release-state.channels.pypi]\nleaves = ['tag']\n")
    config = run_of(tmp_path / "here")
    assert_same(again(config, tmp_path / "there"), config)


SECRET = "s3cr3t-of-somebody"


def test_no_secret_is_repeated(tmp_path: Path) -> None:
    login = f"https://me:{SECRET}@"
    config = run_of(
        tmp_path,
        ("--remote-url", f"{login}git.example/octo/orbit.git", "--index-url", f"pypi={login}index.example/simple/"),
        {"GITHUB_TOKEN": SECRET},
    )
    assert SECRET not in " ".join(suite_command(config.targets[0]))
    assert SECRET not in msgspec.json.encode(config.targets[0]).decode()
    assert config.remote_url.startswith(login), "the run itself needs it"


def test_another_way_replaces_what_was_asked() -> None:
    target = s.target(settings=(("plan", "complete"), ("phase", "post-recovery"), ("wait", "30"), ("no-install", "")))
    assert suite_command(target)[-7:] == [
        "--no-install",
        "--wait",
        "30",
        "--plan",
        "complete",
        "--phase",
        "post-recovery",
    ]
    words = suite_command(target, plan="rollback")
    assert words.count("--plan") == 1
    assert words[words.index("--plan") + 1] == "rollback"
    assert suite_command(target, "0.2.1", phase="pre-release")[-3:] == ["--no-install", "--phase", "pre-release"]


def test_now_verify_has_the_settings() -> None:
    target = s.target(
        expected_files=("wheel",),
        title_template="It's {version}",
        ci_required=False,
        base_branch="main",
        given=("expected-files",),
        settings=(("lookup-timeout", "31"),),
    )
    text = render_script([verdict_of(s.ready(target=target, remote=s.remote(s.branch())))])
    (line,) = (line for line in text.splitlines() if line.startswith("say 'verify: "))
    words = shlex.split(shlex.split(line)[1].partition(": ")[2])
    assert words == suite_command(target)
    for option, value in (("expected-files", "wheel"), ("title-template", "It's {version}"), ("ci-required", "false")):
        assert words[words.index(setting(option).option) + 1] == value
