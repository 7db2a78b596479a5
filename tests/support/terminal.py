"""A run on a terminal, and the rows that are left on it in the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.cli import ROOT, clean_environment, with_calculated

ROWS, COLUMNS = 30, 100
"""A terminal as it is opened by most; the last rows of it are what a person sees."""
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[^\x1b]*\x1b\\")


def on_a_terminal(
    arguments: Sequence[str],
    home: Path,
    env: Mapping[str, str] | None = None,
    *,
    rows: int = ROWS,
    columns: int = COLUMNS,
) -> tuple[int, str]:
    """The exit code of a run of all checks on a terminal, and everything that it was sent."""
    with_calculated(home)
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "checks/", *arguments],
        cwd=ROOT, env={**clean_environment(home), "TERM": "xterm", "LANG": "C.UTF-8", **(env or {})},
        stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    sent = bytearray()
    while True:
        try:
            data = os.read(controller, 65_536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        sent += data
    os.close(controller)
    return run.wait(60), sent.decode()


def screen_of(sent: str, columns: int = COLUMNS) -> list[str]:
    """The rows that are left of it: what was written over is gone, and what is too long takes two rows."""
    rows = []
    for line in _ESCAPE.sub("", sent).replace("\r\n", "\n").rstrip("\n").split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        shown = shown.rstrip()
        rows += [shown[at : at + columns] for at in range(0, max(len(shown), 1), columns)]
    return rows


_PARTS = (
    (r"\S*/release-state-\w+/release-state-demo-\w+", "/world"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"semantic-release \d+\.\d+\.\d+", "semantic-release X.Y.Z"),
    (r"report: \S*/(\S+)-\d{8}T\d{6}Z\.html", r"report: /reports/\1-TIME.html"),
)
"""What differs from run to run, and what stands for it on a screen that is kept."""


def last_screen_of(sent: str) -> str:
    """The last rows, as a person sees them, with the same words for what differs from run to run."""
    for pattern, words in _PARTS:
        sent = re.sub(pattern, words, sent)
    return "\n".join(screen_of(sent)[-ROWS:]) + "\n"
