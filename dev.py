#!/usr/bin/env python3
"""Everything that a checkout needs, from Python and git alone: `python3 dev.py demo`, `python3 dev.py test`.

setup               make .venv with the suite and what its tests need
demo [SCENARIO]     install the suite alone, then judge an embedded demo world: verdict and report (default: partial)
test [ARGUMENT …]   setup, then ruff, mypy, import-linter and pytest, which gets the arguments; in CI (CI=true)
                    also installs what tests need beyond Python
tools               install what tests need beyond Python, as `test` does in CI
docs                setup, then make the documentation site in build/docs/site
sample              setup, then write the sample reports and their pictures anew (needs Chromium)
benchmark           setup, then measure how fast the suite is and write docs/performance.md
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
TOOLS = ROOT / ".tools"
#: Files that tests compare with, out of npm packages that nothing is run of: folder, package, member of its archive.
FROM_NPM = (
    ("openapi", "@octokit/openapi@23.0.2", "package/generated/api.github.com.json"),
    ("axe", "axe-core@4.14.1", "package/axe.min.js"),
)


def run(*command: object, **more: object) -> None:
    """Run a command in the checkout; if it fails, exit with its code."""
    arguments = [str(part) for part in command]
    code = subprocess.run(arguments, cwd=ROOT, check=False, **more).returncode  # type: ignore[call-overload]
    if code:
        sys.exit(code)


def setup(*groups: str) -> None:
    """Make the environment with these dependency groups, unless it was made from these files and has them."""
    files = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()
    stamp = VENV / "made-from"
    made, *present = stamp.read_text(encoding="utf-8").split() if stamp.is_file() else [""]
    if made == wanted and set(groups) <= set(present):
        return
    print(f"making {VENV} ...", flush=True)
    if made != wanted:
        venv.create(VENV, with_pip=True, clear=True, symlinks=os.name != "nt")
    # Python compiles what it imports; compiling all that is installed takes as long as the rest.
    pip = (BIN / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile")
    # Most pins do not support Python 3.10, which takes the newest that do.
    constraints = ("--constraint", ROOT / "constraints.txt") if sys.version_info >= (3, 11) else ()
    if groups:
        run(*pip, "pip>=25.1")  # the first one with dependency groups
    run(*pip, *constraints, "--editable", ROOT, *(word for group in groups for word in ("--group", group)))
    stamp.write_text(" ".join([wanted, *groups]), encoding="utf-8")


def tools() -> None:
    """Install what tests need beyond Python: Chromium, gh, npm, sshd, files out of npm packages (CI, as root)."""
    wanted = {"chromium": "chromium", "gh": "gh", "npm": "npm", "sshd": "openssh-server"}
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [package for program, package in wanted.items() if shutil.which(program, path=path) is None]
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "-qq", "update", env=environment)
        run("apt-get", "-qq", "install", "--yes", "--no-install-recommends", *missing, env=environment)
    for name, package, member in FROM_NPM:
        folder = TOOLS / name
        if not (folder / Path(member).name).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            run("npm", "pack", "--silent", "--pack-destination", folder, package)
            archive = next(folder.glob("*.tgz"))
            run("tar", "-xzf", archive, "-C", folder, f"--strip-components={member.count('/')}", member)
            archive.unlink()


def test(arguments: Sequence[str]) -> None:
    """Lint, type-check and test."""
    if os.environ.get("CI"):
        tools()
    run(BIN / "ruff", "check", ".")
    run(BIN / "ruff", "format", "--check", ".")
    run(BIN / "mypy")
    if sys.version_info >= (3, 11):  # import-linter supports no older one
        run(BIN / "lint-imports", "--no-cache")
    named = any((ROOT / argument.partition("::")[0]).exists() for argument in arguments)
    run(BIN / "python", "-m", "pytest", *([] if named else ["tests"]), *arguments)


def main() -> None:
    """Run one command."""
    command, *arguments = sys.argv[1:] or ["help"]
    if command not in ("setup", "demo", "test", "tools", "docs", "sample", "benchmark"):
        sys.exit(__doc__)
    if command == "tools":
        tools()
        return
    setup(*(() if command == "demo" else ("dev", "docs")))
    if command == "demo":
        run(BIN / "python", "-m", "pytest", "checks/", "--demo", *(arguments or ["partial"]))
    elif command == "test":
        test(arguments)
    elif command == "docs":
        run(BIN / "python", "-m", "tests.docs.site", *arguments)
    elif command == "sample":
        run(BIN / "python", ROOT / "reports" / "make_sample.py")
    elif command == "benchmark":
        run(BIN / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--group", "benchmark")
        run(BIN / "python", "-m", "benchmarks", *arguments)


if __name__ == "__main__":
    main()
