"""`--collect-only` without a version, as editors call it to find tests: checks are listed, and nothing is judged."""

from __future__ import annotations

from collections.abc import Generator

import pytest

NOTHING_CHECKED = 5


def is_listing(option: object) -> bool:
    """Whether checks are only listed, for no version at all."""
    names = ("version", "demo", "snapshot", "project_list")
    return bool(getattr(option, "collectonly", False)) and not any(
        getattr(option, f"release_state_{name}") for name in names
    )


class Listing:
    """Takes the place of a run; the exit code is 5, which editors accept and no gate takes for green."""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        """Set the exit code, unless collecting failed."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = NOTHING_CHECKED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say that nothing was judged."""
        terminalreporter.write_line("nothing was judged: these are the checks; a verdict needs --version X.Y.Z")
