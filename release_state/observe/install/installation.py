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
from release_state.observe.install.interpreters import (
    Interpreter,
    build_clean_environment,
    describe_needed_python,
    find_interpreter,
    is_any_for_this_machine,
    list_wheels,
)
from release_state.observe.install.pip import (
    BUILD,
    LEAVE_OUT,
    NOT_BUILT,
    PipEnded,
    build_index_options,
    find_certificate_options,
    find_direct_dependency,
    judge_failure,
    list_proxies,
    strip_passwords,
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
    """Install exactly this version from the channel's index with pip, into a temporary environment. Never raises.

    `files` are the version's files on the index. `timeout` is in seconds, for all of it. PATH, the proxies and the
    certificates come from `environ`; pip reads no other configuration, which may name another index. `most_bytes` may
    be downloaded and unpacked. Setting `cancel` ends it early. Only wheels are installed, of the package and its
    dependencies, so no foreign code runs: no build, and nothing that a wheel adds to Python's start-up. `sdists` lets
    pip build what has no wheel.

    Known, with `succeeded` false: pip had its answers and refuses. Unavailable: no wheel for this machine, a dependency
    without a wheel or not from the index, no Python that fits, no answer from the index, an answer that differs from
    what the index lists, a limit.
    """
    source = f"installation from {channel.name}"
    name = canonicalize_name(package)
    try:
        if urlsplit(channel.index_url).scheme not in ("http", "https"):
            return unavailable(source, "pip can only install from an http or https index")
        return _Attempt(
            source, channel, name, version, tuple(files), timeout, environ, most_bytes, sdists, cancel
        ).run()
    except _Ended as ended:
        return ended.outcome
    except (OSError, ValueError) as error:
        return unavailable(source, f"the installation could not start: {error}"[:_LINE_LENGTH])


@dataclass
class _Attempt:
    source: str
    channel: Channel
    name: str
    version: str
    files: tuple[IndexFile, ...]
    timeout: float
    environ: Mapping[str, str]
    most_bytes: int
    sdists: bool
    cancel: Event | None
    _private: Path = field(init=False)
    _env: dict[str, str] = field(init=False)
    _interpreter: Interpreter = field(init=False)
    _pip_command: tuple[str, ...] = field(init=False)
    _filename: str | None = field(init=False, default=None)
    """The version's file that is installed."""
    _started: float = field(init=False, default_factory=time.monotonic)

    def run(self) -> Observation[Installation]:
        self._interpreter, sdist = self._choose()
        with TemporaryDirectory(prefix="release-state-", ignore_cleanup_errors=True) as private:
            self._private = Path(private)
            for folder in ("home", "empty", "wheel"):
                (self._private / folder).mkdir()
            # Without it pip reads the configuration of the machine and of the environment even with --isolated.
            clean = build_clean_environment(self.environ, self._private / "home")
            self._env = {**clean, "PIP_CONFIG_FILE": "/dev/null"}
            self._make_environment()
            # Two steps: an index for this package only must not supply its dependencies. On a test index, anybody can
            # put anything under any name.
            dependencies = self.channel.dependencies_index_url or self.channel.index_url
            only = ["--prefer-binary"] if self.sdists else _WHEELS_ALONE
            file = self._name_sdist(sdist) if sdist else self._download_wheel()
            output = self._pip("install", dependencies, [*only, *_QUIET, "--no-compile", file])
            installed = self._installed_version()
            if installed is None:
                raise self._end(detail="pip reports success, but the environment has no metadata of the package")
            return self._end(succeeded=True, installed=installed, detail=output).outcome

    def _choose(self) -> tuple[Interpreter, IndexFile | None]:
        wheels, version = list_wheels(self.files), self.version
        if not self.files:
            raise _Ended(known(Installation(attempted=False, detail=f"the index has no file of {version}")))
        why, elsewhere = "", ""
        if not wheels:
            why = f"the index has no wheel of {version}"
        elif not is_any_for_this_machine(wheels):
            listed = join_items(wheel.filename for wheel in wheels)
            why = f"no wheel of {version} is for this kind of machine: {listed}"
            elsewhere = "run it on a machine that one of the wheels is for, or "
        sdist = next((file for file in self.files if file.kind == "sdist"), None) if why else None
        if why and (sdist is None or not self.sdists):
            if sdist is not None:
                why, elsewhere = f"{why}, and {NOT_BUILT}", f"{elsewhere}give {BUILD}, or "
            raise self._fail(why, f"{elsewhere}{LEAVE_OUT}")

        def fits(found: Interpreter) -> bool:
            return sdist is not None or any(wheel.fits(found) for wheel in wheels)

        asked = sdist.requires_python if sdist else None
        python = find_interpreter(asked, self.environ, accepts=fits, cancel=self.cancel)
        if python is None:
            by_sdist = (f"Python {sdist.requires_python}", "install one") if sdist else None
            needed, remedy = by_sdist or describe_needed_python(wheels)
            raise self._fail(f"no Python on this machine fits, needed: {needed}", remedy)
        return python, sdist

    def _name_sdist(self, sdist: IndexFile) -> str:
        """Return the sdist by its address; what builds it comes from the index of dependencies too."""
        self._filename = sdist.filename
        return f"{self.name} @ {sdist.url}{f'#sha256={sdist.sha256}' if sdist.sha256 else ''}"

    def _download_wheel(self) -> str:
        arguments = [*_WHEELS_ALONE, *_QUIET, "--no-deps", "--dest", str(self._private / "wheel")]
        self._pip("download", self.channel.index_url, [*arguments, f"{self.name}=={self.version}"])
        wheel = next((self._private / "wheel").glob("*.whl"))
        self._filename = wheel.name
        if direct := find_direct_dependency(wheel, self._interpreter.version):
            why = f"the dependency {sanitize(direct, 200)!r} is a direct URL: only files of the index are installed"
            raise self._fail(why, f"install it by hand to see whether it works, and {LEAVE_OUT}")
        return str(wheel)

    def _make_environment(self) -> None:
        # A pip that is already installed saves the seconds that installing the bundled one takes.
        python = self._interpreter.path
        shared = self._has_pip_for_others()
        options = ["--without-pip"] if shared else []
        code, output = self._call([python, "-I", "-m", "venv", *options, str(self._private / "venv")])
        if code != 0:
            last = _tail(output).rpartition("\n")[2]
            why = f"{self._interpreter.label} cannot make an environment: {last}"
            raise self._fail(why, "install that Python's venv module (Debian: python3-venv)")
        pip = ("-I", "-m", "pip")
        self._pip_command = (python, *pip, "--python", self._python) if shared else (self._python, *pip)

    def _has_pip_for_others(self) -> bool:
        code, output = self._call([self._interpreter.path, "-I", "-c", _PIP_VERSION])
        found = re.fullmatch(r"(\d+)\.(\d+)\S*", output.strip())
        return code == 0 and found is not None and (int(found[1]), int(found[2])) >= _KNOWS_PYTHON

    def _pip(self, command: str, index_url: str, arguments: Sequence[str]) -> str:
        pip = [*self._pip_command, "--isolated", "--disable-pip-version-check", "--no-input"]
        log = str(self._private / f"{command}.log")
        options = ["--no-cache-dir", "--timeout", "15", "--retries", "2", "--log", log]
        index = [*find_certificate_options(self.environ), *build_index_options(index_url, self._private)]
        code, output = self._call([*pip, *options, command, *index, *arguments])
        if code == 0:
            return _tail(output)
        # The logs of both steps: the first may say why the second fails.
        logs = "".join(_read(self._private / f"{step}.log", _LOG_LIMIT) for step in ("download", "install"))
        judgement = judge_failure(output, logs, self.name, self.files)
        line = self._without_passwords(judgement.line)
        if judgement.ended is PipEnded.UNAVAILABLE:
            raise self._fail(line, judgement.remedy, temporary=judgement.remedy is None)
        if judgement.ended is PipEnded.NOT_ATTEMPTED:
            raise self._fail(line, f"give {BUILD}, or {LEAVE_OUT}")
        raise self._end(detail=f"{line}\n{_tail(output)}")

    def _installed_version(self) -> str | None:
        places = {str(path.resolve()) for path in (self._private / "venv").glob("lib*/*/site-packages")}
        code, output = self._call([self._python, "-I", "-S", "-c", _PROBE, self.name, *sorted(places)])
        return output.strip() or None if code == 0 else None

    @property
    def _python(self) -> str:
        return str(self._private / "venv" / "bin" / "python")

    def _call(self, command: Sequence[str]) -> tuple[int, str]:
        """Return the exit code and the output of a program, without user names and passwords."""
        done = run_bounded(
            limit_memory(command, PIP_MEMORY, file_size=self.most_bytes),
            env=self._env,
            cwd=self._private / "empty",
            seconds=self._started + self.timeout - time.monotonic(),
            cancel=self.cancel,
            room=FolderLimit(self._private, self.most_bytes),
        )
        if done.stopped == "room" or (done.code and not done.stopped and _TOO_LARGE in done.text):
            why = f"the installation downloads and unpacks more than {self.most_bytes / 2**20:g} MiB"
            raise self._fail(why, "allow more with --install-size, or give --no-install")
        if done.stopped == "cancelled":
            raise self._fail("the run was cancelled during the installation")
        if done.stopped:
            why = f"not finished within {self.timeout:.0f} seconds"
            raise self._fail(why, "try again, or raise --install-timeout", temporary=True)
        return done.code, self._without_passwords(done.text)

    def _without_passwords(self, text: str) -> str:
        indexes = self.channel.index_url, self.channel.dependencies_index_url or ""
        return strip_passwords(text, [*indexes, *list_proxies(self.environ)])

    def _fail(self, why: str, remedy: str | None = None, *, temporary: bool = False) -> _Ended:
        return _Ended(unavailable(self.source, why, remedy, temporary=temporary))

    def _end(self, *, succeeded: bool = False, installed: str | None = None, detail: str) -> _Ended:
        outcome = Installation(
            attempted=True,
            succeeded=succeeded,
            filename=self._filename,
            interpreter=self._interpreter.label,
            installed_version=installed,
            detail=detail,
            seconds=round(time.monotonic() - self._started, 1),
        )
        return _Ended(known(outcome))


def _tail(output: str) -> str:
    return "\n".join(line[:_LINE_LENGTH] for line in output.strip().splitlines()[-_LINES:])


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit).decode(errors="replace")
    except OSError:
        return ""
