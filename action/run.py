"""Run by the GitHub Action: install the suite in its own environment, run it, and trust only the report of *this* run.

Uses only the standard library. Exit code: the suite's, or 3 if it could not be installed or wrote no report.
`run.py downloads` names the folder of downloads and the key of its cache instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

OLDEST = (3, 11, 5)
"""The oldest Python that every file of the requirements supports."""
REQUIREMENTS = Path(__file__).resolve().with_name("requirements.txt")
PREFIX = "RELEASE_STATE_ACTION_"


def main(arguments: list[str]) -> int:
    """Run the action with the inputs from the environment; return the exit code."""
    if arguments == ["downloads"]:
        return name_downloads()
    temporary = Path(tempfile.mkdtemp(prefix="release-state-", dir=os.environ.get("RUNNER_TEMP")))
    reports = temporary / "reports"
    command = os.environ.get(f"{PREFIX}COMMAND")  # an installed suite, for a runner that has one
    try:
        given = list(read_options(os.environ))
        downloads = Path(os.environ.get(f"{PREFIX}DOWNLOADS") or temporary / "downloads")
        program = command or str(install(temporary / "venv", downloads))
    except ValueError as error:
        return fail(str(error), 4)
    except subprocess.CalledProcessError as error:
        return fail(f"could not be installed (exit code {error.returncode})", 3)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    code = subprocess.run([program, "--reports-dir", str(reports), *given], check=False, env=environment).returncode
    return confirm(reports, code)


def fail(why: str, code: int) -> int:
    """Say in an annotation why the action fails; return the exit code. The reason holds no text of an input."""
    print(f"::error title=release-state::{why}")
    return code


def read_options(environ: Mapping[str, str]) -> Iterator[str]:
    """The options that the inputs stand for; an empty input is none. Raises ValueError for a switch that is neither."""
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        kind, _, rest = name.removeprefix(PREFIX).partition("_")
        option, text = f"--{rest.lower().replace('_', '-')}", environ[name]
        # One word with its name: on its own, a value that begins with "@" would be read as a file of more arguments.
        if kind == "VALUE" and (text or option == "--version"):
            yield f"{option}={text}"
        elif kind == "LINES":
            yield from (f"{option}={line.strip()}" for line in text.splitlines() if line.strip())
        elif kind == "SWITCH" and text == "true":
            yield option
        elif kind == "SWITCH" and text not in ("", "false"):
            raise ValueError(f"input {option[2:]}: expected true or false")


def name_downloads() -> int:
    """Write the folder of downloads and its key to the outputs: one key for each list of files and kind of runner."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    system = f"{sys.platform}-{platform.machine()}-{sys.implementation.cache_tag}"
    folder = Path(os.environ["RUNNER_TEMP"], "release-state-downloads")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"path={folder}\nkey=release-state-{system}-{digest}\n")
    return 0


def install(folder: Path, downloads: Path) -> Path:
    """Install this action's suite into its own environment; return the console command.

    First its dependencies and what builds it, each file by its hash, then the suite itself, without any download.
    Raises subprocess.CalledProcessError, and ValueError if this Python is too old.
    """
    if sys.version_info < OLDEST:
        raise ValueError(f"needs Python {'.'.join(map(str, OLDEST))} or newer: use actions/setup-python before it")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    # Other people's code builds the suite, and does not need the token.
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}

    def pip(command: str, *arguments: object, check: bool = True) -> int:
        words = [python, "-I", "-m", "pip", "--disable-pip-version-check", command, "--quiet", *arguments]
        return subprocess.run([str(word) for word in words], check=check, env=environment).returncode

    verified = ("--require-hashes", "--only-binary", ":all:", "--requirement")
    offline = ("--no-index", "--find-links", downloads)
    cached = downloads.is_dir() and any(downloads.glob("*.whl"))
    if not cached or pip("install", *offline, *verified, REQUIREMENTS, check=False):
        shutil.rmtree(downloads, ignore_errors=True)
        pip("download", "--dest", downloads, *verified, REQUIREMENTS)
        pip("install", *offline, *verified, REQUIREMENTS)
    pip("install", "--no-index", "--no-deps", "--no-build-isolation", REQUIREMENTS.parent.parent)
    if packages := environment.get(f"{PREFIX}PACKAGES"):
        listed = folder / "packages.txt"
        listed.write_text(packages, encoding="utf-8")
        pip("install", "--no-deps", *verified, listed)
    return python.with_name("release-state")


def confirm(reports: Path, code: int) -> int:
    """Return the exit code, once this run wrote a report that says the same.

    The folder was empty before, so that an older report cannot pass for this one. The run itself writes the outputs.
    """
    written = sorted(path for path in reports.glob("*.json") if not path.name.startswith("latest"))
    if not written or not written[-1].stat().st_size:
        return fail("the run wrote no report, so nothing was verified", code or 3)
    if json.loads(written[-1].read_text(encoding="utf-8"))["exit_code"] != code:
        return fail("the report has another exit code", code or 3)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
