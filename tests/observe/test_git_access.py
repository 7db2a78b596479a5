"""GitHub's token for git: for the one private repository that is asked about, and in no other hands."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.git_http import _Handler
from release_state.common.errors import redact
from release_state.observe.git.access import TokenAccess, find_access
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git, GitFailed
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.environment import build_environment, cut_network
from release_state.observe.git.history import observe_history
from release_state.observe.git.reader import CloneReader, find_repository
from release_state.observe.git.remote import foresee_refs, observe_remote
from release_state.observe.git.store import WantedCommit
from release_state.observe.git.workflow_files import observe_workflow_files
from release_state.settings.config import Arguments, RunConfig, load
from tests.support.gitrepo import Repo, make

TOKEN = "t0ken-hunter2"
BASIC = "Basic " + b64encode(f"x-access-token:{TOKEN}".encode()).decode()
pytestmark = pytest.mark.usefixtures("own_configuration")


class PrivateServer(_Handler):
    """Serves a repository to whoever sends the token."""

    given: list[str | None]
    mode: str

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        """Hand a request with the token on."""
        authorization = self.headers.get("Authorization")
        self.given.append(authorization)
        if self.mode == "elsewhere" and authorization:
            status, headers, body = 302, {"Location": f"{self.other}{self.path}"}, b""
        elif self.mode == "echo" or authorization != self.accepted:
            told = f"no: {authorization} {TOKEN}".encode() if authorization else b""
            status, headers, body = 401, {"WWW-Authenticate": 'Basic realm="x"', "Content-Type": "text/plain"}, told
        else:
            super().do_GET()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class's name
    other = ""
    accepted = BASIC


@contextmanager
def serving(handler: type[_Handler], certificate: Path | None) -> Iterator[str]:
    """Serve on loopback, over TLS with this certificate; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Serve = Callable[..., tuple[str, list[str | None]]]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with two commits, at o/n.git of the servers."""
    made = make(tmp_path / "o" / "n.git")
    made.commit("feat: first", pyproject__toml='[project]\nname = "orbit"\nversion = "0.1.0"\n')
    made.commit("feat: second", a__txt="two\n")
    return made


@pytest.fixture
def serve(repo: Repo, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts servers for it; gives the address of each, and what was sent there as authorization."""
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    with ExitStack() as exits:

        def start(mode: str = "private", *, other: str = "") -> tuple[str, list[str | None]]:
            given: list[str | None] = []
            facts = {"root": tmp_path, "requests": [], "given": given, "mode": mode, "other": other}
            return exits.enter_context(serving(type("Handler", (PrivateServer,), facts), certificate)), given

        yield start


def config_for(web: str, tmp_path: Path, **arguments: object) -> RunConfig:
    (tmp_path / "empty").mkdir(exist_ok=True)
    settings = {"package": "orbit", "repository": "o/n", **dict(arguments.pop("settings", {}) or {})}  # type: ignore[call-overload]
    given = Arguments(versions=("0.2.0",), settings=settings, github_api_url=f"{web}/api/v3", **arguments)  # type: ignore[arg-type]
    return load(given, {}, tmp_path / "empty", find_repository)


def access_to(web: str, tmp_path: Path) -> TokenAccess:
    access = find_access(config_for(web, tmp_path), TOKEN)
    assert access and access.address == f"{web}/o/n.git"
    return access


def test_a_private_repository_is_read_with_the_token(serve: Serve, repo: Repo, tmp_path: Path) -> None:
    web, given = serve()
    assert observe_remote(f"{web}/o/n.git", 20).unavailable
    assert set(given) == {None}
    given.clear()
    access = access_to(web, tmp_path)
    remote = observe_remote(access.address, 20, access=access).present()
    assert remote.branch("main") and access.is_needed
    # At first without: whoever needs no token sends none.
    assert given[0] is None and BASIC in given
    given.clear()
    stores = Stores(access.address, lambda: 60, cache_dir=tmp_path / "cache", access=access)
    history = observe_history(BranchHistory(stores, remote, "main"), [WantedCommit(repo.head, details=True)], [])
    stores.close()
    assert history.present().lineage(repo.head).declared_version == "0.1.0"
    assert set(given) == {BASIC}
    left = [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert left == [] and not any(BASIC[6:].encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_a_store_that_was_opened_before_the_token_was_needed_is_not_used_after(
    serve: Serve, repo: Repo, tmp_path: Path
) -> None:
    """What is asked ahead opens a store beside the clone while git is still being refused without the token."""
    web, _ = serve()
    clone = repo.clone(tmp_path / "clone")
    clone.git("remote", "set-url", "origin", f"{web}/o/n.git")
    repo.git("checkout", "-q", "-b", "other")
    lacking = repo.commit("feat: what the clone lacks", b__txt="x")
    repo.git("checkout", "-q", "main")
    access = access_to(web, tmp_path)
    held = observe_clone(clone.path, "origin", 20, None).present()
    stores = Stores(access.address, lambda: 60, clone_path=clone.path, cache_dir=tmp_path / "cache", access=access)
    refs = foresee_refs(CloneReader(clone.path, Git(20)), held, "origin", access.address)
    assert refs and observe_workflow_files(BranchHistory(stores, refs, "main", held, fetches=False)).is_known
    remote = observe_remote(access.address, 20, access=access).present()
    wanted = [WantedCommit(lacking, "refs/heads/other", details=True)]
    history = observe_history(BranchHistory(stores, remote, "main", held), wanted, []).present()
    stores.close()
    assert access.is_needed and not history.missing, history.missing_why


def test_a_repository_that_needs_no_token_gets_none(serve: Serve, tmp_path: Path, own_configuration: Path) -> None:
    """Here the user's own helper has access."""
    web, given = serve()
    answer = f"!printf 'username=x-access-token\\\\npassword={TOKEN}\\\\n' #"
    own_configuration.write_text(f'[credential]\n\thelper = "{answer}"\n', encoding="utf-8")
    access = access_to(web, tmp_path)
    access.header = "Authorization: Basic bm9uZQ=="
    assert observe_remote(access.address, 20, access=access).present()
    assert not access.is_needed and set(given) == {None, BASIC}


def test_a_redirect_gets_no_token_and_is_not_followed(serve: Serve, tmp_path: Path) -> None:
    elsewhere, received = serve()
    web, given = serve("elsewhere", other=elsewhere)
    access = access_to(web, tmp_path)
    failed = observe_remote(access.address, 20, access=access).unavailable
    assert failed and "returned error: 302" in failed.why and not access.is_needed
    assert BASIC in given and received == []


def test_no_helper_is_told_and_no_other_header_is_sent(
    serve: Serve, tmp_path: Path, own_configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, given = serve("echo")
    own_configuration.write_text(
        f'[http]\n\textraHeader = "Authorization: Basic bWluZQ=="\n\tfollowRedirects = true\n\tsslVerify = false\n'
        f'[credential "{web}"]\n\thelper = "!cat >> {tmp_path}/told; echo >> {tmp_path}/told; :"\n',
        encoding="utf-8",
    )
    access = access_to(web, tmp_path)
    access.is_needed = True
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    failed = observe_remote(access.address, 20, access=access).unavailable
    assert failed and "hunter2" not in failed.why and BASIC[6:] not in failed.why
    assert set(given) == {BASIC}
    assert not (tmp_path / "told").exists()
    assert BASIC[6:] not in redact(BASIC) and TOKEN not in repr(access) and BASIC[6:] not in repr(access)


def test_a_certificate_that_nobody_trusts_gets_no_token(
    serve: Serve, tmp_path: Path, own_configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, given = serve()
    monkeypatch.delenv("GIT_SSL_CAINFO")
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    own_configuration.write_text("[http]\n\tsslVerify = false\n", encoding="utf-8")
    access = access_to(web, tmp_path)
    assert observe_remote(access.address, 20, access=access).unavailable
    # The user's own git asks there all the same, without it.
    assert set(given) == {None}


def test_an_address_that_is_rewritten_gets_no_token(serve: Serve, tmp_path: Path, own_configuration: Path) -> None:
    elsewhere, received = serve()
    web, given = serve()
    own_configuration.write_text(f'[url "{elsewhere}/"]\n\tinsteadOf = {web}/\n', encoding="utf-8")
    access = access_to(web, tmp_path)
    assert observe_remote(access.address, 20, access=access).unavailable
    assert given == [] and set(received) == {None}
    # Nor one from there, where the clone's own settings make the address.
    clone = make(tmp_path / "clone")
    clone.git("remote", "add", "origin", "x:o/n.git")
    clone.git("config", f"url.{web}/.insteadOf", "x:")
    found = config_for(web, tmp_path, repo=str(clone.path))
    assert found.remote_url == f"{web}/o/n.git" and find_access(found, TOKEN) is None


def test_only_commands_that_reach_the_remote_have_the_token(tmp_path: Path) -> None:
    env = TokenAccess("https://h/o/n", f"Authorization: {BASIC}").add_to(build_environment(os.environ))
    assert any(BASIC in value for value in env.values())
    assert not any(BASIC[6:] in value for value in cut_network(env).values())
    with pytest.raises(GitFailed):
        Git(20).run("nonsense", cwd=tmp_path, env=cut_network(env))


@pytest.mark.parametrize(
    ("stderr", "is_refusal"),
    [
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", True),
        ("fatal: unable to access 'https://h/o/n/': The requested URL returned error: 403", True),
        ("remote: Repository not found.\nfatal: repository 'https://h/o/n/' not found", True),
        ("fatal: unable to access 'https://127.0.0.1:40321/o/n/': The requested URL returned error: 302", False),
        ("fatal: unable to access 'https://h/o/n-403/': Could not resolve host: h", False),
    ],
)
def test_what_is_a_refusal(stderr: str, is_refusal: bool) -> None:
    """A port or a name with the number of one is none."""
    assert GitFailed("x", stderr=stderr).is_refusal == is_refusal


WEB = "https://ghe.example"


@pytest.mark.parametrize(
    ("web", "settings", "lends"),
    [
        (WEB, {}, True),
        (WEB, {"remote-url": f"{WEB}/O/N"}, True),
        (WEB, {"remote-url": f"{WEB}/o/other.git"}, False),
        (WEB, {"remote-url": f"{WEB}.evil.example/o/n.git"}, False),
        (WEB, {"remote-url": f"{WEB}:8443/o/n.git"}, False),
        (WEB, {"remote-url": "http://ghe.example/o/n.git"}, False),
        (WEB, {"remote-url": "https://me:secret@ghe.example/o/n.git"}, False),
        (WEB, {"remote-url": "https://me@ghe.example/o/n.git"}, False),
        (WEB, {"remote-url": "git@ghe.example:o/n.git"}, False),
        ("http://ghe.example", {}, False),
    ],
)
def test_which_address_gets_the_token(web: str, settings: dict[str, str], lends: bool, tmp_path: Path) -> None:
    config = config_for(web, tmp_path, settings=settings)
    assert bool(find_access(config, TOKEN)) == lends
    assert find_access(config, None) is None


def test_another_web_address_beside_the_api_gets_no_token(tmp_path: Path) -> None:
    config = config_for(WEB, tmp_path, github_server_url=WEB)
    assert find_access(config, TOKEN)
    given = Arguments(
        versions=("0.2.0",),
        settings={"package": "orbit", "repository": "o/n"},
        github_api_url="https://proxy.example/github",
        github_server_url=WEB,
    )
    assert find_access(load(given, {}, tmp_path / "empty", find_repository), TOKEN) is None


def test_an_address_in_the_inspected_repository_gets_no_token(tmp_path: Path) -> None:
    clone = make(tmp_path / "clone")
    clone.git("remote", "add", "origin", f"{WEB}/o/n.git")
    config = config_for(WEB, tmp_path, repo=str(clone.path))
    assert config.remote_url == f"{WEB}/o/n.git" and find_access(config, TOKEN)
    table = f'[tool.release-state]\nremote-url = "{WEB}/o/n.git"\n'
    (clone.path / "pyproject.toml").write_text(table, encoding="utf-8")
    config = config_for(WEB, tmp_path, repo=str(clone.path))
    assert config.remote_url == f"{WEB}/o/n.git" and find_access(config, TOKEN) is None


def test_a_repository_that_the_inspected_project_names_gets_no_token(tmp_path: Path) -> None:
    clone = make(tmp_path / "clone")  # without a remote: the address follows from the name
    (clone.path / "pyproject.toml").write_text(
        '[tool.release-state]\nrepository = "victim/private"\n', encoding="utf-8"
    )
    given = Arguments(versions=("0.2.0",), settings={"package": "orbit"}, github_server_url=WEB, repo=str(clone.path))
    config = load(given, {}, tmp_path / "empty", find_repository)
    assert config.remote_url == f"{WEB}/victim/private.git" and find_access(config, TOKEN) is None


def test_a_trace_of_the_user_holds_no_token(serve: Serve, tmp_path: Path, own_configuration: Path) -> None:
    web, given = serve()
    trace = tmp_path / "trace"
    values = ",".join(f"GIT_CONFIG_VALUE_{number}" for number in range(40))
    own_configuration.write_text(
        f'[trace2]\n\teventTarget = {trace}\n\tconfigParams = "*extraheader*"\n\tenvVars = "{values}"\n',
        encoding="utf-8",
    )
    access = access_to(web, tmp_path)
    assert observe_remote(access.address, 20, access=access).present() and BASIC in given
    assert not trace.exists() or BASIC.split()[1] not in trace.read_text(encoding="utf-8")
