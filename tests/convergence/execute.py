"""Executes a plan as a person would who types what is printed, in a world that answers as the real services do.

Programs on PATH: git and bash are real. `gh` is `gh.py`, which talks to the world's GitHub over HTTP. `python` is the
real one but for `-m build` and `-m twine`, which build from the folder and upload into the world's index.
`release-state` observes and judges as the program does, and ends with its exit code.

What a plan leaves to a person is decided always alike:

- a yank step yanks every file that is still offered;
- "if the yank is a mistake" is taken to be so, and the alternative beside it, the next version, is then left;
- where the next version is the only way, its pre-release check is run, as printed, and nothing more is done;
- a tag that the clone alone has is taken to be on the commit that was published;
- a look at another version's release ends in following the plan that is printed for it, once;
- a step that is only a sentence, to look at something, changes nothing.

What the world's GitHub does not do by itself is done here as GitHub does it: a started workflow runs, step by step.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import itertools
import json
import os
import re
import shlex
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packaging.version import Version

from release_state.collect import collect
from release_state.config import Arguments, RunConfig, load
from release_state.demo import project
from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.git import environment
from release_state.demo.github.limits import Limits
from release_state.demo.github.routes_pulls import update_pull
from release_state.demo.github.routing import ROUTES, Call, Result, Route
from release_state.demo.world import World
from release_state.plan import Plan, Step, Wanted
from release_state.snapshot import Snapshot
from release_state.verdict import TargetVerdict
from tests.convergence.gh import GitHub
from tests.judged import verdict_of

HERE = Path(__file__).parent
_COPIED = ("pulls", "releases", "check_runs", "statuses", "workflows", "workflow_runs")


@dataclasses.dataclass
class Ran:
    """A printed command that was run."""

    step: str
    line: str
    code: int
    output: str

    @property
    def failed(self) -> bool:
        """Whether it did not do what it was printed for; the suite's own codes are verdicts, not failures."""
        own = self.line.startswith("release-state ")
        return self.code not in (0, 1, 6, 8) if own else self.code != 0


class Bench:
    """A world that can be brought back to its base, with the programs that a plan's commands need."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.workflow = "commits"
        self.follows_advice = True
        self.more_environment: dict[str, str] = {}
        self.answers: list[TargetVerdict] = []
        """What `release-state` said, in order, since the last execution began."""
        self.yanked = False
        """Whether a step changed which files are yanked."""
        self.snapshots: list[Snapshot] = []
        """What was observed since the world was at its base."""
        self._fresh: tuple[str, str, Wanted, TargetVerdict] | None = None
        self._dispatched: list[str] = []
        self._target = ("", "")
        """Version and channel that are followed."""
        self._wanted: Wanted = "auto"
        self._saved = world.root / "base"
        world.remote_git.run("repack", "-adq")
        for place in (world.remote, world.clone):
            shutil.copytree(place, self._saved / place.name, symlinks=True)
        self._github = {name: copy.deepcopy(getattr(world.github, name)) for name in (*_COPIED, "latest_release")}
        self._index = copy.deepcopy(world.index.channels)
        self._time, self._number, self._id = world.time, max(world.github.pulls, default=0) + 1, next(world.github._ids)
        self._programs = world.root / "bin"
        self._socket = world.root / "bench"

    def restore(self) -> None:
        """Bring the world back to its base."""
        world, github = self.world, self.world.github
        for place in (world.remote, world.clone):
            shutil.rmtree(place)
            shutil.copytree(self._saved / place.name, place, symlinks=True)
        with github.lock:
            for name, value in self._github.items():
                setattr(github, name, copy.deepcopy(value))
            github._numbers, github._ids = itertools.count(self._number), itertools.count(self._id)
            github.limits = Limits()
            github.requests.clear()
        with world.index.lock:
            world.index.channels = copy.deepcopy(self._index)
            world.index.requests.clear()
        world.time = self._time
        self.workflow, self.follows_advice, self.yanked = "commits", True, False
        self._wanted, self._fresh = "auto", None
        self.snapshots.clear()

    @contextmanager
    def open(self) -> Iterator[Bench]:
        """Lay out the programs and listen to them."""
        self._programs.mkdir()
        plain = f"exec {shlex.quote(sys.executable)}"
        isolated, relay = f"{plain} -I -S", shlex.quote(str(HERE / "relay.py"))
        scripts = {
            "gh": f'{isolated} {shlex.quote(str(HERE / "gh.py"))} "$@"',
            "release-state": f'{isolated} {relay} release-state "$@"',
            "python": f'case "$1 $2" in "-m build"|"-m twine") {isolated} {relay} "$@";; *) {plain} "$@";; esac',
        }
        for name, script in scripts.items():
            path = self._programs / name
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(0o755)
        server = _Listener(str(self._socket), _Asked)
        server.bench = self
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="bench")
        thread.start()
        self.world.github.on_dispatch = self._dispatch
        try:
            with _pulls_change_their_base():
                yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _dispatch(self, file: str, ref: str, inputs: Mapping[str, Any]) -> None:
        self._dispatched.append(str(inputs["target_environment"]))

    # ---- observing

    def config(self, version: str, channel: str, phase: str = "auto") -> RunConfig:
        """The configuration of a run over the world."""
        world = self.world
        arguments = Arguments(
            versions=(version,),
            channels=(channel,),
            phase=phase,
            repo=str(world.clone),
            settings={
                "package": world.package,
                "repository": world.repository,
                "remote-url": world.remote_url,
                "workflow": "release.yml",
            },
            index_urls=tuple(f"{name}={world.index_url(name)}" for name in ("pypi", "testpypi")),
            github_api_url=world.github.url,
            install=False,
        )
        return load(arguments, {"GITHUB_TOKEN": world.token}, world.root)

    def snapshot(self, version: str, channel: str, phase: str = "auto") -> Snapshot:
        """What is observed now."""
        (found,) = collect(
            self.config(version, channel, phase),
            None,
            fixed_phase=None,
            token=self.world.token,
            token_source="GITHUB_TOKEN",
            own_run_id=None,
            environ={},
        )
        return found

    def observe(self, version: str, channel: str, wanted: Wanted = "auto") -> TargetVerdict:
        """The verdict on what is observed now, with its printed plan."""
        if self._fresh is None or self._fresh[:3] != (version, channel, wanted):
            self.snapshots.append(self.snapshot(version, channel))
            self._fresh = version, channel, wanted, verdict_of(self.snapshots[-1], wanted)
        return self._fresh[3]

    # ---- executing

    def execute(self, plan: Plan) -> list[Ran]:
        """Do a plan's steps from the first to the last, and stop at the first command that fails."""
        ran: list[Ran] = []
        taken_back = any(_is_unyank(step) for step in plan.steps)
        for step in plan.steps:
            if (step.advice and not self.follows_advice) or (taken_back and _is_next_version(step)):
                continue
            self._do_by_hand(step)
            with self._folder(step, plan) as folder:
                for line in (*step.lines(), *step.verify_lines()):
                    ran.append(self._run(step, line, folder))
                    if ran[-1].failed:
                        return ran
            if step.mends == "other-branches" and step.lines()[:1] and step.lines()[0].startswith("release-state "):
                ran += self._follow_other(self.answers[-1])
        return ran

    def _follow_other(self, found: TargetVerdict) -> list[Ran]:
        """Follow the plan of another version's release."""
        mine, self._target = self._target, (found.target.version, found.target.channel.name)
        try:
            return self.execute(found.plan)
        finally:
            self._target = mine

    @contextmanager
    def _folder(self, step: Step, plan: Plan) -> Iterator[Path]:
        """Where a step's commands are typed: the plan's folder; an empty one for a step that clones."""
        if plan.folder and not any(command[:2] == ("git", "clone") for command in step.commands):
            yield Path(plan.folder)
            return
        with tempfile.TemporaryDirectory(dir=self.world.root, prefix="scratch-") as scratch:
            yield Path(scratch)

    def _run(self, step: Step, line: str, folder: Path) -> Ran:
        done = subprocess.run(
            ["bash", "-e", "-c", line],
            cwd=folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        if not line.startswith("release-state "):
            self._fresh = None
        while self._dispatched:
            run_release_workflow(self.world, self._dispatched.pop(), commits=self.workflow == "commits")
        return Ran(step.title, line, done.returncode, done.stdout)

    def environment(self) -> dict[str, str]:
        """The environment of the commands: nothing of this process that could steer them."""
        steering = ("GH_", "GITHUB_", "RELEASE_STATE_", "PYTEST_", "PYTHON", "CI")
        env = {name: text for name, text in environment(self.world.root).items() if not name.startswith(steering)}
        return {
            **env,
            "PATH": f"{self._programs}{os.pathsep}{env['PATH']}",
            "GH_DEMO_API": self.world.github.url,
            "GH_TOKEN": self.world.token,
            "CONVERGENCE_SOCKET": str(self._socket),
            **self.more_environment,
        }

    @contextmanager
    def with_gh(self, program: str, environment: Mapping[str, str]) -> Iterator[None]:
        """Put another gh on PATH, with what its environment needs."""
        path = self._programs / "gh"
        usual = path.read_text(encoding="utf-8")
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(program)} "$@"\n', encoding="utf-8")
        self.more_environment = dict(environment)
        try:
            yield
        finally:
            path.write_text(usual, encoding="utf-8")
            self.more_environment = {}

    def _do_by_hand(self, step: Step) -> None:
        """What only a person can do, in a web interface."""
        index, (version, channel) = self.world.index, self._target
        if step.title.startswith("Yank "):
            for file in index.files(channel, version):
                if not file.yanked:
                    index.yank(channel, file.filename, "withdrawn")
        elif _is_unyank(step):
            index.unyank(channel, version)
        else:
            return
        self.yanked, self._fresh = True, None

    def follow(self, version: str, channel: str, wanted: Wanted = "auto") -> list[Ran]:
        """Observe, and execute what is printed."""
        plan = self.observe(version, channel, wanted).plan
        self._target, self._wanted = (version, channel), wanted
        self.answers.clear()
        return self.execute(plan)

    # ---- the programs that work here

    def asked(self, folder: Path, argv: Sequence[str]) -> tuple[int, str]:
        """Do what a program was called for: its exit code and its output."""
        try:
            match list(argv):
                case ["release-state", *options]:
                    return self._judge(options)
                case ["-m", "build", name]:
                    return 0, _build(folder / name)
                case ["-m", "twine", "check", "--strict", *patterns]:
                    return 0, " ".join(path.name for path in _files(folder, patterns))
                case ["-m", "twine", "upload", "--skip-existing", "--repository", channel, *patterns]:
                    return 0, self._upload(channel, _files(folder, patterns))
        except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
            return 1, f"{type(error).__name__}: {error}"
        return 2, f"unknown command: {shlex.join(argv)}"

    def _judge(self, options: Sequence[str]) -> tuple[int, str]:
        parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
        parser.add_argument("--version", required=True)
        parser.add_argument("--channel", required=True)
        parser.add_argument("--phase", default="auto")
        for name in ("package", "repository", "repo", "remote-url"):
            parser.add_argument(f"--{name}", required=True)
        given, unknown = parser.parse_known_args(options)
        if unknown:
            return 4, f"unknown options {unknown}"
        here = (self.world.package, self.world.repository, str(self.world.clone), self.world.remote_url)
        if (given.package, given.repository, given.repo, given.remote_url) != here:
            return 4, f"asked about another project: {options}"
        found = self.observe(given.version, given.channel, self._wanted)
        self.answers.append(found)
        return int(found.exit), found.words

    def _upload(self, channel: str, files: Sequence[Path]) -> str:
        said = []
        for path in files:
            there = bool(self.world.index.files(channel, path.name))
            if not there:
                self.world.index.upload(channel, path.name, path.read_bytes(), self.world.tick())
            said.append(f"{path.name}: {'skipped, it exists' if there else 'uploaded'}")
        return "\n".join(said)


def _is_unyank(step: Step) -> bool:
    return "take it back" in step.title


def _is_next_version(step: Step) -> bool:
    return step.title.startswith("Release ") and step.title.endswith(" instead")


class _Listener(socketserver.UnixStreamServer):
    bench: Bench


class _Asked(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """One call of a program."""
        folder, *argv = json.loads(self.rfile.readline())
        server = self.server
        assert isinstance(server, _Listener)
        self.wfile.write(json.dumps(server.bench.asked(Path(folder), argv)).encode() + b"\n")


@contextmanager
def _pulls_change_their_base() -> Iterator[None]:
    """Let the world's GitHub take another base for a pull request, which its route leaves out."""

    def update(call: Call) -> Result:
        if base := call.body.get("base"):
            call.state.pulls[call.number("number")].base_ref = str(base)
        return update_pull(call)

    pattern = re.compile(r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)/pulls/(?P<number>[^/]+)")
    added = Route("PATCH", pattern, update, "write", "pull_requests=write")
    ROUTES.insert(0, added)
    try:
        yield
    finally:
        ROUTES.remove(added)


def _build(folder: Path) -> str:
    """The sdist and the wheel of a folder, in its `dist`, with the version that the folder declares."""
    declared = re.search(r'^version = "(.*)"$', (folder / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    if declared is None:
        raise ValueError(f"{folder} declares no version")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=folder, env=environment(folder), capture_output=True, check=True
    ).stdout
    files = {name: (folder / name).read_bytes() for name in listed.decode().split("\0") if name}
    sources = {name.removeprefix("src/"): data for name, data in files.items() if name.startswith("src/")}
    made = [
        build_sdist(project.NAME, declared[1], files=files, summary=project.SUMMARY),
        build_wheel(project.NAME, declared[1], sources=sources, summary=project.SUMMARY, license_text=files["LICENSE"]),
    ]
    (folder / "dist").mkdir()
    for name, content in made:
        (folder / "dist" / name).write_bytes(content)
    return f"Successfully built {' and '.join(name for name, _ in made)}"


def _files(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files that twine finds: it fills patterns in itself."""
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    if not found:
        raise ValueError(f"Cannot find file (or expand pattern): {patterns}")
    return found


# ---- the release workflow


def next_version(world: World) -> str | None:
    """What semantic-release works out: from the last tag that main holds and the commits since; None: no release."""
    git = world.remote_git
    tags = [Version(tag) for tag in git.run("tag", "--merged", "refs/heads/main").splitlines()]
    last = max(tags)
    subjects = git.log(f"v{last}..refs/heads/main")
    if any(subject.startswith("feat") for subject in subjects):
        return f"{last.major}.{last.minor + 1}.0"
    if any(subject.startswith("fix") for subject in subjects):
        return f"{last.major}.{last.minor}.{last.micro + 1}"
    return None


def run_release_workflow(world: World, channel: str, *, commits: bool) -> None:
    """One run of the workflow, step by step; `commits`: whether it commits the new version on its branch."""
    failed, log = _workflow_steps(world, channel, commits)
    world.run_release(channel, "failure" if failed else "success", failed, log)


def _workflow_steps(world: World, channel: str, commits: bool) -> tuple[str | None, str]:
    """Do the steps: the name of the one that failed, and its log."""
    hub, place = GitHub(world.github.url, world.token), f"repos/{world.repository}"
    version = next_version(world)
    if version is None:
        return None, "No release will be made\n"
    branch = world.branch(channel, version)
    refs = world.remote_git.refs()
    if f"refs/heads/{branch}" in refs:
        return "Create release branch", f"fatal: a branch named '{branch}' already exists\n"
    if commits:
        head = world.push_release_branch(channel, version)
    else:
        head = world.main()
        world.remote_git.set_ref(f"refs/heads/{branch}", head)
    if not world.index.files(channel, version):  # else released=skipped
        world.publish(channel, version, head)
    if channel == "testpypi":
        world.delete_branch(branch)
        return None, ""
    if f"refs/tags/v{version}" not in refs:
        world.tag(version, head)
    pull = {
        "title": project.pull_title(version),
        "body": project.pull_body(version),
        "head": branch,
        "base": "main",
    }
    status, answer = hub.ask("POST", f"{place}/pulls", pull)
    if status != 201:
        return "Create pull request", f"creating pull request failed: {answer}\n"
    release = {"tag_name": f"v{version}", "name": f"v{version}", "generate_release_notes": True, "make_latest": "true"}
    status, answer = hub.ask("POST", f"{place}/releases", release)
    return (None, "") if status == 201 else ("Create GitHub Release", f"HTTP {status}: {answer}\n")
