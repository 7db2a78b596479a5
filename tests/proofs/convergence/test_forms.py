"""Every form of command that a plan can print is taken by the programs that people have.

By git with settings that would make a careless command do something else; by Debian's gh and a current one, in front of
a GitHub without what GitHub has taken out; by twine, for PyPI and for an index of one's own.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from release_state.audit.audit import Audit
from release_state.demo.dists import build_sdist, build_wheel
from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.target import Channel
from release_state.plan.steps.commands import (
    check_holds,
    check_lacks,
    gh,
    gh_api,
    name_remote,
    pick_free_branch,
    show_pull,
)
from release_state.plan.steps.publication import publish_from
from release_state.settings.channels import pypi
from tests.audit.test_audit import FOUND, without_release
from tests.proofs.convergence.any_github import AnyGitHub, any_github
from tests.proofs.convergence.real_gh import gh_at
from tests.proofs.convergence.refs_of import Repositories
from tests.support import states as s
from tests.support.forms import Found, form, forms
from tests.support.histories import released
from tests.support.histories import verdict_of as audited

CURRENT_GH = Path(sys.executable).with_name("gh")
GH = {"Debian's gh": shutil.which("gh", path="/usr/bin:/usr/local/bin"), "a current gh": str(CURRENT_GH)}
#: What they ask for: each form's own method and path, where it changes something.
CHANGES = {
    ("gh", "api", "--method", "DELETE"): ("DELETE", "/releases/5"),
    ("gh", "api", "--method", "PATCH"): ("PATCH", "/pulls/9"),
    ("gh", "pr", "close"): ("POST", "/graphql"),
    ("gh", "pr", "create"): ("POST", "/graphql"),
    ("gh", "release", "create"): ("POST", "/releases"),
    ("gh", "release", "edit"): ("PATCH", "/releases/5"),
    ("gh", "run", "cancel"): ("POST", "/actions/runs/99/cancel"),
    ("gh", "workflow", "enable"): ("PUT", "/enable"),
    ("gh", "workflow", "run"): ("POST", "/dispatches"),
}
LOOKS = {("gh", "api"), ("gh", "pr"), ("gh", "release"), ("gh", "run")}


def of(*programs: str) -> list[Found]:
    return [found for found in forms().values() if found.command[0] in programs]


# ---- gh


class Asked:
    """What a gh does and asks for."""

    def __init__(self, program: str, hub: AnyGitHub, folder: Path, environment: dict[str, str]) -> None:
        self.program, self.hub, self.folder = program, hub, folder
        tokens = dict.fromkeys(("GH_TOKEN", "GH_ENTERPRISE_TOKEN"), "token")
        self.environment = {"PATH": os.defpath, "HOME": str(folder), **tokens, **environment}

    def run(self, command: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run a printed command."""
        self.hub.asked.clear()
        typed = shlex.join(command)
        with tempfile.TemporaryDirectory(dir=self.folder) as empty:
            return subprocess.run(
                ["sh", "-c", typed], cwd=empty, env={**self.environment, **more}, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip


@pytest.fixture(params=GH)
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    """Each gh, in front of a GitHub that has everything."""
    program = GH[request.param]
    if program is None or not Path(program).exists():
        has_wheel = sys.platform == "linux" and platform.machine() == "x86_64"
        if os.environ.get("CI") and (has_wheel or program is None):
            pytest.fail(f"{request.param} is not installed")
        pytest.skip(f"{request.param} is not installed")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").symlink_to(program)
    with any_github() as hub, gh_at(program, hub.port, tmp_path) as environment:
        yield Asked(program, hub, tmp_path, {**environment, "PATH": f"{tmp_path / 'bin'}:{os.defpath}"})


def kind_of(command: Sequence[str]) -> tuple[str, ...]:
    if command[1] == "api" and "--method" in command:
        return ("gh", "api", "--method", command[command.index("--method") + 1])
    return tuple(command[:3] if tuple(command[:3]) in CHANGES else command[:2])


def of_audits() -> list[tuple[str, ...]]:
    """The commands of the plans of audits, one of each form."""
    draft = known((released("0.2.0", draft=True),))
    histories = [found for found, *_ in FOUND.values()] + [without_release("0.2.0", drafts=draft)]
    plans = [step for found in histories for step in audited(Audit(found)).plans.values()]
    every = {form(command): command for step in plans for command in step.commands if command[0] == "gh"}
    assert len(every) >= 5
    return [*every.values()]


def test_gh_takes_every_form(real: Asked) -> None:
    """Each does what it is printed for at the host that it names, and nothing else changes anything."""
    commands = [found.command for found in of("gh", "env") if found.command[1:3] != ("auth", "login")]
    assert len(commands) >= 20
    commands += of_audits()
    for command in commands:
        # A person's GH_HOST and GH_REPO are of something else.
        done = real.run(command, GH_HOST="elsewhere.example", GH_REPO="eve/other")
        assert done.returncode == 0, f"{command}: {done.stderr}"
        asked = real.hub.asked
        assert asked and {one.host for one in asked} == {"github.example"}, command
        changing = [(one.method, one.path) for one in asked if one.changes]
        kind = kind_of(command)
        if kind not in CHANGES:
            assert kind in LOOKS and not changing, command
            continue
        ((method, path),) = changing
        assert method == CHANGES[kind][0] and path.endswith(CHANGES[kind][1]), command


@pytest.mark.parametrize("host", ["github.com", "octo.ghe.com", "ghe.example", "ghe.example:8443"])
def test_gh_asks_the_host_that_is_named(real: Asked, host: str) -> None:
    release = Release(s.ready(target=s.target(github_web=f"https://{host}")))
    # An older gh knows no host of its own for the API of a tenant.
    hosts = {"github.com": ["api.github.com"], "octo.ghe.com": ["api.octo.ghe.com", host]}.get(host, [host])
    for command in (gh_api(release, "releases/5"), show_pull(release, 9), gh(release, "pr", "close", "9")):
        done = real.run(command, GH_HOST="elsewhere.example")
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert real.hub.asked and {one.host for one in real.hub.asked} <= set(hosts), command


@pytest.mark.parametrize("typed", ["pr view 9", "pr edit 9 --base main"])
def test_what_the_old_gh_cannot_do_is_seen_here(real: Asked, typed: str) -> None:
    """Else nothing would tell that the printed forms are better."""
    done = real.run(["gh", *typed.split(), "--repo", "github.example/octo/orbit"])
    asks_for_projects = "projectCards" in done.stderr
    version = subprocess.run([real.program, "--version"], capture_output=True, text=True, check=True).stdout
    assert asks_for_projects is (int(version.split(".")[1]) < 83)


# ---- git


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repositories:
    return Repositories(tmp_path_factory.mktemp("forms") / "template")


def named(command: Sequence[str]) -> set[str]:
    """The refs of the remote that a command says it changes."""
    return {word.rpartition(":")[2] for word in command if "refs/" in word and not word.startswith("--")}


def test_git_takes_every_form(template: Repositories, tmp_path: Path) -> None:
    """In the order of their plans; a push changes what it names on the remote, and nothing else changes it."""
    wanted = {form(found.command): found for found in of("git", "sh")}
    done: set[tuple[str, ...]] = set()
    for number, (shape, found) in enumerate(wanted.items()):
        if shape not in done:
            done |= followed(found, Repositories(tmp_path / f"{number}", template))
            shutil.rmtree(tmp_path / f"{number}")
    assert set(wanted) <= done
    assert len(wanted) >= 60


def followed(found: Found, place: Repositories) -> set[tuple[str, ...]]:
    """Run the git commands of a plan, each with its refs in place; their forms."""
    place.look_as(found.snapshot)
    forms: set[tuple[str, ...]] = set()
    for number, each in enumerate(found.plan.steps):
        folder = place.clone
        if each.in_empty_folder or not found.plan.folder:
            folder = place.folder / f"empty{'' if not each.in_empty_folder else number}"
            folder.mkdir(exist_ok=True)
            if not each.in_empty_folder:
                place.git(folder, "init", "--quiet")
        for command in (*each.commands, *each.verify):
            if command[0] not in ("git", "sh"):
                continue
            prepare(place, command)
            before = place.refs()
            ended = place.run(command, found.snapshot, folder)
            assert ended.returncode == 0, f"{each.title}: {command}: {ended.stderr}{ended.stdout}"
            changed = {ref for ref, _ in dict(before).items() ^ dict(place.refs()).items()}
            assert changed <= (named(command) if "push" in command else set()), f"{command} changed {changed}"
            forms.add(form(command))
    return forms


def prepare(place: Repositories, command: Sequence[str]) -> None:
    """What a command is printed for, as far as refs do not say it."""
    if "vendor/lib" in command:
        (place.clone / "vendor" / "lib").mkdir(parents=True, exist_ok=True)
    if "a.py" in command:
        (place.clone / "a.py").write_text("1\n", encoding="utf-8")
        place.git(place.clone, "add", "a.py")
    if "--unshallow" in command:
        place.git(place.clone, "fetch", "--quiet", "--no-tags", "--depth", "1", "origin", "main")
        place.git(place.clone, "config", "--unset", "remote.origin.tagOpt")
    if "switch" in command and "--guess" in command:
        place.git(place.clone, "switch", "--quiet", "--detach")
        place.git(place.clone, "branch", "--quiet", "-D", "main")


def test_a_verification_fails_where_the_remote_does_not_answer(template: Repositories, tmp_path: Path) -> None:
    """Nor where the ref is there that should be gone, is not there that should be, or holds something else."""
    place = Repositories(tmp_path / "place", template)
    snapshot = s.ready(remote=s.remote(s.branch(), s.tag()))
    release, ref = Release(snapshot), "refs/heads/release/pypi-v0.2.0"
    place.look_as(snapshot)

    def code(command: Sequence[str]) -> int:
        return place.run(command, snapshot, place.clone).returncode

    assert code(check_holds(release, ref, s.HEAD)) == 0
    assert code(check_holds(release, "refs/tags/v0.2.0^{}", s.HEAD)) == 0
    assert code(check_holds(release, ref, s.OTHER)) != 0
    assert code(check_holds(release, "refs/heads/absent", s.HEAD)) != 0
    assert code(check_lacks(release, ref)) != 0
    assert code(check_lacks(release, "refs/heads/absent")) == 0
    place.remote.rename(place.folder / "gone.git")
    assert code(check_holds(release, ref, s.HEAD)) != 0
    assert code(check_lacks(release, ref)) != 0
    assert code(check_lacks(release, "refs/heads/absent")) != 0


def test_a_mirror_is_pushed_to_by_its_address(template: Repositories, tmp_path: Path) -> None:
    """By its name git takes no ref, or pushes every ref and deletes the others."""
    url = s.target().remote_url
    own = {"remote_url": url, "push_urls": (url,)}
    assert name_remote(Release(s.ready(clone=s.clone(**own)))) == "origin"
    assert name_remote(Release(s.ready(clone=s.clone(**own, mirrors=True)))) == url
    place = Repositories(tmp_path / "place", template)
    place.git(place.clone, "config", "remote.origin.mirror", "true")
    pushing = ["git", "push", "--no-signed", "--no-recurse-submodules", "--no-follow-tags"]
    for where, code in (("origin", 128), (url, 0)):
        done = place.run([*pushing, where, "HEAD:refs/heads/x"], s.ready(), place.clone)
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ((), "backup/release/x"),
        (("backup",), "kept/release/x"),
        (("backup/release",), "kept/release/x"),
        (("Backup", "kept/release/x/y"), "backup-of-release-x"),
        (("backup", "kept", "backup-of-release-x"), "backup-of-release-x-2"),
        (("backup/release/y", "backups"), "backup/release/x"),
    ],
)
def test_what_is_kept_gets_a_name_that_git_has_room_for(there: tuple[str, ...], name: str) -> None:
    release = Release(s.ready(remote=s.remote(*(s.branch(each) for each in there))))
    assert pick_free_branch(release, "backup/release/x", "kept/release/x", "backup-of-release-x") == name


# ---- twine


class _Uploads(BaseHTTPRequestHandler):
    got: list[bytes]

    def do_POST(self) -> None:
        """Take an upload."""
        self.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Stay silent."""


@contextmanager
def upload_server() -> Iterator[tuple[str, list[bytes]]]:
    """An index of one's own that takes what is uploaded: its address, and what it got."""
    handler = type("Handler", (_Uploads,), {"got": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", handler.got  # type: ignore[attr-defined]  # set above
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def built(folder: Path) -> None:
    """Both files of a package without a long description."""
    folder.mkdir(parents=True)
    pyproject = b'[project]\nname = "orbit"\nversion = "0.2.0"\n'
    sdist = build_sdist("orbit", "0.2.0", files={"pyproject.toml": pyproject}, summary="An orbit")
    wheel = build_wheel("orbit", "0.2.0", sources={"orbit.py": b""}, summary="An orbit", license_text=b"MIT")
    for name, content in (sdist, wheel):
        (folder / name).write_bytes(content)


def twine(command: Sequence[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command[1:]], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={"PATH": os.defpath, "HOME": str(folder), "TWINE_USERNAME": "u", "TWINE_PASSWORD": "p", **more},
        check=False, timeout=60,
    )  # fmt: skip


def test_twine_takes_every_form(tmp_path: Path) -> None:
    """To an index of one's own it uploads the missing files alone; there it knows no --skip-existing."""
    pytest.importorskip("twine")
    printed = [found.command for found in of("python") if found.command[2] == "twine"]
    assert len(printed) >= 8
    built(tmp_path / "orbit-0.2.0" / "dist")
    built(tmp_path / "orbit-0.2.0-wheel")
    with upload_server() as (url, got):
        section = "\n".join(f"[{name}]\nrepository = {url}" for name in ("index.example", "test.index.example"))
        servers = "[distutils]\nindex-servers =\n  index.example\n  test.index.example\n"
        (tmp_path / ".pypirc").write_text(servers + section + "\n", encoding="utf-8")
        for command in printed:
            got.clear()
            done = twine(command, tmp_path)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            uploads = len([word for word in command if "/" in word]) if "upload" in command else 0
            assert len(got) == uploads, command
        strict = ["python", "-m", "twine", "check", "--strict", "orbit-0.2.0/dist/*"]
        assert twine(strict, tmp_path).returncode != 0, "a package without a long description"
        skipping = next([*command[:4], "--skip-existing", *command[4:]] for command in printed if "upload" in command)
        assert "--skip-existing" in (done := twine(skipping, tmp_path)).stdout + done.stderr and done.returncode


@pytest.mark.parametrize(
    ("channel", "index", "section", "skips"),
    [
        ("pypi", pypi(), "pypi", True),
        ("testpypi", pypi().replace("://", "://test."), "testpypi", True),
        ("upstream", pypi(), "pypi", True),
        ("internal", "https://i.example/simple/", "internal", False),
        ("pypi", "https://i.example:8443/simple/", "i.example:8443", False),
        ("testpypi", "https://i.example/simple/", "i.example", False),
    ],
)
def test_an_upload_goes_to_the_index_that_was_looked_at(channel: str, index: str, section: str, skips: bool) -> None:
    """A channel that is only named as PyPI is never uploaded to PyPI."""
    chosen = Channel(name=channel, index_url=index, leaves=("tag",), is_public_index=skips)
    target = s.target(channel=chosen, channels=(chosen,))
    found = s.released(target=target, index={channel: s.project(s.file())})
    commands = publish_from(Release(found), "v0.2.0").commands
    upload = next(command for command in commands if "upload" in command)
    assert upload[upload.index("--repository") + 1] == section
    assert ("--skip-existing" in upload) is skips
    assert [word for word in upload if "dist/" in word] == ["orbit-0.2.0/dist/orbit-0.2.0.tar.gz"], "what is missing"


def test_the_files_of_the_package_alone_are_built_and_uploaded() -> None:
    """In its folder of the tagged commit, however a tool spells the name; what the folder is named is no pattern."""
    at_tag = s.history(s.lineage(package_folder="libs/[a]/"))
    target = s.target(package="My-Orbit.demo")
    found = s.released(target=target, history=at_tag, index={"pypi": s.project(s.file())})
    commands = publish_from(Release(found), "v0.2.0").commands
    assert ("python", "-m", "build", "my-orbit-demo-0.2.0/libs/[a]") in commands
    pattern = commands[-1][-1]
    assert pattern == "my-orbit-demo-0.2.0/libs/[[]a]/dist/[Mm]y?[Oo]rbit?demo-0.2.0.tar.gz"
    folder = "my-orbit-demo-0.2.0/libs/[a]/dist"
    for name in ("my_orbit_demo", "My-Orbit.demo", "my-orbit-demo"):
        assert fnmatchcase(f"{folder}/{name}-0.2.0.tar.gz", pattern)
    assert not fnmatchcase(f"{folder}/other-0.2.0.tar.gz", pattern)


def test_twine_skips_what_is_there_on_pypi(tmp_path: Path) -> None:
    """It gets as far as asking for the server, which it cannot reach here."""
    pytest.importorskip("twine")
    built(tmp_path / "dist")
    command = ["python", "-m", "twine", "upload", "--skip-existing", "--repository", "pypi", "dist/*"]
    done = twine(command, tmp_path, HTTPS_PROXY="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")
    assert done.returncode and "proxy" in (done.stdout + done.stderr).lower()
