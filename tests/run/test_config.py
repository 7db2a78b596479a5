"""Where each setting comes from, what may stand there, and that no secret is shown."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from release_state.common.errors import UsageProblem
from release_state.observe.from_clone import CloneProcess
from release_state.observe.git.reader import find_repository
from release_state.observe.token import find_token
from release_state.plan.steps.commands import gh
from release_state.report.configuration import show
from release_state.settings.config import Arguments, RunConfig, load
from release_state.settings.names import find_name
from release_state.settings.options import CHANNEL_SETTINGS, SETTINGS, Setting
from tests.support.cli import suite

SECRET = "s3cr3t-never-shown"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`insteadOf` and `safe.directory` of whoever runs the tests are no part of them."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def clone(folder: Path, remote_url: str | None, table: str = "", project: str = "orbit") -> Path:
    """A repository with a remote and a pyproject.toml."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    if remote_url:
        git(folder, "remote", "add", "origin", remote_url)
    text = f'[project]\nname = "{project}"\n[tool.release-state]\n{table}\n'
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def loaded(
    cwd: Path, environ: Mapping[str, str] | None = None, repo: Path | str | None = None, **arguments: Any
) -> RunConfig:
    given = {"versions": ("0.2.0",), "repo": str(repo) if repo is not None else None, **arguments}
    return load(Arguments(**given), environ or {}, cwd, find_repository)


def plain_folder(folder: Path, table: str = "") -> Path:
    folder.mkdir()
    required = "" if "package" in table else 'package = "orbit"\nrepository = "octo/orbit"\n'
    (folder / "pyproject.toml").write_text(f"[tool.release-state]\n{required}{table}\n", encoding="utf-8")
    return folder


# Four different values of each setting, weakest last: command line, environment, table (as TOML), and what the target
# or the run then holds, by attribute.
VALUES: dict[str, tuple[str, str, str, str, str]] = {
    "package": ("cli-name", "env-name", '"table-name"', "table-name", "package"),
    "repository": ("cli/name", "env/name", '"table/name"', "table/name", "repository"),
    "base-branch": ("cli", "env", '"table"', "table", "base_branch"),
    "remote": ("cli", "env", '"table"', "table", "remote"),
    "remote-url": ("https://cli.example/o/n", "/env/n.git", '"host:table/n"', "host:table/n", "remote_url"),
    "tag-template": ("c{version}", "e{version}", '"t{version}"', "t{version}", "tag_template"),
    "branch-template": ("c/{version}", "e/{version}", '"t/{version}"', "t/{version}", "branch_template"),
    "title-template": ("C {version}", "E {version}", '"T {version}"', "T {version}", "title_template"),
    "workflow": ("cli.yml", "env.yml", '"table.yaml"', "table.yaml", "workflow"),
    "process": ("tag", "release", '"release-pull-request"', "release-pull-request", "process_kind"),
    "started-by": ("tag", "release", '["dispatch", "tag"]', "dispatch,tag", "started_by"),
    "makes": ("tag", "release", '["draft"]', "draft", "makes"),
    "expected-files": ("sdist", "sdist", '["wheel"]', "wheel", "expected_files"),
    "expected-before-release": ("version", "version", '["changelog"]', "changelog", "expected_before_release"),
    "changelog": ("cli.md", "env.md", '"docs/table.md"', "docs/table.md", "changelog"),
    "version-rules": ("conventional", "commitizen", '"none"', "none", "version_rules"),
    "ci-required": ("false", "false", "true", "true", "ci_required"),
    "github-status-url": (
        "http://cli.example",
        "http://env.example",
        '"http://table.example/x/"',
        "http://table.example/x",
        "github_status_url",
    ),
    "index-status-url": (
        "http://cli.example",
        "http://env.example",
        '"http://table.example/x/"',
        "http://table.example/x",
        "index_status_url",
    ),
    "lookup-timeout": ("1", "2", "3", "3.0", "lookup_timeout"),
    "install-timeout": ("1", "2", "3.5", "3.5", "install_timeout"),
    "install-size": ("1", "2", "3.5", "3.5", "install_size"),
    "keep-answers": ("false", "false", "true", "true", "keep_answers"),
    "reports-dir": ("/tmp/cli", "/tmp/env", '"table"', "table", "reports_dir"),
}


def test_what_publishes_cannot_be_described_where_nothing_does(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "x", 'workflow = ""\nmakes = ["tag"]')
    with pytest.raises(UsageProblem, match="--makes says what a run of the workflow does, and --workflow names none"):
        load(Arguments(versions=("0.2.0",)), {}, folder, lambda *_: None)


def test_a_word_for_the_process_is_of_the_table_and_of_a_workflow(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "x", 'workflow = ""')
    for word, says in (("relase", "is not known (did you mean release?); known: tag, release"), ("by hand", "is not")):
        with pytest.raises(UsageProblem, match=re.escape(f"--process '{word}' {says}")):
            loaded(folder, settings={"process": word})
        with pytest.raises(UsageProblem, match=re.escape(f"--process '{word}' {says}")):
            loaded(folder, {"RELEASE_STATE_PROCESS": word})
    with pytest.raises(UsageProblem, match="--process says what a run of the workflow does, and --workflow names none"):
        loaded(folder, settings={"process": "tag"})
    target = loaded(folder, settings={"process": "release-pull-request"}).targets[0]
    assert (target.process_kind, target.given) == ("release-pull-request", ("workflow", "process"))
    assert dict(target.origins)["process"] == "command line"
    nothing = loaded(folder, {"RELEASE_STATE_PROCESS": ""}).targets[0]
    assert (nothing.process_kind, nothing.given) == (None, ("workflow",))


def held(config: RunConfig, attribute: str) -> str:
    """The value that the run goes by, as a text."""
    target = config.targets[0]
    of_run = attribute.endswith(("_timeout", "_size", "_answers"))
    value = getattr(config if of_run else target, attribute)
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def normal(text: str, setting: Setting) -> str:
    return str(float(text)) if setting.kind in ("seconds", "mebibytes") else text


def test_every_setting_has_values_to_try() -> None:
    assert list(VALUES) == [setting.key for setting in SETTINGS]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_strongest_source_wins(setting: Setting, tmp_path: Path) -> None:
    """Command line, environment, table, then what is inferred or the default."""
    cli, env, toml, table, attribute = VALUES[setting.key]
    pair = {"package": 'repository = "octo/orbit"', "repository": 'package = "orbit"'}
    required = pair.get(setting.key, 'package = "orbit"\nrepository = "octo/orbit"')
    cwd = tmp_path / "here"
    cwd.mkdir()
    (cwd / "pyproject.toml").write_text(f"[tool.release-state]\n{required}\n{setting.key} = {toml}\n", encoding="utf-8")
    environ = {setting.variable: env}
    by_all = loaded(cwd, environ, settings={setting.key: cli})
    by_two = loaded(cwd, environ)
    by_table = loaded(cwd)
    assert held(by_all, attribute) == normal(cli, setting)
    assert by_all.values[setting.key].origin == "command line"
    assert held(by_two, attribute) == normal(env, setting)
    assert by_two.values[setting.key].origin == f"environment {setting.variable}"
    assert held(by_table, attribute) == (str(cwd / table) if setting.key == "reports-dir" else table)
    assert by_table.values[setting.key].origin == f"[tool.release-state] of {cwd / 'pyproject.toml'}"
    if setting.default is not None:
        by_default = loaded(plain_folder(tmp_path / "plain"))
        assert by_default.values[setting.key].origin == "default"
        assert by_default.values[setting.key].text == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_wrong_type_in_the_table_is_refused(setting: Setting, tmp_path: Path) -> None:
    wrong = {"text": "1", "list": '"sdist"', "flag": '"true"', "seconds": "true", "mebibytes": "true"}[setting.kind]
    expected = {
        "text": "a text",
        "list": "a list",
        "flag": "true or false",
        "seconds": "a number of seconds",
        "mebibytes": "a number of mebibytes",
    }
    cwd = tmp_path / "here"
    cwd.mkdir()
    (cwd / "pyproject.toml").write_text(f"[tool.release-state]\n{setting.key} = {wrong}\n", encoding="utf-8")
    with pytest.raises(UsageProblem) as problem:
        loaded(cwd)
    assert f"{setting.key} is " in str(problem.value)
    assert f"expected {expected[setting.kind]}" in str(problem.value)
    assert str(cwd) in str(problem.value)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("packge = 'x'", "'packge' is not known (did you mean package?)"),
        ("tag_template = 'v{version}'", "did you mean tag-template?"),
        ("github-api-url = 'https://h'", "'github-api-url' is not known"),
        ("github-server-url = 'https://h'", "'github-server-url' is not known"),
        ("token = 'x'", "'token' is not known"),
        ("zzz = 1", "'zzz' is not known"),
        ("channels = 1", "channels is not a table"),
        ("channels.pypi = 1", "channels.pypi is not a table"),
        ("channels.pypi.index_url = 'https://h/'", "did you mean index-url?"),
        ("channels.pypi.index-url = 1", "channels.pypi.index-url is int, expected a text"),
        ("channels.pypi.index-url = 'ftp://h/'", "not an http or https address"),
        ("channels.pypi.dependencies-index-url = 1", "dependencies-index-url is int"),
        ("channels.private.leaves = ['tag']", "channels.private has no index-url"),
        ("channels.pypi.leaves = 'tag'", "leaves is not a list"),
        ("channels.pypi.leaves = ['tags']", "did you mean tag?"),
        ("channels.pypi.environment = ['live']", "channels.pypi.environment is list, expected a text"),
        ("channels.pypi.environment = ' live'", "not a name that GitHub allows for an environment"),
        ('channels.pypi.environment = "li\\u202eve"', "not a name that GitHub allows for an environment"),
        (f"channels.pypi.environment = '{256 * 'x'}'", "not a name that GitHub allows for an environment"),
        ("channels.all.index-url = 'https://h/'", "channel name 'all'"),
        ("channels.'../x'.index-url = 'https://h/'", "channel name '../x'"),
        ("channels.'Private'.index-url = 'https://h/'", "lower-case"),
        ('reports-dir = "a\\u0000b"', r"--reports-dir 'a\x00b'"),
        ('title-template = "{version}\\n--web"', "holds a control character"),
        ('changelog = "../secrets"', "not a path inside the repository"),
        ('changelog = "-o"', "not a path inside the repository"),
        ('changelog = ":(glob)**"', "not a path inside the repository"),
        ('workflow = "../x.yml"', "not the file name of a workflow"),
        ('tag-template = "{version}-{version}"', "must hold {version} once, or {semver}"),
        ('tag-template = "{channel}-{version}"', "{channel} is not known"),
        ('branch-template = "a b/{version}"', "not a name that git allows"),
        ('branch-template = "-{version}"', "not a name that git allows"),
        ('remote = "--upload-pack=x"', "--remote '--upload-pack=x'"),
        ('remote-url = "ext::sh -c x"', "not an address of a git remote"),
        ('remote-url = "-x:y"', "not an address of a git remote"),
        ('remote-url = "ssh://-oProxyCommand=x/y"', "not an address of a git remote"),
        ('remote-url = "fd::17"', "not an address of a git remote"),
        ('remote-url = "file://host/x"', "not an address of a git remote"),
        ('remote-url = "relative/path"', "not an address of a git remote"),
        ('lookup-timeout = nan', "not a number of seconds"),
        ('lookup-timeout = inf', "not a number of seconds"),
        ('lookup-timeout = 0', "not a number of seconds"),
        ('expected-files = []', "names no kind of file"),
        ('expected-files = ["egg"]', "'egg' is not known"),
    ],
)  # fmt: skip
def test_bad_table_is_refused_in_one_line(table: str, says: str, tmp_path: Path) -> None:
    cwd = plain_folder(tmp_path / "here", table)
    with pytest.raises(UsageProblem) as problem:
        loaded(cwd)
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("name", ["../x", "-x", "x-", "", "a b", "a;b", "$(x)", "a\nb", "a\0b", "é", "x" + "\n"])
def test_package_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="is not a package name"):
        loaded(plain_folder(tmp_path / "here"), settings={"package": name})


@pytest.mark.parametrize(
    "name", ["octo", "a/b/c", "/b", "a/", "-a/b", "a/..", "a/.", "a b/c", "a/b\n", "https://h/a/b"]
)
def test_repository_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="owner/name"):
        loaded(plain_folder(tmp_path / "here"), settings={"repository": name})


@pytest.mark.parametrize("repo", ["", "no-such-folder", "a\0b", "pyproject.toml"])
def test_built_that_is_no_folder_is_refused(repo: str, tmp_path: Path) -> None:
    here = plain_folder(tmp_path / "here")
    for given in ({"built": repo}, {"environ": {"RELEASE_STATE_BUILT": repo}}):
        with pytest.raises(UsageProblem, match=r"--built .* is not a folder"):
            loaded(here, **given)


def test_the_built_files_are_of_one_version_and_no_file_names_them(tmp_path: Path) -> None:
    here = plain_folder(tmp_path / "here")
    (here / "dist").mkdir()
    for given, origin in (({"built": "dist"}, "command line"), ({}, "environment RELEASE_STATE_BUILT")):
        built = loaded(here, environ={"RELEASE_STATE_BUILT": "dist" if not given else "/"}, **given).built
        assert built is not None and (built.text, built.origin) == (str(here / "dist"), origin)
    for several in ({"versions": ("0.2.0", "0.3.0")}, {"versions": (), "audit": "all"}):
        with pytest.raises(UsageProblem, match="--built holds the files of one version"):
            loaded(here, built="dist", **several)
    with pytest.raises(UsageProblem, match="built"):
        loaded(plain_folder(tmp_path / "there", 'built = "dist"'))


@pytest.mark.parametrize("repo", ["", "no-such-folder", "a\0b", "pyproject.toml"])
def test_repo_that_is_no_folder_is_refused(repo: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="is not a folder"):
        loaded(plain_folder(tmp_path / "here"), repo=repo)


@pytest.mark.parametrize(
    "text", ["x = [", "x = " + "9" * 5000, "x = " + "[" * 20_000, "\xff", "[tool]\nrelease-state=1"]
)
def test_broken_file_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageProblem) as problem:
        loaded(tmp_path)
    assert "pyproject.toml" in str(problem.value)
    assert "\n" not in str(problem.value)


# Channels.


def test_pypi_and_testpypi_are_there_without_being_configured(tmp_path: Path) -> None:
    config = loaded(plain_folder(tmp_path / "here"), channels=("all",))
    pypi, testpypi = (target.channel for target in config.targets)
    assert (pypi.name, pypi.index_url, pypi.leaves) == (
        "pypi",
        PYPI_SIMPLE_ENDPOINT,
        ("tag", "release", "pull-request"),
    )
    assert (testpypi.name, testpypi.leaves) == ("testpypi", ())
    assert testpypi.index_url == PYPI_SIMPLE_ENDPOINT.replace("https://", "https://test.")
    assert testpypi.dependencies_index_url == PYPI_SIMPLE_ENDPOINT
    assert pypi.is_public_index and testpypi.is_public_index


def test_private_index_is_a_channel_like_the_others(tmp_path: Path) -> None:
    table = "channels.private.index-url = 'https://u:pw@h.example/simple/'\nchannels.private.leaves = ['tag']"
    config = loaded(plain_folder(tmp_path / "here", table), channels=("private",))
    (target,) = config.targets
    assert (target.channel.index_url, target.channel.leaves) == ("https://h.example/simple/", ("tag",))
    assert not target.channel.is_public_index
    assert config.channels["private"].index_url == "https://u:pw@h.example/simple/"
    assert target.release_branch == "release/private-v0.2.0"
    parsed = target.parse_release_branch("release/private-v1.0")
    assert parsed is not None and parsed.channel == "private"


def test_a_local_version_is_for_an_index_of_ones_own(tmp_path: Path) -> None:
    here = plain_folder(tmp_path / "here", "channels.private.index-url = 'https://h.example/simple/'")
    (target,) = loaded(here, channels=("private",), versions=("1.0+CPU-1",)).targets
    assert (target.version, target.tag) == ("1.0+cpu.1", "v1.0+cpu.1")
    for channels in ((), ("testpypi",), ("private", "pypi"), ("all",)):
        with pytest.raises(
            UsageProblem, match=r"'1\.0\+cpu\.1' is a local version .* never accepts: give --version 1\.0, or"
        ):
            loaded(here, channels=channels, versions=("2.0", "1.0+cpu.1"))


def test_a_channel_of_the_command_line_alone(tmp_path: Path) -> None:
    cwd = plain_folder(tmp_path / "here")
    own = loaded(cwd, channels=("internal",), index_urls=("internal=https://i/",), leaves=("internal=tag",)).targets[0]
    assert (own.channel.index_url, own.channel.leaves, own.channel.is_public_index) == ("https://i/", ("tag",), False)
    for slip, said in (("pypy=https://i/", "did you mean pypi"), ("other=https://i/", "known: pypi")):
        with pytest.raises(UsageProblem, match=said):
            loaded(cwd, index_urls=(slip,))
    with pytest.raises(UsageProblem, match="internal"):
        loaded(cwd, leaves=("internal=tag",))


def test_address_of_a_channel_command_line_over_environment_over_table(tmp_path: Path) -> None:
    cwd = plain_folder(tmp_path / "here", "channels.my-index.index-url = 'https://table/'")
    environ = {"RELEASE_STATE_INDEX_URL_MY_INDEX": "https://env/", "RELEASE_STATE_INDEX_URL_PYPI": "https://other/"}
    arguments: dict[str, Any] = {"channels": ("my-index",)}
    assert loaded(cwd, **arguments).targets[0].channel.index_url == "https://table/"
    assert loaded(cwd, environ, **arguments).targets[0].channel.index_url == "https://env/"
    by_all = loaded(cwd, environ, **arguments, index_urls=("my-index=https://cli/",))
    assert by_all.targets[0].channel.index_url == "https://cli/"
    assert by_all.channels["pypi"].index_url == "https://other/"
    assert not by_all.channels["pypi"].is_public_index


def test_overridden_channel_keeps_what_is_not_overridden(tmp_path: Path) -> None:
    config = loaded(plain_folder(tmp_path / "here", "channels.pypi.index-url = 'https://mirror.example/simple'"))
    channel = config.targets[0].channel
    assert channel.index_url == "https://mirror.example/simple"
    assert channel.leaves == ("tag", "release", "pull-request")
    assert not channel.is_public_index


@pytest.mark.parametrize(
    "text", ["https://h/simple/", "nosuch=https://h/", "pypi=", "pypi=h/simple", "pypi=http://a b/"]
)
def test_bad_index_url_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="index-url"):
        loaded(plain_folder(tmp_path / "here"), index_urls=(text,))


def test_one_target_for_each_version_and_channel(tmp_path: Path) -> None:
    cwd = plain_folder(tmp_path / "here")
    config = loaded(cwd, versions=("0.2.0", "0.2.0-rc.1", "0.2.0"), channels=("testpypi", "pypi"))
    keys = {target.key for target in config.targets}
    assert keys == {f"orbit=={v}@{c}" for v in ("0.2.0", "0.2.0rc1") for c in ("pypi", "testpypi")}
    assert len(config.targets) == 4


# The clone, and what is inferred from it.

REMOTES = [
    ("https://github.com/octo/orbit.git", {}),
    ("https://github.com/octo/orbit", {}),
    ("https://someone@github.com/octo/orbit.git/", {}),
    ("git@github.com:octo/orbit.git", {}),
    ("GitHub.com:octo/orbit", {}),
    ("ssh://git@github.com/octo/orbit.git", {}),
    ("ssh://git@ssh.github.com:443/octo/orbit.git", {}),
    ("https://ghe.example/octo/orbit.git", {"GITHUB_SERVER_URL": "https://ghe.example"}),
    ("git@ghe.example:octo/orbit.git", {"GITHUB_SERVER_URL": "https://ghe.example"}),
]


@pytest.mark.parametrize(("url", "environ"), REMOTES, ids=[url for url, _ in REMOTES])
def test_repository_is_inferred_from_the_remote(url: str, environ: dict[str, str], tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", url)
    (top / "src").mkdir()
    config = loaded(top / "src", environ)
    (target,) = config.targets
    assert (target.repository, target.package, target.clone) == ("octo/orbit", "orbit", str(top))
    assert config.values["repository"].origin == f"remote URL of {top}"
    assert config.values["package"].origin == f"[project] name of {top / 'pyproject.toml'}"
    assert config.remote_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.example/octo/orbit.git",
        "https://github.com.example/octo/orbit.git",
        "https://github.com/octo/orbit/more",
        "https://notgithub.com/octo/orbit.git",
        "https://[::1/octo/orbit.git",
        "/srv/git/octo/orbit.git",
        None,
    ],
)
def test_repository_is_not_inferred_from_other_remotes(url: str | None, tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", url)
    with pytest.raises(UsageProblem, match=r"^no repository( \(remote .*, which is not on .*\))?: give"):
        loaded(top)


NAMED, OTHER = "[project]\nname = 'orbit'\n", "[project]\nname = 'other'\n"
BUILT = f"{NAMED}[tool.uv]\npackage = false\n[build-system]\n"
NO_PACKAGE = f"{OTHER}[tool.uv]\npackage = false\n[tool.uv.workspace]\nmembers = ['a/b']\n"
WORKSPACE = f"{OTHER}[tool.uv.workspace]\nmembers = ['a']\n"


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        ({"pyproject.toml": "[project]\nname = 'orbit'\n"}, "[project] name of pyproject.toml"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'orbit'\n"}, "[tool.poetry] name of pyproject.toml"),
        ({"pyproject.toml": "", "setup.cfg": "[metadata]\nname = orbit\n"}, "[metadata] name of setup.cfg"),
        ({"setup.cfg": "[metadata]\nname: orbit\nname: orbit\n"}, "[metadata] name of setup.cfg"),
        ({"setup.py": "from setuptools import setup\nsetup(name='orbit')\n"}, "setup() name of setup.py"),
        ({"setup.cfg": "[bdist]\n", "setup.py": "NAME = 'orbit'\nsetup(name=NAME)\n"}, "setup() name of setup.py"),
        ({"setup.cfg": "[metadata\n", "setup.py": "setup(name='orbit')\n"}, "setup() name of setup.py"),
        ({"setup.py": "setup(name=find())\n"}, None),
        ({"setup.py": "told = {'name': 'orbit', 'version': find()}\nsetup(**told)\n"}, "setup() name of setup.py"),
        ({"setup.py": "def go():\n    told = dict(name='orbit')\n    setup(**told)\n"}, "setup() name of setup.py"),
        ({"setup.py": "told = {'name': 'orbit'}\ntold['name'] = find()\nsetup(**told)\n"}, None),
        ({"setup.py": "told = {'name': 'orbit'}\ntold = find()\nsetup(**told)\n"}, None),
        ({"setup.py": "setup(**{'name': 'orbit'})\n"}, None),
        ({"py/pyproject.toml": "[project]\nname = 'Orbit'\n"}, "[project] name of py/pyproject.toml"),
        ({"a/b/pyproject.toml": NAMED, "pyproject.toml": NO_PACKAGE}, "[project] name of a/b/pyproject.toml"),
        ({"pyproject.toml": BUILT}, "[project] name of pyproject.toml"),
        ({"a/pyproject.toml": OTHER, "b/pyproject.toml": NAMED}, "[project] name of b/pyproject.toml"),
        ({"a/pyproject.toml": NAMED, "pyproject.toml": WORKSPACE}, "[project] name of a/pyproject.toml"),
        ({"a/pyproject.toml": OTHER, "b/pyproject.toml": OTHER.replace("other", "another")}, None),
        ({"examples/hello/pyproject.toml": OTHER}, None),
        ({"a/pyproject.toml": OTHER, "pyproject.toml": "[tool.uv.workspace]\nmembers = ['b']\n"}, None),
        ({".venv/pyproject.toml": NAMED, "a/b/c/pyproject.toml": NAMED, "d/pyproject.toml": "["}, None),
        ({"setup.cfg": "[metadata]\nname = file: NAME\n"}, None),
        ({"setup.cfg": "[metadata\nname = orbit\n"}, None),
        ({"setup.cfg": "[metadata]\nversion = 1\n", "pyproject.toml": "project = 1\ntool.poetry.name = 1\n"}, None),
    ],
)  # fmt: skip
def test_the_package_is_what_the_clone_builds(files: dict[str, str], origin: str | None, tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git")
    (top / "pyproject.toml").unlink()
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text, encoding="utf-8")
    if origin is None:
        with pytest.raises(UsageProblem, match="package"):
            loaded(top)
    else:
        table, _, name = origin.rpartition(" ")
        found = loaded(top).values["package"]
        assert (found.text.lower(), found.origin) == ("orbit", f"{table} {top / name}")


def workspace(*members: str, exclude: tuple[str, ...] = (), own: str = "") -> dict[str, str]:
    """The pyproject.toml of a workspace."""
    return {"pyproject.toml": f"{own}[tool.uv.workspace]\nmembers = {list(members)}\nexclude = {list(exclude)}\n"}


ONE, LONG = {"packages/a/pyproject.toml": NAMED}, f"{OTHER}# {'x' * 2**16}\n"
MEMBERS: dict[str, tuple[dict[str, str], str | None]] = {
    "only member": ({**workspace("packages/*"), **ONE, "examples/b/pyproject.toml": OTHER}, "orbit"),
    "./": ({**workspace("./packages/a/"), **ONE}, "orbit"),
    "of setup.cfg": ({**workspace("*"), "a/setup.cfg": "[metadata]\nname = orbit\n"}, "orbit"),
    "two": ({**workspace("packages/*"), **ONE, "packages/b/pyproject.toml": OTHER}, None),
    "not read": ({**workspace("packages/*"), **ONE, "packages/b/pyproject.toml": "["}, None),
    "too long": ({**workspace("packages/*"), **ONE, "packages/b/pyproject.toml": LONG}, None),
    "setup.cfg": ({**workspace("packages/*"), **ONE, "packages/b/setup.cfg": "[metadata]\nname = b\n"}, None),
    "setup.py": ({**workspace("packages/*"), **ONE, "packages/b/setup.py": "setup(name='b')\n"}, None),
    "computed": ({**workspace("packages/*"), **ONE, "packages/b/setup.py": "setup(name=find())\n"}, None),
    "no name": ({**workspace("packages/*"), **ONE, "packages/b/pyproject.toml": "[build-system]\n"}, None),
    "no package": ({**workspace("packages/*"), **ONE, "packages/b/pyproject.toml": NO_PACKAGE}, "orbit"),
    "left over": ({**workspace("packages/*"), **ONE, "packages/b/src/x.pyc": ""}, "orbit"),
    "not checked out": ({**workspace("packages/*"), **ONE, "packages/b/": ""}, None),
    "missing": ({**workspace("packages/*", "libs/b"), **ONE}, None),
    "outside": ({**workspace("packages/*", "../libs"), **ONE}, None),
    "no text": ({"pyproject.toml": "[tool.uv.workspace]\nmembers = ['packages/*', 1]\n", **ONE}, None),
    "* stays in a folder": ({**workspace("*"), "a/b/pyproject.toml": NAMED}, None),
    "** crosses": ({**workspace("libs/**/py"), "libs/a/b/py/pyproject.toml": NAMED}, "orbit"),
    "** is none, too": ({**workspace("**/a"), **ONE, "a/pyproject.toml": OTHER}, None),
    "deep": ({**workspace("l/i/b/*"), "l/i/b/a/pyproject.toml": NAMED, "l/i/b/c/pyproject.toml": OTHER}, None),
    "excluded": ({**workspace("*", exclude=("b",)), "a/pyproject.toml": NAMED, "b/pyproject.toml": "["}, None),
    "excluded by **": (
        {**workspace("l/i/*", exclude=("**/b",)), "l/i/a/pyproject.toml": NAMED, "l/i/b/pyproject.toml": OTHER},
        "orbit",
    ),
    "the excluded one": ({**workspace("packages/*", exclude=("packages/a",)), **ONE}, None),
    "hidden": ({**workspace("*"), "a/pyproject.toml": NAMED, ".b/pyproject.toml": OTHER}, None),
    "own name": ({**workspace("packages/*", own=NAMED), "packages/b/pyproject.toml": OTHER}, "orbit"),
    "own name, not read": ({**workspace("packages/*", own=NAMED), "packages/b/pyproject.toml": "["}, None),
    "own name, alike not read": ({**workspace("packages/*", own=NAMED), **ONE, "py/pyproject.toml": LONG}, None),
    "alike, not read": ({**workspace("*"), "a/pyproject.toml": NAMED.replace("orbit", "Orbits"), "b/": ""}, "Orbits"),
    "too large together": (
        {"py/a/pyproject.toml": "", **{f"a{at:02}/pyproject.toml": f"#{'x' * 65_000}" for at in range(33)}}
        | {**workspace("py/b"), "py/b/pyproject.toml": NAMED},
        None,
    ),
    "too large together, before": (
        {f"a{at:02}/pyproject.toml": f"#{'x' * 65_000}" for at in range(33)}
        | {"py/orbits/pyproject.toml": NAMED.replace("orbit", "orbits")},
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "name"), MEMBERS.values(), ids=MEMBERS)
def test_a_member_of_a_workspace_is_the_package_only_if_all_are_read(
    files: dict[str, str], name: str | None, tmp_path: Path
) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            (tmp_path / path).mkdir()
        else:
            (tmp_path / path).write_text(text, encoding="utf-8")
    found = find_name(tmp_path, "octo/orbits")
    assert (found and found.text) == name


@pytest.mark.parametrize(("repository", "name"), [("octo/orbit-python", "orbit"), ("octo/python-orbit", "orbit"),
                                                 ("octo/orbits", None)])  # fmt: skip
def test_a_repository_may_add_the_language_to_the_name(repository: str, name: str | None, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(workspace("missing", own=NAMED)["pyproject.toml"], encoding="utf-8")
    found = find_name(tmp_path, repository)
    assert (found and found.text) == name


def test_a_member_behind_a_link_is_not_passed_over(tmp_path: Path) -> None:
    top, elsewhere = tmp_path / "top", tmp_path / "elsewhere"
    for folder, text in {top / "packages/a": NAMED, elsewhere: OTHER}.items():
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    (top / "pyproject.toml").write_text(workspace("packages/*")["pyproject.toml"], encoding="utf-8")
    assert find_name(top, "octo/orbits") is not None
    (top / "packages/b").symlink_to(elsewhere, target_is_directory=True)
    assert find_name(top, "octo/orbits") is None


def test_globs_that_never_end_are_cut(tmp_path: Path) -> None:
    (tmp_path / "packages/a").mkdir(parents=True)
    (tmp_path / "packages/a/pyproject.toml").write_text(NAMED, encoding="utf-8")
    (tmp_path / "packages/loop").symlink_to(tmp_path, target_is_directory=True)
    for members in (["packages/a", "**/a"], ["packages/a", "/".join(["**"] * 1000)], ["packages/a"] * 10_000):
        (tmp_path / "pyproject.toml").write_text(workspace(*members)["pyproject.toml"], encoding="utf-8")
        found = find_name(tmp_path, "octo/orbits")
        assert (found is None) == (members[-1] != "**/a")


def test_a_setup_cfg_that_is_a_link_or_endless_is_not_read(tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git")
    (top / "pyproject.toml").unlink()
    (tmp_path / "secret").write_text("[metadata]\nname = orbit\n", encoding="utf-8")
    for place in (tmp_path / "secret", Path("/dev/zero")):
        (top / "setup.cfg").symlink_to(place)
        with pytest.raises(UsageProblem, match="no package"):
            loaded(top)
        (top / "setup.cfg").unlink()


def test_remote_of_the_table_is_the_one_that_is_looked_at(tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/fork/orbit.git", "remote = 'upstream'")
    git(top, "remote", "add", "upstream", "git@github.com:octo/orbit.git")
    config = loaded(top)
    assert (config.targets[0].repository, config.targets[0].remote) == ("octo/orbit", "upstream")
    assert config.remote_url == "git@github.com:octo/orbit.git"
    by_cli = loaded(top, settings={"remote": "origin"})
    assert by_cli.targets[0].repository == "fork/orbit"


def test_current_repository_is_no_clone_of_another_target(tmp_path: Path) -> None:
    """Its own project name must not name the package that is checked, its remote not be asked."""
    top = clone(tmp_path / "clone", "https://github.com/octo/other.git", project="other")
    why = f"{re.escape(str(top))} is not read, as its remote does not lead to octo/orbit"
    with pytest.raises(UsageProblem, match=f"no package: {why}: give --repo"):
        loaded(top, settings={"repository": "octo/orbit"})
    config = loaded(top, settings={"repository": "octo/orbit", "package": "orbit"})
    assert config.targets[0].clone is None
    assert config.clone is None
    assert config.remote_url == "https://github.com/octo/orbit.git"
    assert config.values["remote-url"].origin == "inferred from the repository's name"


def test_clone_is_recognized_in_whatever_case(tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/Octo/Orbit.git")
    assert loaded(top, settings={"repository": "octo/orbit"}).targets[0].clone == str(top)


def test_repo_that_was_asked_for_is_the_clone_though_its_remote_says_otherwise(tmp_path: Path) -> None:
    """A renamed repository, a mirror: the person knows."""
    top = clone(tmp_path / "clone", "https://github.com/old/orbit.git")
    config = loaded(tmp_path, repo=top, settings={"repository": "octo/orbit"})
    assert config.targets[0].clone == str(top)


def test_only_the_configuration_of_repo_applies(tmp_path: Path) -> None:
    here = plain_folder(
        tmp_path / "here",
        "tag-template = 'here-{version}'\nchannels.here.index-url = 'https://here/'\nbase-branch = 'here'",
    )
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git", "changelog = 'NEWS.md'")
    for config in (loaded(here, repo=top), loaded(here, {"RELEASE_STATE_REPO": str(top)})):
        (target,) = config.targets
        assert (target.package, target.repository) == ("orbit", "octo/orbit")
        assert (target.tag_template, target.base_branch, target.changelog) == ("v{version}", None, "NEWS.md")
        assert list(config.channels) == ["pypi", "testpypi"]
        assert not [value for value in config.values.values() if str(here) in value.origin]


def test_broken_configuration_here_does_not_matter_to_repo(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("broken = [", encoding="utf-8")
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git")
    assert loaded(tmp_path, repo=top).targets[0].package == "orbit"


def test_repo_on_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    one = clone(tmp_path / "one", "https://github.com/octo/one.git", project="one")
    two = clone(tmp_path / "two", "https://github.com/octo/two.git", project="two")
    assert loaded(tmp_path, {"RELEASE_STATE_REPO": str(two)}, repo=one).targets[0].package == "one"
    assert loaded(tmp_path, {"RELEASE_STATE_REPO": str(two)}).targets[0].package == "two"


def test_relative_repo_is_below_the_current_folder(tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git")
    assert loaded(tmp_path, repo="clone").targets[0].clone == str(top)


def test_without_a_clone_the_remote_alone_is_asked(tmp_path: Path) -> None:
    config = loaded(plain_folder(tmp_path / "here"))
    assert config.targets[0].clone is None
    assert config.remote_url == "https://github.com/octo/orbit.git"


# GitHub and its token.


def test_address_of_github_comes_from_command_line_or_environment_only(tmp_path: Path) -> None:
    cwd = plain_folder(tmp_path / "here")
    environ = {"GITHUB_API_URL": "https://ghe.example/api/v3/", "GITHUB_SERVER_URL": "https://ghe.example/"}
    by_env = loaded(cwd, environ)
    assert (by_env.targets[0].github_api, by_env.targets[0].github_web) == (
        "https://ghe.example/api/v3",
        "https://ghe.example",
    )
    assert by_env.remote_url == "https://ghe.example/octo/orbit.git"
    by_cli = loaded(cwd, environ, github_api_url="http://127.0.0.1:1", github_server_url="http://127.0.0.1:2/")
    assert (by_cli.targets[0].github_api, by_cli.targets[0].github_web) == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert by_cli.values["github-api-url"].origin == "command line"
    assert loaded(cwd).targets[0].github_api == "https://api.github.com"


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://ghe.example/api/v3", "https://ghe.example"),
        ("https://GHE.example:8443/api/v3/", "https://ghe.example:8443"),
        ("https://ghe.example:443/api/v3", "https://ghe.example"),
        ("https://api.github.com/", "https://github.com"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://proxy.example/github", "https://proxy.example"),
        ("https://api.corp.example", "https://api.corp.example"),
    ],
)
def test_the_web_address_is_that_of_the_server_whose_api_is_asked(api: str, web: str, tmp_path: Path) -> None:
    """Facts of one server are never beside commands for another."""
    top = clone(tmp_path / "clone", f"{web}/octo/orbit.git")
    for given, environ in ((api, {}), (None, {"GITHUB_API_URL": api})):
        (target,) = loaded(top, environ, github_api_url=given).targets
        assert (target.github_api, target.github_web) == (api.rstrip("/"), web)
        host = web.partition("://")[2]
        assert gh(target, "pr", "close", "1")[-1] == f"{host}/octo/orbit"


@pytest.mark.parametrize(
    ("web", "api"),
    [
        ("https://ghe.example/", "https://ghe.example/api/v3"),
        ("https://github.com", "https://api.github.com"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
    ],
)
def test_the_api_is_that_of_the_server_that_is_named(web: str, api: str, tmp_path: Path) -> None:
    (target,) = loaded(plain_folder(tmp_path / "here"), {"GITHUB_SERVER_URL": web}).targets
    assert (target.github_api, target.github_web) == (api, web.rstrip("/"))


@pytest.mark.parametrize(
    ("typed", "environ"),
    [
        ({"github_api_url": "https://ghe.example/api/v3"}, {"GITHUB_SERVER_URL": "https://github.com"}),
        ({}, {"GITHUB_API_URL": "https://ghe.example/api/v3", "GITHUB_SERVER_URL": "https://github.com"}),
        ({"github_server_url": "https://github.com"}, {"GITHUB_API_URL": "https://api.octo.ghe.com"}),
        ({"github_api_url": "https://proxy.example"}, {"GITHUB_SERVER_URL": "https://github.com"}),
    ],
)
def test_two_servers_are_refused(typed: dict[str, Any], environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"is not the server of github-api-url .*give --github-server-url https://"):
        loaded(plain_folder(tmp_path / "here"), environ, **typed)


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_SERVER_URL"])
@pytest.mark.parametrize("url", ["", "ghe.example", "http://[", "file:///etc", "https://h/?token=x", "https://h:port/"])
def test_bad_address_of_github_is_refused(name: str, url: str, tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git", 'repository = "octo/orbit"')
    with pytest.raises(UsageProblem, match=name.lower().replace("_", "-")):
        loaded(top, {name: url})


def test_token_is_taken_from_github_token_first_then_gh_token(tmp_path: Path) -> None:
    api = "https://api.github.com"
    nowhere = {"PATH": str(tmp_path)}
    assert find_token({**nowhere, "GITHUB_TOKEN": "one", "GH_TOKEN": "two"}, api) == ("one", "GITHUB_TOKEN")
    assert find_token({**nowhere, "GH_TOKEN": "two"}, api) == ("two", "GH_TOKEN")
    assert find_token(nowhere, api) == (None, None)
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\n[ "$1 $2" = "auth token" ] && echo three\n', encoding="utf-8")
    gh.chmod(0o755)
    assert find_token(nowhere, api) == ("three", "gh auth token")


# What is shown.


def test_show_config_has_every_setting_its_origin_and_no_secret(tmp_path: Path) -> None:
    table = (
        f"remote-url = 'https://me:{SECRET}@h.example/o/n.git'\n"
        f"channels.private.index-url = 'https://me:{SECRET}@i.example/simple/'\n"
        f"channels.private.dependencies-index-url = 'https://me:{SECRET}@i.example/all/'"
    )
    top = clone(tmp_path / "clone", f"https://x-access-token:{SECRET}@github.com/octo/orbit.git", table)
    env = {"GITHUB_TOKEN": SECRET, "GITHUB_API_URL": "https://api.example/", "GIT_CONFIG_GLOBAL": "/dev/null"}
    env |= {"GITHUB_SERVER_URL": "https://github.com"}
    env |= {"RELEASE_STATE_CHANGELOG": "NEWS.md", "RELEASE_STATE_INDEX_URL_PYPI": f"https://me:{SECRET}@e.example/"}
    arguments = ("--version", "0.2.0", "--repo", str(top), "--tag-template", "t{version}", "--show-config")
    run = suite(*arguments, env=env, reports_dir=tmp_path / "reports")
    assert run.returncode == 0, (run.stdout, run.stderr)
    assert SECRET not in run.stdout + run.stderr
    rows = dict(line.split(" = ", 1) for line in run.stdout.splitlines())
    assert {setting.key for setting in SETTINGS} - set(rows) == {"base-branch"}
    assert {f"channels.private.{setting.key}" for setting in CHANNEL_SETTINGS} - set(rows) == set()
    assert rows["tag-template"] == "'t{version}'  # command line"
    assert rows["changelog"] == "'NEWS.md'  # environment RELEASE_STATE_CHANGELOG"
    assert rows["remote-url"] == f"'https://h.example/o/n.git'  # [tool.release-state] of {top / 'pyproject.toml'}"
    assert rows["package"] == f"'orbit'  # [project] name of {top / 'pyproject.toml'}"
    unread = "...  # a run finds it out; the clone cannot be read: it has no commit"
    assert rows["workflow"] == rows["channels.pypi.environment"] == unread
    assert rows["channels.pypi.leaves"] == "...  # a run finds it out from earlier releases"
    assert rows["channels.pypi.index-url"] == "'https://e.example/'  # environment RELEASE_STATE_INDEX_URL_PYPI"
    assert rows["token"] == "'yes'  # GITHUB_TOKEN"
    assert rows["channels.private.index-url"].startswith("'https://i.example/simple/'")
    assert rows["channels.private.dependencies-index-url"].startswith("'https://i.example/all/'")
    assert rows["channels.private.leaves"] == "''  # default"
    assert rows["expected-files"] == "...  # a run finds it out from earlier versions on the index"
    assert not (tmp_path / "reports").exists()
    odd = suite(*arguments, "--title-template", "Ré {version}", env=env | {"PYTHONIOENCODING": "ascii"})
    assert odd.returncode == 0, odd.stderr
    assert "title-template = 'R\\xe9 {version}'" in odd.stdout


def test_show_config_has_what_the_clone_shows_with_its_evidence(tmp_path: Path) -> None:
    top = clone(tmp_path / "clone", "https://github.com/octo/orbit.git", "channels.testpypi.environment = ''")
    (top / ".github" / "workflows").mkdir(parents=True)
    text = "on: {push: {tags: ['[0-9]*']}}\njobs: {up: {environment: '%s', steps: [{run: uv publish}]}}\n"
    ship = top / ".github" / "workflows" / "ship.yml"
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "https_proxy": "http://127.0.0.1:9"}

    def rows(environment: str, *arguments: str) -> dict[str, str]:
        ship.write_text(text % environment, encoding="utf-8")
        git(top, "add", ".")
        git(top, "-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "--quiet", "-m", environment)
        git(top, "tag", f"1.{len(environment)}")
        run = suite("--repo", str(top), "--show-config", *arguments, env=own)
        assert run.returncode == 0, run.stderr
        return dict(line.split(" = ", 1) for line in run.stdout.splitlines())

    found = rows("live")
    assert found["workflow"] == "'ship.yml'  # found in the clone: ship.yml, job up runs uv publish"
    assert found["started-by"] == "'tag'  # found in the clone: ship.yml is started by a pushed tag ([0-9]*)"
    assert found["tag-template"] == "'{version}'  # found in the clone: 1 of 1 tags of the clone are spelled {version}"
    assert found["makes"] == "''  # found in the clone: ship.yml makes nothing besides the upload"
    assert found["channels.pypi.environment"] == "'live'  # found in the clone: ship.yml, job up"
    assert found["channels.testpypi.environment"].startswith("''  # [tool.release-state] of ")
    assert re.search(
        r"clone; read: HEAD, [0-9a-f]{12}; the remote, GitHub and the index were not asked$", found["repo"]
    )
    worded = rows("stage", "--process", "release")
    assert worded["process"] == "'release'  # command line"
    assert worded["started-by"] == found["started-by"], "the file says it"
    least = "; at least tag, release, as process release says"
    assert worded["channels.pypi.leaves"] == f"...  # a run finds it out from earlier releases{least}"
    assert least not in found["channels.pypi.leaves"]
    ship.write_text(text.replace("{push: {tags: ['[0-9]*']}}", "deployment") % "x", encoding="utf-8")
    git(top, "-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "--quiet", "-am", "y")
    run = suite("--repo", str(top), "--show-config", "--process", "tag", env=own)
    says = "process tag: ship.yml is started by a pushed tag, as the setting process says"
    assert f"started-by = 'tag'  # {says}" in run.stdout.splitlines()
    both = rows("live', steps: [{run: uv publish}]}, again: {environment: '")
    assert both["channels.pypi.environment"].startswith("'live'  #"), "another job has none"
    said = rows("${{ inputs.where }}", "--workflow", "ship.yml", "--environment", "testpypi=rehearsal")
    assert said["workflow"] == "'ship.yml'  # command line"
    assert said["channels.pypi.environment"] == "...  # not found in the clone: a run of ship.yml, job up chooses it"
    assert said["channels.testpypi.environment"] == "'rehearsal'  # command line"
    ship.unlink()
    (top / ".github" / "workflows" / "ci.yml").write_text("on: push\njobs: {test: {steps: [{run: pytest}]}}\n")
    ship = top / "x"
    none = "...  # not found in the clone: no workflow file is seen to publish to pypi: ci.yml"
    assert rows("%")["workflow"] == none


def test_targets_hold_no_credentials(tmp_path: Path) -> None:
    """They are written into reports and snapshots."""
    urls = tuple(f"{name}=https://me:{SECRET}@i.example/" for name in ("pypi", "testpypi"))
    config = loaded(
        plain_folder(tmp_path / "here", f"channels.testpypi.dependencies-index-url = 'https://{SECRET}@d.example'"),
        channels=("all",),
        index_urls=urls,
        settings={"remote-url": f"https://{SECRET}@h.example/o/n.git"},
    )
    for target in config.targets:
        assert SECRET not in msgspec.json.encode(target).decode()
    assert SECRET not in "\n".join(show(config, None, CloneProcess()))
    assert SECRET in config.remote_url
    assert SECRET in config.channels["pypi"].index_url


@pytest.mark.parametrize(
    "arguments",
    [
        {"index_urls": (f"pypi=https://me:{SECRET}@h.example/?x",)},
        {"settings": {"remote-url": f"https://me:{SECRET}@h.example/a b"}},
        {"settings": {"remote-url": f"ftp://{SECRET}@h.example/a"}},
        {"github_api_url": f"https://me:{SECRET}@h.example:port/"},
        {"github_api_url": f"https://me:{SECRET}@h.example/"},
        {"environ": {"GITHUB_SERVER_URL": f"https://{SECRET}@h.example"}},
    ],
)
def test_refusal_of_an_address_shows_no_credentials(arguments: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as problem:
        loaded(plain_folder(tmp_path / "here"), **arguments)
    assert SECRET not in str(problem.value)
    # Of one that cannot be parsed nobody knows what is the host.
    assert ("h.example" in str(problem.value)) is ("not shown" not in str(problem.value))


def test_arguments_that_are_not_given_change_nothing(tmp_path: Path) -> None:
    """The defaults of `Arguments` are those of the command line."""
    config = loaded(plain_folder(tmp_path / "here"))
    assert structs.asdict(Arguments())["phase"] == config.phase == "auto"
    assert config.install and not config.block_on_advice
