"""The world that the journeys start from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.proofs.convergence.bench import Bench
from tests.standins.world import World


@pytest.fixture(scope="session")
def _laid_out() -> Iterator[Bench]:
    memory = Path("/dev/shm")
    usual = tempfile.tempdir
    with ExitStack() as exits:
        if memory.is_dir() and os.access(memory, os.W_OK):
            # Thousands of small files are made: a disk would take several times as long.
            exits.callback(setattr, tempfile, "tempdir", usual)
            tempfile.tempdir = str(memory)
        world = exits.enter_context(World())
        yield exits.enter_context(Bench(world).open())


@pytest.fixture
def bench(_laid_out: Bench) -> Bench:
    """A world at its base."""
    _laid_out.restore()
    return _laid_out
