"""A token, and passwords in addresses: in nothing that a run prints, writes, starts or leaves."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from release_state.demo.loopback import Request
from tests.observe.test_git_access import PrivateServer, serving
from tests.proofs.faults.gateway import Asked, Gateway, Services, Visit
from tests.proofs.faults.kinds import FAULTS
from tests.standins.services import Reply
from tests.standins.world import World
from tests.support.cli import ROOT, suite
from tests.support.every import part_of
from tests.support.worlds import options, world_of

WORD = "5ecretW0rd"
"""Part of every secret here."""
TOKEN, REMOTE, INDEX, PROXY, OTHER = (f"{WORD}Of{whose}" for whose in ("Token", "Remote", "Index", "Proxy", "Other"))
LOUD = (
    *("-vvv", "-l", "--showlocals", "--full-trace", "--tb=long", "-rA", "--log-level=DEBUG", "-o", "log_cli=true"),
    *("--log-cli-level=DEBUG", "--log-file-level=DEBUG", "-p", "watching", "--durations=0"),
)
TRACES = ("GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_TRACE_CURL", "GIT_TRACE_PACKET", "GIT_TRACE2", "PYTHONFAULTHANDLER")
BROKEN = "LookupError: a defect of 1 header"
HOW = {
    "given": (0, "RELEASED AND VERIFIED"),
    "refused": (6, "UNKNOWN"),
    "refused-to-workers": (6, "UNKNOWN"),
    "untrusted": (6, "certificate"),
    "by-gh-and-reset": (6, "Connection"),
    "by-gh-and-reset-to-workers": (6, "Connection"),
    "broken": (3, BROKEN),
    "broken-to-workers": (3, BROKEN),
}
"""How the token comes and what it meets; the exit code, and a word of what is printed."""
GIVEN_BY = ("GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "gh auth token")
EVERY = {f"{way}: {fault}": fault for way in GIVEN_BY for fault in FAULTS}
"""Each way and each fault of the matrix, of every service at once: with `--every-state`, some minutes."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """CI has time for those that differ."""
    if "how" in metafunc.fixturenames:
        part = part_of(metafunc.config)
        metafunc.parametrize("how", [*HOW] if part is None else part.of([*HOW, *EVERY]))


def refusing(request: Request) -> Reply | None:
    """GitHub in all kinds of trouble, repeating what it was told."""
    text = {"message": f"no: {TOKEN}", "documentation_url": f"https://me:{TOKEN}@h.invalid/"}
    told, json_type = json.dumps(text).encode(), {"Content-Type": "application/json"}
    path = request.path
    if ".git/" in path:
        return Reply(401, {"WWW-Authenticate": f'Basic realm="{REMOTE}"'}, REMOTE.encode())
    if path.endswith("/pulls"):
        return Reply(401, json_type, told)
    if path.endswith("/latest"):
        return Reply(302, {"Location": f"http://me:{TOKEN}@127.0.0.1:1/x?access_token={TOKEN}"})
    if path.endswith("/releases"):
        return Reply(403, {**json_type, "X-Accepted-GitHub-Permissions": TOKEN}, told)
    if "/tags/" in path:
        return Reply(200, {"Content-Type": "text/html"}, b"<html>" + told)
    if path.endswith("/check-runs"):
        return Reply(0)
    if path.endswith("/status"):
        return Reply(500, json_type, told)
    if path.endswith("/runs"):
        return Reply(403, {**json_type, "X-RateLimit-Remaining": "0"}, told)
    if path.endswith("/rulesets"):
        return Reply(200, json_type, json.dumps({TOKEN: TOKEN}).encode())
    return None


CUT = ("github", "git", "index")


def cut(asked: Asked) -> str | None:
    """Whose answers are reset in the middle."""
    return asked.service if asked.service in CUT else None


@pytest.fixture(scope="module")
def gateway(certificate: Path) -> Iterator[Gateway]:
    """A server that nobody trusts, and services whose answers are cut."""
    with Gateway(certificate) as made:
        yield made


@pytest.fixture(scope="module")
def gh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `gh` that is signed in; not below what a run leaves, for it holds the token."""
    folder = tmp_path_factory.mktemp("gh")
    (folder / "gh").write_text(f'#!/bin/sh\ntest "$1 $2" = "auth token" && echo {TOKEN}\n')
    (folder / "gh").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A release that is whole."""
    with world_of("released") as made:
        made.github.tokens[TOKEN] = "write"
        yield made


@pytest.mark.slow
def test_a_secret_is_in_nothing_that_a_run_prints_starts_or_leaves(
    how: str, world: World, gateway: Gateway, gh: Path, tmp_path: Path
) -> None:
    plugins, scratch = tmp_path / "plugins", tmp_path / "scratch"
    for folder in (plugins, scratch, tmp_path / "home"):
        folder.mkdir()
    shutil.copy(Path(__file__).parent.parent / "support" / "watching.py", plugins)
    fault = FAULTS[EVERY.get(how, "reset in the middle")]
    visit = gateway.visit(Services(world), cut, dict.fromkeys(CUT, (0, fault.play)))
    github, remote, index = addresses(how, world, visit)
    environ: dict[str, str] = {
        **token(how, gh, github),
        "https_proxy": f"http://me:{PROXY}@127.0.0.1:1",
        "TWINE_PASSWORD": OTHER,
        **({} if how == "given" else {"RELEASE_STATE_REMOTE_URL": remote}),
        "RELEASE_STATE_INDEX_URL_PYPI": index,
        "PYTHONPATH": str(plugins),
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(scratch),
        "PYTEST_DEBUG_TEMPROOT": str(scratch),
        "WATCHED": str(tmp_path / "watched"),
        "WATCHED_WORD": WORD,
        **dict.fromkeys(TRACES, "1"),
        **({"no_proxy": "127.0.0.1,0.0.0.0"} if how == "untrusted" or how in EVERY else {}),
        **({"BREAK": "/pulls"} if how.startswith("broken") else {}),
    }
    given = options(world)
    given[given.index("--github-api-url") + 1] = github
    # Secrets are given by the environment alone: everybody can read a command line.
    for option in ("--remote-url",) if how != "given" else ():
        del given[given.index(option) : given.index(option) + 2]
    at = given.index("--index-url")
    assert given[at + 1].startswith("pypi=")
    del given[at : at + 2]
    world.github.intercept = refusing if how.startswith("refused") else None
    files = [word for name, path in FILES.items() for word in (name, str(tmp_path / path))]
    workers = ("-n", "2") if how.endswith("workers") else ("--debug", str(tmp_path / "debug.log"))
    install = () if how == "given" else ("--no-install",)
    hasty = ("--lookup-timeout", "8") if how in EVERY else ()
    done = suite(
        *("--version", "0.2.0", *given, *LOUD, *files, *install, *workers, *hasty),
        env=environ,
        reports_dir=tmp_path / "reports",
    )
    # Some faults pass, some are absences: what comes of each is what the matrix is for.
    expected, says = HOW.get(how, (done.returncode, ""))
    assert done.returncode == expected and expected in (0, 1, 3, 6), done.stdout[-3000:] + done.stderr
    assert says in done.stdout and (expected != 3 or says == BROKEN)
    if says == BROKEN:
        # The rest was observed, and the verdict is there: not green.
        assert "COULD NOT VERIFY: orbit-demo 0.2.0 on pypi" in done.stdout
        assert "GitHub (pulls): LookupError; please report this" in done.stdout and "INTERNALERROR" not in done.stdout
    assert f"token from {source(how)}" in done.stdout
    if (how in EVERY or "gh" in how) and fault.address is None:
        sent = {asked.headers.get("authorization") for asked in visit.asked if asked.service == "github"}
        # A redirect leads to an address that is another one than the API's: without the token.
        assert sent - {None} == {f"Bearer {TOKEN}"} and (how in EVERY or None not in sent)
    basic = b64encode(f"me:{INDEX}".encode())
    assert WORD not in done.stdout + done.stderr and basic.decode() not in done.stdout
    watched = [json.loads(line) for line in (tmp_path / "watched").read_text(encoding="utf-8").splitlines()]
    (tmp_path / "watched").unlink()
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "latest.html" for path in left) == (expected != 3)
    assert any(path.parent.name == "reports" and path.suffix == ".html" for path in left)
    assert [path for path in left if WORD.encode() in path.read_bytes() or basic in path.read_bytes()] == []
    assert not list(scratch.iterdir())  # nor a folder of pytest's own, under a name that others can guess
    for fact in watched:
        # What pip reads the index's password from: for the person's eyes alone, and gone with its folder.
        assert "held" not in fact or fact == {"held": "index.txt", "mode": 0o600}
    wrong = [(fact["started"], why) for fact in watched if "started" in fact and (why := wrong_about(**fact))]
    assert wrong == []
    assert any("ls-remote" in fact.get("started", ()) for fact in watched)
    assert how != "given" or any("pip" in fact.get("started", ()) for fact in watched)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "n2"])
def test_a_secret_is_in_nothing_that_is_said_of_an_error_that_ends_the_run(
    workers: tuple[str, ...], world: World, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environ = {
        "GITHUB_TOKEN": TOKEN,
        "https_proxy": f"http://me:{PROXY}@127.0.0.1:1",
        "TWINE_PASSWORD": OTHER,
        "RELEASE_STATE_REMOTE_URL": world.github.url.replace("://", f"://me:{REMOTE}@"),
        "RELEASE_STATE_INDEX_URL_PYPI": world.index_url("pypi").replace("://", f"://me:{INDEX}@"),
        "PYTHONPATH": str(Path(__file__).parent.parent / "support"),
        "TMPDIR": str(scratch),
        "WATCHED": str(tmp_path / "watched"),
        "WATCHED_WORD": WORD,
        "BREAK_ALL": "1",
    }
    given = options(world)
    for option in ("--remote-url", "--index-url"):
        del given[given.index(option) : given.index(option) + 2]
    files = [word for name, path in FILES.items() for word in (name, str(tmp_path / path))]
    debug = ("--debug", str(tmp_path / "debug.log"))
    done = suite(
        *("--version", "0.2.0", *given, *LOUD, *files, "--no-install", *(workers or debug)),
        env=environ,
        reports_dir=tmp_path / "reports",
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "INTERNALERROR> " in done.stdout and BROKEN in done.stdout
    (tmp_path / "watched").unlink()
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    said = (done.stdout + done.stderr).encode() + left
    assert b"<error" in left and WORD.encode() not in said and b64encode(f"me:{INDEX}".encode()) not in said


class GitHubOverTls(PrivateServer):
    """GitHub's API and its git under one address, as on a GitHub Enterprise Server; the repository is private."""

    api = ""

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        """Pass what is not for git on to the world's API."""
        if ".git/" in self.path:
            super().do_GET()
            return
        connection = HTTPConnection(urlsplit(self.api).netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request("GET", self.path.removeprefix("/api/v3"), headers=headers)
        response = connection.getresponse()
        content = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_POST = do_GET  # noqa: N815 - the base class's name


@pytest.mark.slow
def test_the_token_that_git_gets_is_seen_by_nobody_else(world: World, certificate: Path, tmp_path: Path) -> None:
    """A private repository, with no credentials of git: those that `persist-credentials: false` leaves."""
    encoded = b64encode(f"x-access-token:{TOKEN}".encode())
    given: list[str | None] = []
    facts = {"root": world.root, "requests": [], "given": given, "mode": "private", "api": world.github.url}
    facts["accepted"] = f"Basic {encoded.decode()}"
    scratch, home = tmp_path / "scratch", tmp_path / "home"
    for folder in (scratch, home):
        folder.mkdir()
    with serving(type("Handler", (GitHubOverTls,), facts), certificate) as web:
        words = options(world)
        words[words.index("--remote-url") + 1] = f"{web}/{world.repository}.git"
        words[words.index("--github-api-url") + 1] = f"{web}/api/v3"
        # A clone of its own has the commits: without it, they are fetched.
        del words[words.index("--repo") : words.index("--repo") + 2]
        done = suite(
            *("--version", "0.2.0", *words, *LOUD, "--no-install", "--debug", str(tmp_path / "debug.log")),
            *(word for name, path in FILES.items() for word in (name, str(tmp_path / path))),
            env={
                "GITHUB_ENTERPRISE_TOKEN": TOKEN,
                "GITHUB_TOKEN": TOKEN,
                "GIT_SSL_CAINFO": str(certificate),
                "REQUESTS_CA_BUNDLE": str(certificate),
                "HOME": str(home),
                "TMPDIR": str(scratch),
                "PYTHONPATH": str(Path(__file__).parent.parent / "support"),
                "WATCHED": str(tmp_path / "watched"),
                "WATCHED_WORD": WORD,
                **dict.fromkeys(TRACES, "1"),
            },
            cwd=tmp_path,
            reports_dir=tmp_path / "reports",
            first=(str(ROOT / "checks"),),
        )
    assert done.returncode == 0 and "RELEASED AND VERIFIED" in done.stdout, done.stdout[-3000:] + done.stderr
    assert None in given and set(given) - {None} == {f"Basic {encoded.decode()}"}
    watched = [json.loads(line) for line in (tmp_path / "watched").read_text(encoding="utf-8").splitlines()]
    (tmp_path / "watched").unlink()
    started = [fact for fact in watched if "started" in fact]
    assert any("fetch" in fact["started"] for fact in started)
    assert not any(encoded.decode() in " ".join(fact["started"]) for fact in started)
    assert [(fact["started"], why) for fact in started if (why := wrong_about(**fact))] == []
    assert WORD not in done.stdout + done.stderr and encoded.decode() not in done.stdout + done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "latest.html" for path in left)
    assert [path for path in left if WORD.encode() in path.read_bytes() or encoded in path.read_bytes()] == []


def addresses(how: str, world: World, visit: Visit) -> tuple[str, str, str]:
    """Of GitHub's API, the remote and the index."""
    github, index = world.github.url, world.index_url("pypi")
    remote = f"{github}/x.git"
    if how == "untrusted":
        github, remote, index = (f"{visit.gateway.address('tls')}/{name}" for name in ("api", "x.git", "simple/"))
    elif how in EVERY and (address := FAULTS[EVERY[how]].address):
        github, remote, index = (f"{visit.gateway.address(address)}/{name}" for name in ("api", "x.git", "simple/"))
    elif "gh" in how or how in EVERY:
        github = visit.url("github")
        remote, index = visit.url("git") + f"/{world.repository}.git", visit.url("index") + "/pypi/simple/"
    if "gh" in how or how in EVERY:
        # gh is not asked about a server on this machine: to the suite, this address is one elsewhere.
        github = github.replace("127.0.0.1", "0.0.0.0")
    return github, remote.replace("://", f"://me:{REMOTE}@"), index.replace("://", f"://me:{INDEX}@")


def source(how: str) -> str:
    """What a run calls the place where it found the token."""
    if how in EVERY:
        return how.partition(":")[0]
    return "gh auth token" if "gh" in how else "GH_TOKEN" if how == "refused" else "GITHUB_TOKEN"


def token(how: str, gh: Path, github: str) -> dict[str, str]:
    """The variables by which a run finds the token; those of github.com need to be told that the server is the one."""
    if source(how) == "gh auth token":
        return {"PATH": f"{gh}:{os.environ['PATH']}"}
    return {source(how): TOKEN, **({"GITHUB_API_URL": github} if how in EVERY else {})}


FILES = {
    "--junit-xml": "junit.xml", "--log-file": "run.log", "--save-snapshot": "snapshot.json", "--script": "plan.sh",
}  # fmt: skip


def wrong_about(started: list[str], environ: list[str]) -> str | None:
    """What a program that the run started has and must not have; `environ` are its variables with a secret."""
    if WORD in " ".join(started):
        return "a secret in its arguments"
    if started[0] == "uname":
        return None  # Python's own `platform`, for pytest-html
    names = {entry.partition("=")[0] for entry in environ}
    is_git = "git" in [Path(word).name for word in started[:9]]  # behind the shell that limits its memory
    if "sys.stdin.readline" in started[-1]:
        return None  # a worker: the suite's own process
    if Path(started[0]).name == "gh":
        return None  # the person's own program, which has the token
    if is_git and NETWORK.intersection(started):
        return None  # its credential helper may be `gh`, which answers with the token; its proxy may want a password
    # A proxy's password goes where the network does.
    allowed = {"https_proxy"}
    if is_git:
        allowed |= {"TWINE_PASSWORD", "WATCHED_WORD"}
    return f"{sorted(names - allowed)} in its environment" if names - allowed else None


NETWORK = {"ls-remote", "fetch", "diff-tree"}
"""Commands of git that may ask the remote: a file's content is fetched when it is read."""
