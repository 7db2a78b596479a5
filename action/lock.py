#!/usr/bin/env python3
"""Make `requirements.txt` anew: `python3 action/lock.py`. What the suite and its build need, each file by its hash.

The versions are those of `constraints.txt`, which CI tests with. uv resolves them for every Python from 3.11.5 on.
Source: https://docs.astral.sh/uv/pip/compile/
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
HEAD = "# Made by `python3 action/lock.py`: what the action installs before this suite, for Python 3.11.5 and newer.\n"
UV = "uv==0.13.9"
OPTIONS = (
    *("--universal", "--python-version", "3.11.5", "--generate-hashes", "--only-binary", ":all:"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"),
)


def main() -> None:
    """Write the file."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    build = re.search(r'^requires = \["(.*)"\]$', project, re.MULTILINE)
    if build is None:
        sys.exit("pyproject.toml: the line of what builds the suite is not as expected")
    with tempfile.TemporaryDirectory() as folder:
        tool, builds, made = Path(folder, "uv"), Path(folder, "build.in"), Path(folder, "requirements.txt")
        builds.write_text(f"{build[1]}\n", encoding="utf-8")
        venv.create(tool, with_pip=True)
        programs = tool / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", UV], check=True)
        sources = [ROOT / "pyproject.toml", builds, "--constraint", ROOT / "constraints.txt"]
        subprocess.run([programs / "uv", "pip", "compile", *OPTIONS, *sources, "--output-file", made], check=True)
        (HERE / "requirements.txt").write_text(HEAD + made.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
