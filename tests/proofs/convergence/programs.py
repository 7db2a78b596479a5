"""The programs on PATH of whoever types what a plan prints. git and bash are the real ones.

`gh` is `gh.py`, which talks to the world's GitHub over HTTP. `python` is the real one but for `-m build`, `-m twine`
and `-m pip wheel`, which build from the folder, build from the sdist on the index, and upload into the index.
`release-state` judges as the program does, and ends with its exit code. Each of these is a small bash script that hands
its command line over to this process: starting an interpreter each time would cost more than all that is done.
"""

from __future__ import annotations

import argparse
import os
import shlex
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.demo.git import environment
from release_state.model.outcome import Phase
from release_state.model.plan import Wanted
from release_state.verdict.verdict import TargetVerdict
from tests.proofs.convergence import gh
from tests.proofs.convergence.builds import built, from_sdist, uploaded

if TYPE_CHECKING:
    from tests.proofs.convergence.bench import Bench

#: Hands the folder and the words over, each ended by a zero byte; the answer is an exit code, a line feed and a text.
_RELAY = """#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/{port}"
printf '%s\\0' "$(($# + 2))" "$PWD" {name} "$@" >&3
IFS= read -r code <&3
IFS= read -r -d '' said <&3
printf '%s' "$said"
exit "$code"
"""
_PYTHON = """#!/bin/bash
case "$1 $2 $3" in
"-m build"*|"-m twine"*|"-m pip wheel"*) exec {relay} "$@" ;;
*) exec {python} "$@" ;;
esac
"""


class Programs:
    """What is on PATH, and what is done when it is called."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.wanted: Wanted = "auto"
        """Which way the plans lead that `release-state` prints."""
        self.answers: list[TargetVerdict] = []
        """What `release-state` said, in order, where something follows from it."""
        self.more_environment: dict[str, str] = {}
        self._folder = bench.world.root / "bin"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Lay them out and listen to them."""
        self._folder.mkdir()
        server = _Listener(("127.0.0.1", 0), _Asked)
        server.programs = self
        port = server.server_address[1]
        for name in ("gh", "release-state", "relay-python"):
            self._write(name, _RELAY.format(port=port, name=name.removeprefix("relay-")))
        relay = shlex.quote(str(self._folder / "relay-python"))
        self._write("python", _PYTHON.format(relay=relay, python=shlex.quote(sys.executable)))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="programs")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _write(self, name: str, script: str) -> None:
        path = self._folder / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """The environment of the commands: nothing of this process that could steer them."""
        root = self.bench.world.root
        steering = ("GH_", "GITHUB_", "RELEASE_STATE_", "PYTEST_", "PYTHON", "CI")
        env = {name: text for name, text in environment(root).items() if not name.startswith(steering)}
        return {
            **env,
            "PATH": f"{self._folder}{os.pathsep}{env['PATH']}",
            "GH_TOKEN": self.bench.world.token,
            **self.more_environment,
        }

    @contextmanager
    def with_gh(self, program: str, environment: Mapping[str, str]) -> Iterator[None]:
        """Put another gh on PATH, with what its environment needs."""
        usual = (self._folder / "gh").read_text(encoding="utf-8")
        self._write("gh", f'#!/bin/sh\nexec {shlex.quote(program)} "$@"\n')
        self.more_environment = dict(environment)
        try:
            yield
        finally:
            self._write("gh", usual)
            self.more_environment = {}

    def asked(self, folder: Path, argv: Sequence[str]) -> tuple[int, str]:
        """Do what a program was called for: its exit code and its output."""
        index = self.bench.world.index
        try:
            match list(argv):
                case ["gh", *words]:
                    return gh.run(words, self.bench.world.github.url, self.bench.world.token, folder)
                case ["release-state", *options]:
                    return self._judge(options)
                case ["python", "-m", "build", name]:
                    return 0, built(folder / name)
                case ["python", "-m", "pip", "wheel", "--no-deps", "--wheel-dir", name, url]:
                    return 0, from_sdist(url, folder / name)
                case ["python", "-m", "twine", "check", *patterns]:
                    return 0, " ".join(path.name for path in _files(folder, patterns))
                case ["python", "-m", "twine", "upload", "--repository", _, *patterns]:
                    # The section of .pypirc is named by the index's host: both channels of the world are on one.
                    return 0, uploaded(index, self.followed[1], _files(folder, patterns), self.bench.world.tick)
        except Exception as error:  # whatever it is, the program that was called has failed
            return 1, f"{type(error).__name__}: {error}"
        return 2, f"unknown command: {shlex.join(argv)}"

    def _judge(self, options: Sequence[str]) -> tuple[int, str]:
        """Judge, where something follows from it; a look at the same release before the plan's end changes nothing."""
        parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
        parser.add_argument("--version", required=True)
        parser.add_argument("--channel", required=True)
        parser.add_argument("--phase")
        for name in ("package", "repository", "remote-url"):
            parser.add_argument(f"--{name}", required=True)
        parser.add_argument("--repo")
        # What the bench gives its runs is repeated; any other setting was not said.
        parser.add_argument("--workflow", choices=["release.yml"])
        parser.add_argument("--version-rules", default="auto")
        parser.add_argument("--no-install", action="store_true")
        parser.add_argument("--plan")
        parser.add_argument("--wait")  # what was started has ended by then
        parser.add_argument("--github-api-url", required=True)
        parser.add_argument("--github-server-url", required=True)
        parser.add_argument("--index-url", action="append", required=True)
        given, unknown = parser.parse_known_args(options)
        if unknown:
            return 4, f"unknown options {unknown}"
        world = self.bench.world
        clone = str(world.clone) if self.bench.has_clone else None
        indexes = [f"{name}={world.index_url(name)}" for name in ("pypi", "testpypi")]
        here = (world.package, world.repository, clone, world.remote_url, world.github.url, indexes)
        asked = (given.package, given.repository, given.repo, given.remote_url, given.github_api_url, given.index_url)
        if (*asked, given.version_rules) != (*here, self.bench.rules):
            return 4, f"asked about another project: {options}"
        if (given.version, given.channel) == self.followed and not given.phase:
            return 0, "looked at again at the end"
        phase = Phase(given.phase) if given.phase else None
        found = self.bench.observe(given.version, given.channel, self.wanted, phase)
        self.answers.append(found)
        return int(found.exit), found.words

    followed = ("", "")
    """Version and channel whose plan is being followed."""


def _files(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files that twine finds: it fills patterns in itself."""
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    if not found:
        raise ValueError(f"Cannot find file (or expand pattern): {patterns}")
    return found


class _Listener(socketserver.TCPServer):
    programs: Programs


class _Asked(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """One call of a program."""
        server = self.server
        assert isinstance(server, _Listener)
        count = int(self._word())
        folder, *argv = [self._word() for _ in range(count)]
        code, text = server.programs.asked(Path(folder), argv)
        self.wfile.write(f"{code}\n{text}\n".encode())

    def _word(self) -> str:
        word = bytearray()
        while (byte := self.rfile.read(1)) and byte != b"\0":
            word += byte
        return word.decode()
