"""Values that mean harm: typed, set, read from the inspected repository, or recorded by somebody else."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release_state.audit.fleet.projects import read_projects
from release_state.common import disk
from release_state.common.errors import UsageProblem
from release_state.model.observation import known
from release_state.model.snapshot import Snapshot
from release_state.observe.git.reader import find_repository
from release_state.observe.recorded import load as load_snapshot
from release_state.observe.recorded import make_document
from release_state.report.files import ReportFiles
from release_state.run.safeguards import usage_error
from release_state.settings.config import Arguments, load
from release_state.settings.options import SETTINGS
from tests.support import rows
from tests.support import states as s
from tests.support.cli import suite
from tests.support.judged import verdict_of
from tests.support.worlds import ended, forget_requests, world_of

HARMFUL = (
    *(
        "-x",
        "--upload-pack=touch x",
        "a;b",
        "$(touch x)",
        "`x`",
        "a|b",
        "a\nb",
        "a\0b",
        "a\rb",
        "\x1b[31mred",
        "a\u202eb",
    ),
    *(
        "ext::sh -c x",
        "fd::3",
        "file:///etc/passwd",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "C:\\x",
        "%0ax",
        "*",
        "~",
        "''",
    ),
    *("http://user:hunter2@h.invalid/?token=hunter2", "https://h.invalid/\r\nX: y", "::warning::x", "x" * 5000),
)

#: What is taken, by setting: harmless there, because it is one argument, one page or one file, and is shown escaped.
TAKEN: dict[str, set[str]] = {
    "base-branch": {"a;b", "$(touch x)x", "`x`", "a|b", "''", "%0ax", "x" * 5000, "a\u202eb"},
    "remote": {"a;b", "`x`", "a|b", "''", "%0ax", "x" * 5000, "a\u202eb"},
    "remote-url": {"file:///etc/passwd", "/etc/passwd", "C:\\x"},  # the last one is a host and a path to git
    "reports-dir": set(HARMFUL) - {"a\0b"},
    "changelog": {
        *("a;b", "$(touch x)", "`x`", "a|b", "ext::sh -c x", "fd::3", "file:///etc/passwd", "C:\\x", "%0ax", "*", "~"),
        *("''", "http://user:hunter2@h.invalid/?token=hunter2", "x" * 5000, "a\u202eb"),
    },
}
TEMPLATES = {"tag-template", "branch-template", "title-template"}


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """`insteadOf` and `safe.directory` of whoever runs the tests are no part of them."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def refused(call: Callable[[], object]) -> str:
    """The one line in which a value is refused; it shows no secret and nothing that a terminal obeys."""
    with pytest.raises(UsageProblem) as caught:
        call()
    line = str(caught.value)
    assert line and len(line) < 600
    assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")], ascii(line)
    assert "hunter2" not in line
    return line


def loaded(cwd: Path, settings: dict[str, str] | None = None, **more: Any) -> Any:
    base = {"package": "orbit", "repository": "octo/orbit"}
    given: dict[str, Any] = {"versions": ("0.2.0",), **more}
    return load(Arguments(settings={**base, **(settings or {})}, **given), {}, cwd, find_repository)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_a_harmful_setting_is_refused_or_stays_one_harmless_value(setting: Any, tmp_path: Path) -> None:
    for value in HARMFUL:
        text = f"{value}{{version}}" if setting.key in TEMPLATES else value
        if setting.key in TEMPLATES or value in TAKEN.get(setting.key, ()):
            try:
                config = loaded(tmp_path, {setting.key: text})
            except UsageProblem:
                assert setting.key in TEMPLATES, value
                continue
            _assert_one_argument(config, value)
        else:
            refused(partial(loaded, tmp_path, {setting.key: text}))


def _assert_one_argument(config: Any, value: str) -> None:
    """A ref that git takes for no option, a title, or a folder."""
    target = config.targets[0]
    for ref in (target.tag, target.release_branch, target.base_branch or "main", target.remote):
        assert not ref.startswith("-") and not re.search(r"[\x00-\x20\x7f]", ref), value
    assert "\n" not in target.pull_title


@pytest.mark.parametrize("value", HARMFUL)
def test_a_harmful_argument_is_refused(value: str, tmp_path: Path) -> None:
    refused(lambda: loaded(tmp_path, versions=(value,)))
    refused(lambda: loaded(tmp_path, channels=(value,)))
    refused(lambda: loaded(tmp_path, index_urls=(value,)))
    refused(lambda: loaded(tmp_path, repo=value))
    refused(lambda: loaded(tmp_path, phase=value))
    refused(lambda: loaded(tmp_path, plan=value))
    refused(lambda: loaded(tmp_path, github_api_url=value))
    refused(lambda: loaded(tmp_path, index_urls=(f"pypi={value}",)))


@pytest.mark.parametrize("value", HARMFUL)
def test_a_harmful_path_of_a_file_is_refused(value: str, tmp_path: Path) -> None:
    for read in (load_snapshot, lambda path: read_projects(path, Arguments(versions=("0.2.0",)), {}, tmp_path)):
        with pytest.raises(UsageProblem) as caught:
            read(tmp_path / value)
        line = str(usage_error(caught.value))
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")], ascii(line)
        assert len(line) < 3000 and "##[" not in line


# ---- what lies in the inspected repository


def repository(folder: Path, table: str) -> Path:
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    names = 'package = "orbit"\nrepository = "octo/orbit"\n'
    (folder / "pyproject.toml").write_text(f"[tool.release-state]\n{names}{table}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("reports-dir = '/tmp/elsewhere'", "leads out of"),
        ("reports-dir = '../elsewhere'", "leads out of"),
        ("reports-dir = '.git/hooks'", "is no folder for reports"),
        ("reports-dir = '.'", "is no folder for reports"),
        ("remote-url = '/srv/other.git'", "is a folder of this machine"),
        ("remote-url = 'file:///srv/other.git'", "is a folder of this machine"),
        ("remote-url = 'ext::sh -c x'", "not an address of a git remote"),
        ("changelog = '../../etc/passwd'", "not a path inside the repository"),
        ("workflow = '../x.yml'", "not the file name of a workflow"),
        ("github-api-url = 'https://evil.example'", "is not known"),
        ("token = 'x'", "is not known"),
        ("channels.pypi.index-url = 'file:///etc/passwd'", "not an http or https address"),
        ("channels.pypi.dependencies-index-url = 'ftp://evil.example/'", "not an http or https address"),
    ],
)
def test_the_inspected_repository_chooses_no_place_outside(table: str, says: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "clone", table)
    assert says in refused(lambda: load(Arguments(versions=("0.2.0",)), {}, folder, find_repository))


def test_a_configuration_that_is_a_link_or_huge_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.toml"
    secret.write_text("[tool.release-state]\nhunter2 = 1\n", encoding="utf-8")
    folder = repository(tmp_path / "clone", "")
    path = folder / "pyproject.toml"
    path.unlink()
    path.symlink_to(secret)
    assert "leads out of" in refused(lambda: loaded(folder))
    path.unlink()
    path.symlink_to("/dev/zero")
    loaded(folder)  # no file: no configuration
    path.unlink()
    os.mkfifo(path)
    loaded(folder)
    path.unlink()
    with path.open("wb") as file:
        file.truncate(2**33)
    assert "larger than 1024 KiB" in refused(lambda: loaded(folder))
    path.unlink()
    (folder / "real.toml").write_text("[tool.release-state]\nreports-dir = 'here'\n", encoding="utf-8")
    path.symlink_to("real.toml")
    assert loaded(folder).reports_dir == folder / "here"


def test_a_reports_folder_that_is_a_link_is_followed_only_where_a_person_says_so(tmp_path: Path) -> None:
    folder, elsewhere = repository(tmp_path / "clone", "reports-dir = 'reports'"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "reports").symlink_to(elsewhere)
    assert "leads out of" in refused(lambda: loaded(folder))
    assert loaded(folder, {"reports-dir": "reports"}).reports_dir == folder / "reports"
    (folder / "reports").unlink()
    (folder / "reports").symlink_to("inside")
    assert loaded(folder).reports_dir == folder / "reports"


def test_no_link_in_the_reports_folder_is_followed(tmp_path: Path) -> None:
    reports, mine = tmp_path / "reports", tmp_path / "mine"
    reports.mkdir()
    mine.write_text("mine", encoding="utf-8")
    files = ReportFiles(loaded(tmp_path, {"reports-dir": str(reports)}).reports_dir, "orbit-0.2.0-pypi")
    links = [files.html, files.json, *(reports / f"latest.{kind}" for kind in ("html", "json"))]
    for link in links:
        link.symlink_to(mine)
    files.prepare()
    assert not {files.html, files.json} & set(links)
    files.html.write_text("page", encoding="utf-8")
    files.write("{}", 0, is_partial=False)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (reports / "latest.html").is_symlink() and not (reports / "latest.json").is_symlink()
    assert (reports / "latest.html").read_text(encoding="utf-8") == "page"


def test_a_file_is_written_in_the_place_of_a_link_and_into_a_device(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "plan.sh"
    mine.write_text("mine", encoding="utf-8")
    link.symlink_to(mine)
    disk.write_atomically(link, "plan", mode=0o755)
    assert (mine.read_text(encoding="utf-8"), link.read_text(encoding="utf-8")) == ("mine", "plan")
    assert link.stat().st_mode & 0o777 == 0o755
    disk.write_atomically(Path("/dev/null"), "nothing")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(OSError, match="No such file"):
        disk.write_atomically(tmp_path / "none" / "x", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "plan.sh"]


def test_the_token_goes_to_no_address_that_the_inspected_repository_names(tmp_path: Path) -> None:
    with world_of("released") as world, world_of("clean") as evil:
        names = f'package = "{world.package}"\nrepository = "{world.repository}"\n'
        git_over_http = f"{evil.index.url}/evil.git"
        table = (
            f'[tool.release-state]\n{names}remote-url = "{git_over_http}"\n'
            f'[tool.release-state.channels.pypi]\nindex-url = "{evil.index_url("pypi")}"\n'
        )
        (world.clone / "pyproject.toml").write_text(table, encoding="utf-8")
        forget_requests(evil)
        home = {"RELEASE_STATE_REPO": str(world.clone), "GITHUB_API_URL": world.github.url}
        done = suite("--version", "0.2.0", env={**home, "GITHUB_TOKEN": world.token}, reports_dir=tmp_path / "reports")
        ran = ended(done, tmp_path / "reports")
        assert ran.code == 1, ran.output  # that index has no such version, whatever the remote would say
        asked = [request.path for request in evil.index.requests]
        assert "/pypi/simple/orbit-demo/" in asked and any("/evil.git" in path for path in asked), asked
        for request in evil.index.requests:
            assert world.token not in str(vars(request)), request
            assert not request.authorization
        assert world.github.requests and all(request.authorization for request in world.github.requests)
        assert world.token not in ran.output + json.dumps(ran.document)


# ---- what somebody else recorded


def test_what_is_recorded_here_is_taken() -> None:
    from release_state.observe.recorded import check_snapshot

    for snapshot in (s.ready(), s.released(), s.rolled_back(), s.released_on_testpypi(), s.ready(clone=s.failed())):
        check_snapshot(snapshot)


def _replace(snapshot: Snapshot, old: str, new: str) -> Snapshot:
    text = msgspec.json.encode(snapshot).decode().replace(json.dumps(old), json.dumps(new))
    return msgspec.json.decode(text, type=Snapshot)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("orbit", "../../../../tmp/orbit", "is not a package name"),
        ("orbit", "orbit\x1b[2J", "is not a package name"),
        ("0.2.0", "0.2.0/../../x", "not a PEP 440 version"),
        ("pypi", "../pypi", "channel name"),
        ("octo/orbit", "octo/orbit --web", "not of the form owner/name"),
        ("origin", "--upload-pack=x", "not a name that git allows"),
        ("main", "--orphan=x", "not a name that git allows"),
        (s.HEAD, "--output=x", "is not a git hash"),
        (s.WEB, "javascript:alert(1)", "not an http or https address"),
        (f"{s.WEB}/releases/tag/v0.2.0", "javascript:alert(1)", "not an http or https address"),
        ("https://github.example/octo/orbit.git", "ext::sh -c x", "not an address of a git remote"),
        ("refs/pull/7/head", "--upload-pack=x", "is not a git ref"),
        ("/home/me/orbit", "-x", "not an absolute path"),
    ],
)
def test_a_recorded_snapshot_that_means_harm_is_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    snapshot = s.released(pulls=known((s.pull(base_branch="main"),)))
    changed = _replace(snapshot, old, new)
    assert changed != snapshot
    path = tmp_path / "s.json"
    path.write_text(json.dumps(make_document([changed])), encoding="utf-8")
    assert says in refused(lambda: load_snapshot(path))


# ---- what a stranger may put into a name, in the commands that are printed

ODD = ("a'b", "$(touch pwned)", "`touch pwned`", "a;touch${IFS}pwned", "a|b&c", "weiß", "a\u202eb", 'a"b', "a!b", "#a")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_stays_one_word_of_each_command(name: str, tmp_path: Path) -> None:
    """A base branch, which the remote names: pasted into a shell, no part of it is run. Or there is no command."""
    words = set()
    withheld = []
    for facts in [(True, True, True, False), (False, True, False, False), (True, True, False, False)]:
        snapshot = _replace(rows.pypi(*facts), "main", name)
        for step in verdict_of(snapshot).plan.steps:
            withheld += [step.withheld] if step.withheld else []
            for line, command in zip(step.lines(), step.commands, strict=False):
                assert shlex.split(line) == list(command)
                words |= {word for word in command if name in word}
    dirty = _replace(s.ready(clone=s.clone(branch="other")), "main", name)
    for step in verdict_of(dirty).plan.steps:
        words |= {word for command in step.commands for word in command if name in word}
    if name == "a\u202eb":
        assert not words and withheld and all("U+202E" in why and "\u202e" not in why for why in withheld)
        return
    assert name in words and not withheld
    echo = subprocess.run(
        ["bash", "-c", f"printf %s {shlex.quote(name)}"], cwd=tmp_path, capture_output=True, check=True
    )
    assert echo.stdout.decode() == name and not list(tmp_path.iterdir())
