"""Addresses with passwords in them: what is refused without a word of it, and what stays readable."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release_state.common.addresses import may_hold_password, strip_credentials
from release_state.common.errors import UsageProblem, redact
from release_state.observe.git.command import GitFailed
from release_state.observe.git.remote import check_url
from release_state.observe.http.response import clean_url
from release_state.settings import validate
from tests.support.cli import suite

SECRET = "5ecretW0rd"

HIDES = [
    "https://user:a/{}@host/x",
    "https://user:a/{}@host.example/x",
    "https://user:12/{}@host/x",
    "https://user:12/{}@host.example:8443/x",
    "https://user:a#{}@host/x",
    "https://user:12#{}@host/x",
    "https://user:a?{}@host/x",
    "https://user:1?{}@host/x",
    "https://{}/abc@host.example/x",
    "https://me@mail.example:a/{}@host/x",
    "https://me@mail.example:12/{}@host.example/x",
    "https://user:ab@cd/{}@host/x",
    "http://user:a/{}@127.0.0.1/x",
    "ssh://user:a/{}@host/x",
    "ssh://user:12/{}@host.example/x",
    "git://user:a/{}@host/x",
    "ftp://user:a/{}@host/x",
    "user:{}@host:x",
    "user:{}@host/x",
    "user:a/{}@host.example:o/r",
    "user:{}@",
    "//user:{}@host/x",
]
"""A part of the password stands where the path or the host would."""

ORDINARY = [
    "https://host/@scope/x",
    "https://host.example/@scope/x",
    "https://host.example:8443/@scope/x",
    "https://host:8443/@scope/x",
    "https://host.example/x@v1/y",
    "https://host.example/x@1.0/y",
    "https://host.example:8443/x@v1/",
    "https://localhost:8080/simple/@x/",
    "ssh://git@host/path@v1",
    "ssh://git@host:22/path@v1",
    "ssh://git@host.example:22/o/path@v1.git",
    "git@host.example:o/r@v1.git",
    "host:r@v1",
    "host:a/@scope/r",
    "file:///home/a@b/x",
    "/home/a@b/x",
]


@pytest.mark.parametrize("url", HIDES)
def test_what_may_hold_a_password_is_refused_without_a_word_of_it(url: str) -> None:
    url = url.format(SECRET)
    assert may_hold_password(url)
    for refuse in (validate.git_url, validate.http_url, validate.link, validate.status_url):
        with pytest.raises(UsageProblem) as refused:
            refuse("--x", url)
        assert SECRET not in str(refused.value)
    with pytest.raises(GitFailed) as failed:
        check_url(url)
    assert SECRET not in failed.value.why
    with pytest.raises(ValueError, match="the address") as unusable:
        clean_url(url)
    assert SECRET not in str(unusable.value)
    assert SECRET not in strip_credentials(url)
    assert SECRET not in validate.shown(url)


@pytest.mark.parametrize("url", ORDINARY)
def test_an_at_sign_in_a_path_is_ordinary(url: str) -> None:
    assert not may_hold_password(url)
    validate.git_url("--x", url)
    check_url(url)
    assert strip_credentials(url) == url
    assert validate.shown(url).replace("git@", "") == repr(url).replace("git@", "")


@pytest.mark.parametrize("url", [url for url in HIDES if "@host" in url or "@127" in url])
def test_a_variable_with_such_an_address_is_hidden_in_errors(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROXY", url.format(SECRET))
    shown = redact(f"no {url.format(SECRET)} today")
    assert SECRET not in shown and shown.startswith("no ") and shown.endswith("y")


@pytest.mark.parametrize(
    "where", ["RELEASE_STATE_REMOTE_URL", "RELEASE_STATE_INDEX_URL_PYPI", "GITHUB_API_URL", "origin"]
)
def test_a_run_refuses_it_and_prints_none_of_it(where: str, tmp_path: Path) -> None:
    url = f"https://user:a/{SECRET}@host.invalid/o/r"
    clone, environ = tmp_path / "clone", {}
    subprocess.run(["git", "init", "--quiet", str(clone)], check=True)
    if where == "origin":
        subprocess.run(["git", "-C", str(clone), "remote", "add", "origin", url], check=True)
    else:
        environ[where] = url
    for more in ((), ("--show-config",)):
        given = ("--version", "1", "--package", "a", "--repository", "o/r", "--repo", str(clone), *more)
        done = suite(*given, env=environ, reports_dir=tmp_path / "reports")
        assert done.returncode == 4, done.stdout + done.stderr
        assert len((done.stdout + done.stderr).strip().splitlines()) == 1
        assert "may end a password" in done.stderr and SECRET not in done.stdout + done.stderr
