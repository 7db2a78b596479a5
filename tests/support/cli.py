"""Runs the suite the way a person does: a process of its own, in an environment where nothing is inherited."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# A process needs these to start and to reach the outside at all; everything else would be a hidden input.
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TERM")
_KEPT_TOO = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO")
_PROXY = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def clean_environment(home: Path | str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Without GITHUB_*, GH_*, RELEASE_STATE_*, PYTEST_* and PYTHON*, and with a home of its own."""
    kept = {name: os.environ[name] for name in (*_KEPT, *_KEPT_TOO) if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.lower() in _PROXY}
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", **(more or {})}


_shared: Path | None = None


def share(folder: Path) -> None:
    """Keep what the project's tool said in a folder that other workers of the test run keep it in, too."""
    global _shared
    folder.mkdir(exist_ok=True)
    _shared = folder


@cache
def _calculated() -> Path:
    """A folder for as long as these tests run."""
    if _shared is not None:
        return _shared
    folder = Path(tempfile.mkdtemp(prefix="calculated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def with_calculated(home: Path | str) -> None:
    """Share what the project's tool said of the same commits with a home: asking it takes a second of every run."""
    kept = Path(home, ".cache", "release-state")
    kept.mkdir(parents=True, exist_ok=True)
    if not (kept / "calculated").exists():
        (kept / "calculated").symlink_to(_calculated())


def suite(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    timeout: float = 60,
    reports_dir: Path | str | None = None,
    first: Sequence[str] = ("checks/",),
) -> subprocess.CompletedProcess[str]:
    """Run `python -m pytest checks/ ARGS` from the checkout (or from `cwd`) and wait for it.

    `env` is added to a clean environment; `first` stands before the arguments, for another file than all checks.
    """
    where = () if reports_dir is None else ("--reports-dir", str(reports_dir))
    with tempfile.TemporaryDirectory(prefix="release-state-home-") as home:
        with_calculated(home)
        return subprocess.run(
            [sys.executable, "-m", "pytest", *first, *where, *args],
            cwd=cwd or ROOT,
            env=clean_environment(home, env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
