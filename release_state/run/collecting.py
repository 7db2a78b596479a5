"""Collection hooks: each check once per target, the checks of the phase that applies, and the items of an audit.

Like the plugin, which registers them, imports only the standard library and pytest at its top.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from release_state.run.options import is_executing

if TYPE_CHECKING:
    from release_state.run.session import ManySession
    from release_state.settings.own_checks import OwnChecks

NOTHING_CHECKED = 5


def is_listing(option: object) -> bool:
    """Whether checks are only listed, for no version at all: `--collect-only`, as editors call it to find tests."""
    names = ("version", "demo", "snapshot", "project_list")
    return bool(getattr(option, "collectonly", False)) and not any(
        getattr(option, f"release_state_{name}") for name in names
    )


class Listing:
    """Takes the place of a run; the exit code is 5, which editors accept and no gate takes for green."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Leave out pytest's header, which names the folder where the suite is installed."""
        session.config.option.no_header = True

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        """Set the exit code, unless collecting failed."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = NOTHING_CHECKED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say that nothing was judged."""
        terminalreporter.write_line("nothing was judged: these are the checks; a verdict needs --version X.Y.Z")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: Any) -> Any:
    """Make the items of an audit's or a fleet's checks; in such a run, other checks have none."""
    from release_state.run.checks import of_many
    from release_state.verdict.check import MARKER

    if is_listing(collector.config.option):
        return None
    if not isinstance(collector, pytest.Module) or MARKER not in [m.name for m in getattr(obj, "pytestmark", ())]:
        return None
    session, marker = _find_many(collector.config), of_many(collector.obj)
    if session is None or marker != session.marker:
        return [] if session or marker else None
    return session.items(collector, obj) if is_executing(collector.config.option) else []


def _find_many(config: pytest.Config) -> ManySession | None:
    """The session of an audit or of a project list; None in a run over single versions."""
    from release_state.run.session import KEY, ManySession

    session = config.stash.get(KEY, None)
    return session if isinstance(session, ManySession) else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import files of checks that an audit or a project list does not run."""
    many = _find_many(config)
    is_check = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    return True if many is not None and is_check and collection_path.name != many.file else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start to observe the projects of a list, once the selection is known."""
    if (many := _find_many(session.config)) is not None and is_executing(session.config.option):
        many.begin(session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Run each check of an audit in one step."""
    if not hasattr(item, "run_and_report"):
        return None
    item.run_and_report()
    return True


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the checks of one's own to those of the folder."""
    report = yield
    if isinstance(collector, pytest.Session) and report.passed:
        from release_state.common.errors import UsageProblem
        from release_state.run.catalogue.own_checks import make_collectors
        from release_state.run.safeguards import usage_error
        from release_state.run.session import KEY, Session
        from release_state.settings.own_checks import find_own_checks

        config = collector.config
        session = config.stash.get(KEY, None)
        places: Iterable[OwnChecks] = session.own_checks if isinstance(session, Session) else ()
        try:
            if is_listing(config.option):
                places = find_own_checks(config.option.release_state_checks, os.environ, config.invocation_params.dir)
            report.result += make_collectors(collector, tuple(places))
        except UsageProblem as problem:  # a run has loaded them before
            raise usage_error(problem) from None
    return report


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k TAG-11` select a check by its ID."""
    from release_state.verdict.check import MARKER

    if (mark := item.get_closest_marker(MARKER)) is not None:
        item.extra_keyword_matches.add(mark.args[0])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each check once for each target."""
    from release_state.run.session import get_session

    if "target" in metafunc.fixturenames and not is_listing(metafunc.config.option):
        targets = get_session(metafunc.config).targets
        ids = [target.key for target in targets]
        metafunc.parametrize("target", targets, indirect=True, ids=ids, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the checks of the phase that applies; announce which look-ups a narrowed run needs."""
    if not items or not is_executing(config.option) or _find_many(config) is not None:
        return
    from release_state.observe.lookups import lookups_of_phase, with_process
    from release_state.report import screen
    from release_state.run.background import LOOK_SECONDS
    from release_state.run.session import Controller, get_session
    from release_state.verdict.check import MARKER

    session = get_session(config)
    reads: set[str] = set() if session.fixed_phase else set(lookups_of_phase())
    for item in items:
        applies = session.fixed_phase is None or item.get_closest_marker(session.fixed_phase.marker)
        if applies and (mark := item.get_closest_marker(MARKER)):
            reads |= set(mark.kwargs["reads"])
    session.announce_needs(with_process(reads))
    if isinstance(session, Controller):
        session.collected.set()
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(session, Controller) and reporter is not None and screen.is_live(reporter):
        screen.show_progress(reporter, session.progress, session.is_over)
    elif isinstance(session, Controller) and session.waits:
        while not session.is_over(LOOK_SECONDS):
            pass  # progress lines are printed meanwhile; later pytest would capture them
    targets = (getattr(getattr(item, "callspec", None), "params", {}).get("target") for item in items)
    items[:] = [
        item
        for item, target in zip(items, targets, strict=True)
        if target is None or item.get_closest_marker(session.phase(target).marker)
    ]
