"""What the GitHub Action runs: install the suite beside nothing else, run it, believe the report of *this* run alone.

Standard library alone. Exit code: the suite's; 3 where it ended without having written a report of this run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def main() -> int:
    """Run the action; reads the inputs from the environment."""
    temporary = Path(tempfile.mkdtemp(prefix="release-state-", dir=os.environ.get("RUNNER_TEMP")))
    reports = temporary / "reports"
    command = os.environ.get("RELEASE_STATE_ACTION_COMMAND")  # an installed suite, for a runner that has one
    try:
        program = [command] if command else [str(install(temporary / "venv"))]
    except subprocess.CalledProcessError as error:
        print(f"::error title=release-state::could not be installed (exit code {error.returncode})")
        return 3
    arguments = ["--reports-dir", str(reports)]
    # In one word with their names: alone, a value that begins with "@" would be read as a file of more arguments.
    for name in ("version", "channel", "phase"):
        arguments.append(f"--{name}={os.environ.get(f'RELEASE_STATE_ACTION_{name.upper()}', '')}")
    for name in ("package", "wait"):
        if given := os.environ.get(f"RELEASE_STATE_ACTION_{name.upper()}"):
            arguments.append(f"--{name}={given}")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RELEASE_STATE_ACTION_")}
    code = subprocess.run([*program, *arguments], check=False, env=environment).returncode
    return confirm(reports, code)


def install(folder: Path) -> Path:
    """Install the suite of this action into an environment of its own; gives the console command."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # What builds the suite is other people's code, and has no use for the token.
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    subprocess.run([*pip, str(Path(__file__).resolve().parent.parent)], check=True, env=environment)
    return python.with_name("release-state")


def confirm(reports: Path, code: int) -> int:
    """The exit code, once it is sure that this run wrote a report and that the report says the same.

    The folder was empty before, so that no older report can pass for this run's. The outputs are written by the run.
    """
    written = sorted(path for path in reports.glob("*.json") if not path.name.startswith("latest"))
    if not written or not written[-1].stat().st_size:
        print("::error title=release-state::the run wrote no report, so nothing was verified")
        return code or 3
    if json.loads(written[-1].read_text(encoding="utf-8"))["exit_code"] != code:
        print("::error title=release-state::the exit code is not the report's")
        return code or 3
    return code


if __name__ == "__main__":
    sys.exit(main())
