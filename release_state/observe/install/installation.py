"""Try to install a version from its index, into a fresh environment of a Python that fits."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from release_state.common.text import join_items, sanitize
from release_state.model.observation import Observation, known, unavailable
from release_state.model.snapshot import IndexFile, Installation
from release_state.model.target import Channel
from release_state.observe.install.interpreters import Interpreter, build_clean_environment, find_interpreter
from release_state.observe.install.pip import (
    BUILD,
    LEAVE_OUT,
    NOT_BUILT,
    PipEnded,
    build_index_options,
    find_certificate_options,
    judge_failure,
    list_proxies,
    strip_passwords,
)
from release_state.observe.install.wheels import (
    describe_needed_python,
    find_direct_dependency,
    find_python,
    is_any_for_this_machine,
    list_wheels,
)
from release_state.observe.process import PIP_MEMORY, FolderLimit, limit_memory, run_bounded

_LINES = 40
_LINE_LENGTH = 500
_LOG_LIMIT = 64 * 2**20
"""Bytes of pip's log that are read."""

# Not importlib.metadata.version: with -S (no start-up code of a foreign package runs) it does not look where pip
# installs, and in Python 3.8 and 3.9 it does not normalize names.
_PROBE = """
import importlib.metadata, re, sys
for found in importlib.metadata.distributions(path=sys.argv[2:]):
    if re.sub(r"[-_.]+", "-", found.metadata["Name"] or "").lower() == sys.argv[1]:
        print(found.version)
        break
"""

_PIP_VERSION = "from importlib.metadata import version; print(version('pip'))"
_KNOWS_PYTHON = (22, 3)
"""The first pip with an option --python (https://pip.pypa.io/en/stable/news/#v22-3)."""


_TOO_LARGE = os.strerror(errno.EFBIG)
_WHEELS_ALONE = ["--only-binary", ":all:"]
_QUIET = ["--progress-bar", "off"]


class _Ended(Exception):  # noqa: N818 - an outcome, not an error
    def __init__(self, outcome: Observation[Installation]) -> None:
        super().__init__()
        self.outcome = outcome


def observe_installation(
    channel: Channel,
    package: str,
    version: str,
    files: Sequence[IndexFile],
    timeout: float,
    environ: Mapping[str, str],
    *,
    most_bytes: int = 2**31,
    sdists: bool = False,
    cancel: Event | None = None,
) -> Observation[Installation]:
    """Install exactly this version from the channel's index with pip, into a temporary environment.

    `files` are the version's files on the index. `timeout` is in seconds, for all of it. PATH, the proxies and the
    certificates come from `environ`. `most_bytes` may be downloaded and unpacked. Setting `cancel` ends it early.

    Only wheels are installed, of the package and its dependencies, so no foreign code runs: no build, and nothing that
    a wheel adds to Python's start-up. `sdists` lets pip build what has no wheel. Never raises.

    pip gets the proxies and certificates of the run's own look-ups and no other configuration: the user may have
    configured another index than the one to verify.

    Known, with `succeeded` false: pip had its answers and refuses. Unavailable: no wheel for this machine, a dependency
    without a wheel or not from the index, no Python that fits, no answer from the index, an answer that differs from
    what the index lists, a limit.
    """
    source = f"installation from {channel.name}"
    started = time.monotonic()
    try:
        if urlsplit(channel.index_url).scheme not in ("http", "https"):
            return unavailable(source, "pip can only install from an http or https index")
        interpreter, sdist = _chosen(source, version, files, environ, sdists, cancel)
        with TemporaryDirectory(prefix="release-state-", ignore_cleanup_errors=True) as private:
            attempt = _Attempt(
                source, channel, canonicalize_name(package), version, interpreter, Path(private), environ,
                started, started + timeout, cancel, tuple(files), most_bytes, sdists, sdist,
            )  # fmt: skip
            return attempt.run()
    except _Ended as ended:
        return ended.outcome
    except (OSError, ValueError) as error:
        return unavailable(source, f"the installation could not start: {error}"[:_LINE_LENGTH])


def _chosen(
    source: str,
    version: str,
    files: Sequence[IndexFile],
    environ: Mapping[str, str],
    sdists: bool,
    cancel: Event | None,
) -> tuple[Interpreter, IndexFile | None]:
    """Return the Python to install into, and the sdist to build if no wheel fits."""
    wheels = list_wheels(files)
    if not files:
        raise _Ended(known(Installation(attempted=False, detail=f"the index has no file of {version}")))
    detail, elsewhere = "", ""
    if not wheels:
        detail = f"the index has no wheel of {version}"
    elif not is_any_for_this_machine(wheels):
        detail = f"no wheel of {version} is for this kind of machine: {join_items(wheel.filename for wheel in wheels)}"
        elsewhere = "run it on a machine that one of the wheels is for, or "
    sdist = next((file for file in files if file.kind == "sdist"), None) if detail else None
    if detail and (sdist is None or not sdists):
        if sdist is not None:
            detail, elsewhere = f"{detail}, and {NOT_BUILT}", f"{elsewhere}give {BUILD}, or "
        raise _Ended(unavailable(source, detail, f"{elsewhere}{LEAVE_OUT}"))
    if sdist is not None:
        if (python := find_interpreter(sdist.requires_python, environ, cancel=cancel)) is not None:
            return python, sdist
        needed = f"Python {sdist.requires_python}"
        raise _Ended(unavailable(source, f"no Python on this machine fits, needed: {needed}", "install one"))
    if (found := find_python(wheels, environ, cancel)) is not None:
        return found, None
    needed, remedy = describe_needed_python(wheels)
    raise _Ended(unavailable(source, f"no Python on this machine fits, needed: {needed}", remedy))


@dataclass
class _Attempt:
    source: str
    channel: Channel
    name: str
    version: str
    interpreter: Interpreter
    private: Path
    environ: Mapping[str, str]
    started: float
    deadline: float
    cancel: Event | None
    files: tuple[IndexFile, ...]
    most_bytes: int
    sdists: bool
    sdist: IndexFile | None
    _env: dict[str, str] = field(init=False)
    _pip_command: tuple[str, ...] = field(init=False)
    _filename: str | None = field(init=False, default=None)
    """The version's file that is installed."""

    def run(self) -> Observation[Installation]:
        for folder in ("home", "empty", "wheel"):
            (self.private / folder).mkdir()
        # Without it pip reads the configuration of the machine and of the environment even with --isolated.
        self._env = {**build_clean_environment(self.environ, self.private / "home"), "PIP_CONFIG_FILE": "/dev/null"}
        self._make_environment()
        # Two steps: an index for this package only must not supply its dependencies. On a test index, anybody can put
        # anything under any name.
        dependencies = self.channel.dependencies_index_url or self.channel.index_url
        only = ["--prefer-binary"] if self.sdists else _WHEELS_ALONE
        said = self._pip("install", dependencies, [*only, *_QUIET, "--no-compile", self._built() or self._downloaded()])
        installed = self._installed_version()
        if installed is None:
            raise self._end(detail="pip reports success, but the environment has no metadata of the package")
        return self._end(succeeded=True, installed=installed, detail=said).outcome

    def _built(self) -> str | None:
        """Return the sdist by its address; what builds it comes from the index of dependencies too."""
        if self.sdist is None:
            return None
        self._filename = self.sdist.filename
        checked = f"#sha256={self.sdist.sha256}" if self.sdist.sha256 else ""
        return f"{self.name} @ {self.sdist.url}{checked}"

    def _downloaded(self) -> str:
        """Return the wheel."""
        arguments = [*_WHEELS_ALONE, *_QUIET, "--no-deps", "--dest", str(self.private / "wheel")]
        self._pip("download", self.channel.index_url, [*arguments, f"{self.name}=={self.version}"])
        wheel = next((self.private / "wheel").glob("*.whl"))
        self._filename = wheel.name
        if direct := find_direct_dependency(wheel, self.interpreter.version):
            named = sanitize(direct, 200)
            why = f"the dependency {named!r} is a direct URL: only files of the index are installed"
            raise _Ended(unavailable(self.source, why, f"install it by hand to see whether it works, and {LEAVE_OUT}"))
        return str(wheel)

    def _make_environment(self) -> None:
        # A pip that is already installed saves the seconds that installing the bundled one takes.
        shared = self._has_pip_for_others()
        options = ["--without-pip"] if shared else []
        code, output = self._call([self.interpreter.path, "-I", "-m", "venv", *options, str(self.private / "venv")])
        if code != 0:
            why = f"{self.interpreter.label} cannot make an environment: {_last_line(output)}"
            raise _Ended(unavailable(self.source, why, "install that Python's venv module (Debian: python3-venv)"))
        pip = ("-I", "-m", "pip")
        self._pip_command = (self.interpreter.path, *pip, "--python", self._python) if shared else (self._python, *pip)

    def _has_pip_for_others(self) -> bool:
        """Return whether the interpreter's own pip can work on another environment."""
        code, output = self._call([self.interpreter.path, "-I", "-c", _PIP_VERSION])
        found = re.fullmatch(r"(\d+)\.(\d+)\S*", output.strip())
        return code == 0 and found is not None and (int(found[1]), int(found[2])) >= _KNOWS_PYTHON

    def _pip(self, command: str, index_url: str, arguments: Sequence[str]) -> str:
        log = self.private / f"{command}.log"
        pip = [*self._pip_command, "--isolated", "--disable-pip-version-check", "--no-input"]
        options = ["--no-cache-dir", "--timeout", "15", "--retries", "2", "--log", str(log)]
        index = [*find_certificate_options(self.environ), *build_index_options(index_url, self.private)]
        code, output = self._call([*pip, *options, command, *index, *arguments])
        if code == 0:
            return _tail(output)
        judgement = judge_failure(output, self._log(), self.name, self.files)
        line = self._without_passwords(judgement.line)
        if judgement.ended is PipEnded.UNAVAILABLE:
            temporary = judgement.remedy is None
            raise _Ended(unavailable(self.source, line, judgement.remedy, temporary=temporary))
        if judgement.ended is PipEnded.NOT_ATTEMPTED:
            raise _Ended(unavailable(self.source, line, f"give {BUILD}, or {LEAVE_OUT}"))
        raise self._end(detail=f"{line}\n{_tail(output)}")

    def _log(self) -> str:
        """Return the logs of both steps of pip."""
        return "".join(_read(self.private / f"{step}.log", _LOG_LIMIT) for step in ("download", "install"))

    def _installed_version(self) -> str | None:
        places = {str(path.resolve()) for path in (self.private / "venv").glob("lib*/*/site-packages")}
        code, output = self._call([self._python, "-I", "-S", "-c", _PROBE, self.name, *sorted(places)])
        return output.strip() or None if code == 0 else None

    @property
    def _python(self) -> str:
        return str(self.private / "venv" / "bin" / "python")

    def _call(self, command: Sequence[str]) -> tuple[int, str]:
        """Return the exit code and the output of a program, without user names and passwords."""
        left = self.deadline - time.monotonic()
        room = FolderLimit(self.private, self.most_bytes)
        bounded = limit_memory(command, PIP_MEMORY, file_size=self.most_bytes)
        done = run_bounded(
            bounded, env=self._env, cwd=self.private / "empty", seconds=left, cancel=self.cancel, room=room
        )
        if done.stopped == "room" or (done.code and not done.stopped and _TOO_LARGE in done.text):
            why = f"the installation downloads and unpacks more than {self.most_bytes / 2**20:g} MiB"
            raise _Ended(unavailable(self.source, why, "allow more with --install-size, or give --no-install"))
        if done.stopped:
            if done.stopped == "cancelled":
                raise _Ended(unavailable(self.source, "the run was cancelled during the installation"))
            why = f"not finished within {self.deadline - self.started:.0f} seconds"
            raise _Ended(unavailable(self.source, why, "try again, or raise --install-timeout", temporary=True))
        return done.code, self._without_passwords(done.text)

    def _without_passwords(self, text: str) -> str:
        indexes = self.channel.index_url, self.channel.dependencies_index_url or ""
        return strip_passwords(text, [*indexes, *list_proxies(self.environ)])

    def _end(self, *, succeeded: bool = False, installed: str | None = None, detail: str) -> _Ended:
        return _Ended(
            known(
                Installation(
                    attempted=True,
                    succeeded=succeeded,
                    filename=self._filename,
                    interpreter=self.interpreter.label,
                    installed_version=installed,
                    detail=detail,
                    seconds=round(time.monotonic() - self.started, 1),
                )
            )
        )


def _tail(output: str) -> str:
    return "\n".join(line[:_LINE_LENGTH] for line in output.strip().splitlines()[-_LINES:])


def _last_line(output: str) -> str:
    return _tail(output).rpartition("\n")[2]


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit).decode(errors="replace")
    except OSError:
        return ""
