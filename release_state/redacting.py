"""The pytest hooks of errors: whoever tells one, on the terminal or in a file, tells it without secrets."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from typing import Any

import pytest

from release_state.ends import in_a_line
from release_state.redaction import redacted


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of what breaks while checks are collected."""
    report = yield
    if report.failed:
        report.longrepr = redacted(report.longreprtext)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Of an error that ends the run, here or in a worker; what this machine lacks is said in a line."""
    text = in_a_line(excinfo.value) or redacted(str(excrepr))
    # All who tell it take it as a text, which pytest makes by this method of the representation.
    excrepr.toterminal = lambda writer: writer.line(text)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Of what broke in a thread or while it was put away, which ends as a warning with its traceback."""
    shown = str(warning_message.message)
    if isinstance(warning_message.message, Warning) and (text := redacted(shown)) != shown:
        warning_message.message.args = (text,)


def redact_debug_log(config: pytest.Config) -> None:
    """Let `--debug`, which writes down every hook with its arguments, write no secret of an error."""
    if (writer := getattr(config.trace.root, "_writer", None)) is not None:
        config.trace.root.setwriter(lambda text: writer(redacted(text)))
