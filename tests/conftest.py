"""What every test file of the suite shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release_state.common import errors
from tests.standins import github_reads, github_writes  # noqa: F401 - importing the routes registers them
from tests.support import built, cli, every
from tests.support.browser import browser, folders, open_page  # noqa: F401 - fixtures
from tests.support.tls import certificate  # noqa: F401 - a fixture


@pytest.fixture(autouse=True, scope="session")
def _workers_share(folders: Path) -> None:  # noqa: F811 - the fixture
    """What one worker builds, the others copy; what it was told of commits, they need not ask for."""
    built.share(folders.parent / "worlds")
    cli.share(folders.parent / "calculated")


@pytest.fixture(autouse=True, scope="session")
def _a_cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept of the worlds that the tests make is not left in the contributor's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the tests."""
    every.add_options(parser)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case of bytes alike in every worker: archives hold the time of their making, and pytest adds a number."""
    return "bytes" if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long proofs, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_hidden() -> Iterator[None]:
    """What the tests of one file hide, those of another may say."""
    yield
    errors._secrets.clear()
