"""The HTML report's own parts: the verdict on top, what to do, and columns for outcome, expected, found and action.

Everything else of the page is pytest-html's. Its first cell stays the result as pytest names it, because the page's
own filters hide rows whose result they do not know.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from release_state.outcome import CheckResult, Exit, Outcome
from release_state.plan import Step
from release_state.report.document import decisive_of
from release_state.text import plain
from release_state.validate import without_credentials
from release_state.verdict import TargetVerdict

if TYPE_CHECKING:
    from release_state.run import Run

_SYMBOL = {
    Outcome.HOLDS: "✓",
    Outcome.ACTION_NEEDED: "✗",
    Outcome.IN_PROGRESS: "…",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_APPLICABLE: "-",
    Outcome.DEFECT: "!",
}

STYLE = """<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #d0d7de; --soft: #f3f5f7;
  --good: #116329; --bad: #b4232c; --wait: #7a4d00; --none: #57606a; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #3d444d; --soft: #161b22;
  --good: #56d364; --bad: #ff8f87; --wait: #e3b341; --none: #9da7b3; --link: #79c0ff; } }
body { min-width: 0; margin: 1rem auto; padding: 0 1rem; max-width: 80rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1, h2, h3, p, #results-table, .logwrapper .log { color: var(--ink); }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: .2rem; }
a, .summary__data a { color: var(--link); }
body > p { font-size: .8rem; } #environment-header { margin-top: 1rem; }
#environment { width: 100%; } #environment td { border-color: var(--line); overflow-wrap: anywhere; }
#environment tr:nth-child(odd), .logwrapper, .logwrapper .logexpander { background: var(--soft); }
.verdict { border: 1px solid var(--line); border-left: .5rem solid var(--wait); border-radius: .4rem;
  padding: .8rem 1rem; margin: 1rem 0; background: var(--soft); }
.verdict.exit-0 { border-left-color: var(--good); } .verdict.exit-1, .verdict.exit-3 { border-left-color: var(--bad); }
.verdict h2 { font-size: 1.25rem; margin: 0 0 .2rem; }
.exit-0 > h2 { color: var(--good); } .exit-1 > h2, .exit-3 > h2 { color: var(--bad); }
.counts { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
.finding { border-top: 1px solid var(--line); padding-top: .6rem; margin-top: .8rem; }
.finding h3 { font-size: 1.05rem; margin: 0; } .finding dl { display: grid; grid-template-columns: max-content 1fr;
  gap: .1rem .8rem; margin: .3rem 0; } .finding dt { font-weight: 600; }
.finding dd { margin: 0; overflow-wrap: anywhere; }
.finding pre { margin: .3rem 0; padding: .5rem .7rem; overflow-x: auto; background: var(--paper);
  border: 1px solid var(--line); border-radius: .3rem; font: 13px/1.5 ui-monospace, monospace; }
.destroys { color: var(--bad); font-weight: 600; }
.outcome-holds { color: var(--good); } .outcome-action-needed, .outcome-defect { color: var(--bad); }
.outcome-in-progress, .outcome-unknown { color: var(--wait); } .outcome-not-applicable { color: var(--none); }
#results-table { display: block; overflow-x: auto; font-size: .85rem; border: 0; }
#results-table th, #results-table td { border-color: var(--line); vertical-align: top; min-width: 5rem; }
td.col-expected, td.col-found, td.col-action { overflow-wrap: anywhere; max-width: 20rem; }
.passed .col-result { color: var(--good); } .failed .col-result, .error .col-result { color: var(--bad); }
.skipped .col-result { color: var(--none); }
span.passed { color: var(--good); } span.failed, span.error, span.xpassed { color: var(--bad); }
span.skipped, span.xfailed, span.rerun { color: var(--wait); }
@media (max-width: 40rem) { .finding dl { display: block; } .summary__data { width: 100%; } }
</style>"""


def title(verdicts: tuple[TargetVerdict, ...]) -> str:
    """The page's title: the verdict and what it is about. Escaped by the page's template."""
    if not verdicts:
        return "Nothing was checked"
    worst = decisive_of(verdicts)
    more = f" and {len(verdicts) - 1} more" if len(verdicts) > 1 else ""
    return f"{worst.words}: {worst.target.package} {worst.target.version} on {worst.target.channel.name}{more}"


def environment(run: Run) -> dict[str, str]:
    """What pytest-html's environment table holds: where facts are read from; nothing of the machine's environment."""
    target = run.config.targets[0]
    return {
        "Package": escape(target.package),
        "Repository": escape(target.repository),
        "Refs read from": escape(without_credentials(target.remote_url)),
        "Clone": escape(plain(target.clone or "none")),
        "Index": escape(", ".join(without_credentials(t.channel.index_url) for t in run.config.targets)),
        "Observed": f"{run.reports.started_at:%Y-%m-%d %H:%M:%S} UTC",
    }


def summary(verdicts: tuple[TargetVerdict, ...]) -> list[str]:
    """The blocks above the table: for each target its verdict, counts, and every finding with its way out."""
    return [STYLE, *map(_block, verdicts)]


def _block(verdict: TargetVerdict) -> str:
    target = verdict.target
    counts = "".join(
        f'<li class="outcome-{_slug(outcome)}"><strong>{count}</strong> {outcome.value}</li>'
        for outcome in Outcome
        if (count := sum(result.outcome is outcome for result in verdict.results))
    )
    not_run = f"<p>Not run: {escape(', '.join(verdict.not_run))}</p>" if verdict.not_run else ""
    colour = verdict.exit if verdict.exit in (Exit.OK, Exit.ACTION_NEEDED, Exit.DEFECT) else Exit.UNKNOWN
    return (
        f'<section class="verdict exit-{int(colour)}"><h2>{escape(verdict.words)}</h2>'
        f"<p>{escape(target.package)} {escape(target.version)} on {escape(target.channel.name)}, phase "
        f"{verdict.phase.value}: {escape(plain(verdict.phase_reason))}</p>"
        f'<ul class="counts">{counts}</ul>{not_run}{"".join(_findings(verdict))}</section>'
    )


def _findings(verdict: TargetVerdict) -> list[str]:
    """What needs action first; then what is unknown, each cause once."""
    unknown: dict[tuple[str, str, str | None], list[CheckResult]] = {}
    blocks = []
    for result in verdict.decisive:
        if result.outcome is Outcome.UNKNOWN:
            unknown.setdefault((result.found, result.why, result.retry_at), []).append(result)
        else:
            blocks.append(_finding(result))
    for (found, remedy, retry_at), results in unknown.items():
        names = ", ".join(result.id + ("" if result.blocking else " (advice)") for result in results)
        rows = [("Found", found), ("Next step", remedy), ("Ask again at", retry_at or "")]
        blocks.append(
            f'<article class="finding"><h3 class="outcome-unknown">{_SYMBOL[Outcome.UNKNOWN]} unknown: '
            f"{escape(names)}</h3><dl>{_terms(rows)}</dl></article>"
        )
    return blocks


def _terms(rows: list[tuple[str, str]]) -> str:
    return "".join(f"<dt>{name}</dt><dd>{escape(plain(text))}</dd>" for name, text in rows if text)


def _finding(result: CheckResult) -> str:
    level = "" if result.blocking else " (advice)"
    rows = [("Expected", result.expected), ("Found", result.found), ("Why it matters", result.why)]
    steps = "".join(map(_step, result.steps))
    return (
        f'<article class="finding"><h3 class="outcome-{_slug(result.outcome)}">{_SYMBOL[result.outcome]} '
        f"{escape(result.id)} {result.outcome.value}{level}: {escape(result.title)}</h3>"
        f"<dl>{_terms(rows)}</dl>{f'<ol>{steps}</ol>' if steps else ''}</article>"
    )


def _step(step: Step) -> str:
    parts = [f"<strong>{escape(plain(step.title))}</strong>"]
    if step.reason:
        parts.append(f" - {escape(plain(step.reason))}")
    if step.destroys:
        saved = f"; {escape(plain(step.saves))}" if step.saves else ""
        parts.append(f'<p class="destroys">⚠ Destroys {escape(plain(step.destroys))}{saved}</p>')
    if step.commands:
        lines = "\n".join(escape(plain(line, longest=8_000)) for line in step.lines())
        parts.append(f'<pre tabindex="0"><code>{lines}</code></pre>')
    if step.link and step.link.startswith(("https://", "http://")):
        parts.append(f'<p><a href="{escape(plain(step.link))}">{escape(plain(step.link))}</a></p>')
    return f"<li>{''.join(parts)}</li>"


def _slug(outcome: Outcome) -> str:
    return outcome.value.replace(" ", "-")


def header(cells: list[Any]) -> None:
    """The columns of the table."""
    result, _, duration, *_ = cells
    cells[:] = [
        result,
        '<th class="sortable" data-column-type="outcome">Outcome</th>',
        '<th class="sortable" data-column-type="testId">Check</th>',
        "<th>Fact</th>",
        "<th>Expected</th>",
        "<th>Found</th>",
        "<th>Action</th>",
        duration,
    ]


def row(result: CheckResult, cells: list[Any]) -> None:
    """One check's row."""
    first, _, duration, *_ = cells
    level = "" if result.blocking else " (advice)"
    steps = "; ".join(step.title for step in result.steps)
    target = result.target.rpartition("==")[2]
    cells[:] = [
        first,
        f'<td class="col-outcome outcome-{_slug(result.outcome)}">{_SYMBOL[result.outcome]} '
        f"{result.outcome.value}{level}</td>",
        f'<td class="col-testId">{escape(result.id)} {escape(target)}</td>',
        f"<td>{escape(result.title)}</td>",
        f'<td class="col-expected">{escape(plain(result.expected))}</td>',
        f'<td class="col-found">{escape(plain(result.found))}</td>',
        f'<td class="col-action">{escape(plain(steps))}</td>',
        duration,
    ]


def other_row(cells: list[Any]) -> None:
    """The row of a report that is no check's: setup and teardown, a collection error."""
    first, test, duration, *_ = cells
    cells[:] = [first, "<td></td>", test, "<td></td>", "<td></td>", "<td></td>", "<td></td>", duration]
