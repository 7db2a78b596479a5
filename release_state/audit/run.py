"""The run of an audit: configuration, observation, verdict, reports."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from release_state.audit.collect import collect_history, make_client
from release_state.audit.kinds import KINDS
from release_state.audit.report import summary
from release_state.audit.report.document import build_document
from release_state.audit.report.page import render_page
from release_state.audit.session import FILE, AuditController
from release_state.audit.verdict import AuditVerdict
from release_state.audit.versions import AuditSnapshot
from release_state.common.errors import UsageProblem
from release_state.observe.git.access import find_access
from release_state.observe.git.reader import find_repository
from release_state.observe.token import find_token
from release_state.report.files import NOT_WHOLE, ReportFiles, format_subject
from release_state.report.screen import Screen
from release_state.run.base import Ending, Run, list_sites, own_run_id
from release_state.run.options import Invocation
from release_state.settings.config import Arguments, load
from release_state.settings.validate import one_of
from release_state.settings.waivers import Waiver


class AuditFiles(ReportFiles):
    """The reports of an audit; `latest` of single versions stays."""

    latest = "latest-audit"


class AuditRun(Run):
    """One audit, of all channels that were given."""

    def refuse(self, given: Invocation) -> None:
        """Raise UsageProblem for what has no meaning in an audit."""
        check_usage(given.arguments, [f"--{name.replace('_', '-')}" for name in given.files], given.named)

    def configure(self) -> None:
        """Load the configuration; raises UsageProblem."""
        given = self.given
        config = self.config = load(given.arguments, given.environ, given.cwd, find_repository)
        check_waivers(config.waivers)
        self.sites = list_sites(config)
        token, self.token_source = find_token(given.environ, config.targets[0].github_api)

        def observe(cancel: threading.Event) -> Sequence[AuditSnapshot]:
            return collect_history(
                config,
                client=make_client(config, token, cancel),
                token_source=self.token_source,
                own_run_id=own_run_id(given.environ),
                cancel=cancel,
                defects=self.session.defects,
                access=find_access(config, token),
            )

        self.session = AuditController(
            given.checks_folder, observe, with_workers=given.workers > 0, block_on_advice=config.block_on_advice
        )
        self.reports = AuditFiles(config.reports_dir, file_name(format_subject(config), config.audit or ""))

    def header(self) -> list[str]:
        """The lines above the run: what is audited, and where each fact is read from."""
        source = "the demo world" if self.demo else self.token_source
        return self.with_aside(summary.header(self.config, source))

    def write_reports(self, verdicts: Sequence[AuditVerdict], exitstatus: int) -> None:
        """Write page and document; after a complete audit they become `latest-audit`."""
        started_at, html = self.reports.started_at, self.reports.html
        self.reports.write(
            build_document(verdicts, exitstatus, started_at, html.name),
            exitstatus,
            is_partial=any(v.ran < v.expected or v.verdict in NOT_WHOLE for v in verdicts),
            page=render_page(verdicts, started_at),
        )
        self.notes += self.workflow.write(summary.step_report(verdicts, html.name), html)

    def show(self, screen: Screen) -> None:
        """Print for each channel its habits and the disagreements by kind; of several, each with its verdict."""
        judged = self.judged()
        for verdict in judged:
            summary.show_verdict(screen, verdict, is_alone=len(judged) == 1)

    def endings(self) -> Sequence[Ending]:
        """How the audit of each channel ended."""
        return [Ending(each.words, summary.describe_ending(each), each.exit) for each in self.judged()]


def check_usage(arguments: Arguments, refused: Sequence[str], named: Sequence[str]) -> None:
    """Raise UsageProblem for options and files of checks that have no meaning in an audit."""
    if arguments.phase != "auto":
        raise UsageProblem("--phase cannot be combined with --version all or a specifier: an audit has no phase")
    if arguments.plan != "auto":
        raise UsageProblem("--plan cannot be combined with --version all or a specifier: give one version for its plan")
    if arguments.wait != "0":
        raise UsageProblem("--wait cannot be combined with --version all or a specifier: give the version to wait for")
    if arguments.checks:
        raise UsageProblem(
            "--checks cannot be combined with --version all or a specifier: own checks judge one version"
        )
    for option in refused:
        raise UsageProblem(f"{option} cannot be combined with --version all or a specifier: give one version for it")
    if wrong := [name for name in named if name.endswith(".py") and name != FILE]:
        raise UsageProblem(f"{wrong[0]} holds checks of single versions: an audit runs checks/{FILE} alone")


def check_waivers(waivers: Sequence[Waiver]) -> None:
    """Raise UsageProblem for a kind of disagreement that no audit knows."""
    known = [kind.id for kind in KINDS]
    for waiver in waivers:
        one_of(f"[[tool.release-state.waiver]] of {waiver.version}: kind", waiver.kind, known)


def file_name(name: str, selection: str) -> str:
    """How the reports' names begin: the selection replaces the version."""
    package, _, channels = name.rpartition("-")
    words = {">": "gt", "<": "lt", "=": "eq", "!": "ne", "~": "about", ",": "-", "*": "x", " ": ""}
    spelt = "".join(words.get(letter, letter) for letter in selection)
    return f"{package.rpartition('-')[0]}-{spelt}-{channels}"
