"""What stands on PATH for `release-state` and for `python -m build` and `twine`: hands its command line on and ends.

A program of its own, from the standard library alone. The work is done where the world is, which listens on the socket
named by `CONVERGENCE_SOCKET`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path


def main() -> int:
    """Ask, print what is said, and end with the exit code that is told."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["CONVERGENCE_SOCKET"])
        connection.sendall(json.dumps([str(Path.cwd()), *sys.argv[1:]]).encode() + b"\n")
        code, text = json.loads(connection.makefile().readline())
    sys.stdout.write(f"{text}\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
