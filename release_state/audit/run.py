"""The run of an audit: configuration, demo, observation, verdict, reports."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from release_state.audit.collect import collect_history
from release_state.audit.model import AuditSnapshot
from release_state.audit.report import summary
from release_state.audit.report.document import build_document
from release_state.audit.report.page import render_page
from release_state.audit.session import FILE, AuditController
from release_state.common.errors import UsageProblem
from release_state.model.outcome import CheckResult
from release_state.observe.git.reader import find_repository
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.client import HttpClient
from release_state.observe.token import find_token
from release_state.report.files import NOT_WHOLE, ReportFiles, format_subject
from release_state.run.base import Run, own_run_id
from release_state.settings.config import Arguments, load


class AuditFiles(ReportFiles):
    """The reports of an audit; `latest` of single versions stays."""

    latest = "latest-audit"


class AuditRun(Run):
    """One audit, of all channels that were given."""

    def __init__(
        self,
        arguments: Arguments,
        environ: Mapping[str, str],
        cwd: Path,
        *,
        checks_folder: Path,
        demo: str | None,
        refused: Sequence[str],
        named: Sequence[str],
        with_workers: bool,
        executes: bool,
    ) -> None:
        super().__init__(environ, executes=executes, demo=demo)
        check_usage(arguments, refused, named)
        try:
            if demo is not None:
                from release_state.demo.enter import enter_demo

                arguments, environ = self._stack.enter_context(enter_demo(demo, arguments))
            self.config = load(arguments, environ, cwd, find_repository)
            target, timeout = self.config.targets[0], self.config.lookup_timeout
            token, self.token_source = find_token(environ, target.github_api)

            def observe(cancel: threading.Event) -> Sequence[AuditSnapshot]:
                return collect_history(
                    self.config,
                    client=HttpClient(
                        timeout,
                        token=token,
                        token_host=target.github_api,
                        cancel=cancel,
                        kept=ResponseCache() if self.config.keep_answers else None,
                    ),
                    token_source=self.token_source,
                    own_run_id=own_run_id(environ),
                    cancel=cancel,
                    defects=self.session.defects,
                )

            self.session = AuditController(
                checks_folder, observe, with_workers=with_workers, block_on_advice=self.config.block_on_advice
            )
            self._stack.callback(self.session.close)
        except BaseException:
            self._stack.close()
            raise
        self.reports = AuditFiles(
            self.config.reports_dir, file_name(format_subject(self.config), self.config.audit or "")
        )

    def add(self, result: CheckResult) -> None:
        """Keep the result of one check."""
        self.session.results.append(result)

    def header(self) -> list[str]:
        """The lines above the run: what is audited, and where each fact is read from."""
        source = "the demo world" if self.demo else self.token_source
        return self.with_aside(summary.header(self.config, source))

    def publish_reports(self, exitstatus: int) -> int:
        """Write page and document; after a complete audit they become `latest-audit`."""
        verdicts = self.session.verdicts() if self.executes else ()
        if not verdicts:
            self.reports.discard()
            return exitstatus
        try:
            partly = any(v.ran < v.expected or v.verdict in NOT_WHOLE for v in verdicts)
            self.reports.write(
                build_document(verdicts, exitstatus, self.reports.started_at, self.reports.html.name),
                is_whole=exitstatus not in (2, 3) and not partly,
                page=render_page(verdicts, self.reports.started_at),
            )
            self.notes += self.workflow.write(summary.step_report(verdicts, self.reports.html.name), self.reports.html)
        except OSError as error:
            return self.give_up_reports(error)
        return self.code_after_reports(exitstatus)

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Print the verdict, the habits of the project, and the disagreements by kind."""
        verdicts = self.session.verdicts() if self.executes else ()
        summary.summarise(reporter, verdicts, self.ending())


def check_usage(arguments: Arguments, refused: Sequence[str], named: Sequence[str]) -> None:
    """Refuse what has no meaning in an audit.

    Raises UsageProblem.
    """
    if arguments.phase != "auto":
        raise UsageProblem("--phase cannot be combined with --version all or a specifier: an audit has no phase")
    if arguments.plan != "auto":
        raise UsageProblem("--plan cannot be combined with --version all or a specifier: give one version for its plan")
    if arguments.wait != "0":
        raise UsageProblem("--wait cannot be combined with --version all or a specifier: give the version to wait for")
    for option in refused:
        raise UsageProblem(f"{option} cannot be combined with --version all or a specifier: give one version for it")
    if wrong := [name for name in named if name.endswith(".py") and name != FILE]:
        raise UsageProblem(f"{wrong[0]} holds checks of single versions: an audit runs checks/{FILE} alone")


def file_name(name: str, selection: str) -> str:
    """How the reports' names begin: the selection replaces the version."""
    package, _, channels = name.rpartition("-")
    words = {">": "gt", "<": "lt", "=": "eq", "!": "ne", "~": "about", ",": "-", "*": "x", " ": ""}
    spelt = "".join(words.get(letter, letter) for letter in selection)
    return f"{package.rpartition('-')[0]}-{spelt}-{channels}"
