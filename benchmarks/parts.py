"""Where the time of one gate goes: `-p benchmarks.parts` in its command line, and the moments in a file in the end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest

BEGAN, FILE = "RELEASE_STATE_BENCHMARK_BEGAN", "RELEASE_STATE_BENCHMARK_PARTS"
PARTS = (
    "Python and pytest start",
    "the suite is imported, the configuration is read",
    "checks are collected, meanwhile services are asked",
    "waiting for the last answer, and the checks",
    "verdict and reports",
    "pytest ends",
)
_moments = [float(os.environ.get(BEGAN, "0"))]


def _now() -> None:
    _moments.append(time.time())


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """The suite begins to be imported."""
    _now()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """The services have been asked."""
    _now()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """The checks run."""
    _now()
    result = yield
    _now()
    return result


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """The reports are there."""
    _now()
    Path(os.environ[FILE]).write_text(json.dumps(_moments), encoding="utf-8")
