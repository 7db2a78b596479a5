"""Run by the GitHub Action: install the suite in its own environment, run it, and trust only the report of *this* run.

Uses only the standard library. Exit code: the suite's, or 3 if the suite wrote no report.
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
    """Run the action with the inputs from the environment; return the exit code."""
    temporary = Path(tempfile.mkdtemp(prefix="release-state-", dir=os.environ.get("RUNNER_TEMP")))
    reports = temporary / "reports"
    command = os.environ.get("RELEASE_STATE_ACTION_COMMAND")  # an installed suite, for a runner that has one
    try:
        program = [command] if command else [str(install(temporary / "venv"))]
    except subprocess.CalledProcessError as error:
        print(f"::error title=release-state::could not be installed (exit code {error.returncode})")
        return 3
    arguments = ["--reports-dir", str(reports)]
    # One word with its name: on its own, a value that begins with "@" would be read as a file of more arguments.
    for name in ("version", "channel", "phase"):
        arguments.append(f"--{name}={os.environ.get(f'RELEASE_STATE_ACTION_{name.upper()}', '')}")
    for name in ("package", "wait"):
        if given := os.environ.get(f"RELEASE_STATE_ACTION_{name.upper()}"):
            arguments.append(f"--{name}={given}")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RELEASE_STATE_ACTION_")}
    code = subprocess.run([*program, *arguments], check=False, env=environment).returncode
    return confirm(reports, code)


def install(folder: Path) -> Path:
    """Install this action's suite into its own environment; return the console command."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Other people's code builds the suite, and does not need the token.
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    subprocess.run([*pip, str(Path(__file__).resolve().parent.parent)], check=True, env=environment)
    return python.with_name("release-state")


def confirm(reports: Path, code: int) -> int:
    """Return the exit code, once this run wrote a report that says the same.

    The folder was empty before, so that an older report cannot pass for this one. The run itself writes the outputs.
    """
    written = sorted(path for path in reports.glob("*.json") if not path.name.startswith("latest"))
    if not written or not written[-1].stat().st_size:
        print("::error title=release-state::the run wrote no report, so nothing was verified")
        return code or 3
    if json.loads(written[-1].read_text(encoding="utf-8"))["exit_code"] != code:
        print("::error title=release-state::the report has another exit code")
        return code or 3
    return code


if __name__ == "__main__":
    sys.exit(main())
