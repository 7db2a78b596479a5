"""The HTML report's own parts: the verdict on top, what to do, and columns for outcome, expected, found and action.

Everything else of the page is pytest-html's. The cell of the result stays as pytest names it, in the last column,
because the page's own filters hide rows whose result they do not know.
"""

from __future__ import annotations

import shlex
from html import escape
from typing import TYPE_CHECKING, Any

from release_state.outcome import CheckResult, Exit, Outcome
from release_state.plan import Plan, Step
from release_state.report.document import decisive_of
from release_state.text import plain, plain_command, steps_in_words
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

STYLE = """<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #d0d7de; --soft: #f3f5f7;
  --good: #116329; --bad: #b4232c; --wait: #7a4d00; --none: #57606a; --link: #0550ae; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #3d444d;
  --soft: #161b22; --good: #56d364; --bad: #ff8f87; --wait: #e3b341; --none: #9da7b3; --link: #79c0ff; } }
*, ::before, ::after { box-sizing: border-box; }
body { min-width: 0; margin: 1rem auto; padding: 0 1rem; max-width: 80rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1, h2, h3, p, #results-table, .logwrapper .log { color: var(--ink); }
h2 { font-size: 1.25rem; margin: 1.6rem 0 .4rem; }
a, .summary__data a, .collapse button { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
#title { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .8rem; padding: .7rem 1rem; overflow-wrap: anywhere;
  color: var(--verdict); background: var(--soft); border: 1px solid var(--line); border-radius: .4rem;
  border-left: .5rem solid var(--verdict); }
#title::before { content: var(--symbol) " "; }
.summary__data { flex: none; width: 100%; } .summary__data > h2, .run-count, .filter:not(input) { display: none; }
.verdict { margin: 0 0 1.5rem; } .verdict p { margin: .2rem 0; }
.verdict > h2 { margin-top: 0; color: var(--wait); }
.verdict.exit-0 > h2 { color: var(--good); } .verdict.exit-1 > h2, .verdict.exit-3 > h2 { color: var(--bad); }
.verdict.only > h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.verdict:not(.only) { border-top: 1px solid var(--line); padding-top: .8rem; }
.counts { list-style: none; margin: .5rem 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
.finding { border: 1px solid var(--line); border-left: .3rem solid var(--wait); border-radius: .4rem;
  padding: .6rem .9rem; margin-top: .8rem; }
.finding:has(> .outcome-action-needed, > .outcome-defect) { border-left-color: var(--bad); }
.finding.advice { border-left-color: var(--none); }
.finding h3 { font-size: 1.05rem; margin: 0; } .finding dl { display: grid; grid-template-columns: max-content 1fr;
  gap: .1rem .8rem; margin: .3rem 0; } .finding dt { font-weight: 600; }
.finding dd { margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate; min-width: 0; max-height: 16rem;
  overflow-y: auto; }
.plan { margin-top: 1.4rem; } .plan h3 { font-size: 1.15rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
.plan ol { margin: .5rem 0 0; padding-left: 1.6rem; } .plan li { margin: .8rem 0; overflow-wrap: anywhere; }
.verdict pre { margin: .3rem 0; padding: .4rem .6rem; background: var(--soft); border: 1px solid var(--line);
  border-radius: .3rem; font: 13px/1.5 ui-monospace, monospace; white-space: normal; max-height: 24rem;
  overflow-y: auto; }
.verdict pre code { display: block; padding-left: 1.3em; text-indent: -1.3em; font: inherit; white-space: pre-wrap;
  overflow-wrap: anywhere; direction: ltr; unicode-bidi: isolate; }
.verdict pre code::before { content: "$ "; color: var(--none); user-select: none; }
.destroys { color: var(--bad); font-weight: 600; }
.outcome-holds { color: var(--good); } .outcome-action-needed, .outcome-defect { color: var(--bad); }
.outcome-in-progress, .outcome-unknown { color: var(--wait); }
.outcome-not-applicable, .advice.outcome-action-needed, .nothing { color: var(--none); }
.controls { flex-wrap: wrap; gap: .3rem 1rem; margin-bottom: .4rem; font-size: .85rem; }
.filters { flex-wrap: wrap; gap: .2rem .3rem; }
.filters input:disabled, .filters input:disabled + span { display: none; }
.collapse button { font: inherit; padding: 0; }
body:not(:has(.outcome-defect, .other-row)) .collapse { display: none; }
#results-table { font-size: .85rem; border: 0; table-layout: auto; }
#results-table th, #results-table td { border: 0; border-bottom: 1px solid var(--line); vertical-align: top; }
#results-table th { border-bottom-width: 2px; white-space: nowrap; }
#results-table td { overflow-wrap: anywhere; unicode-bidi: isolate; }
#results-table td.col-check, #results-table td.col-duration, #results-table td.col-outcome { overflow-wrap: normal; }
#results-table td.col-check { min-width: 6.5rem; } #results-table td.col-result { width: auto; color: var(--none); }
#results-table .sortable::after { border-top-color: var(--none); border-bottom-color: var(--none); border-width: 5px;
  border-left-width: 4px; border-right-width: 4px; bottom: 0; display: inline-block; }
#results-table .sortable.asc::after { border-top-width: 0; bottom: 2px; }
#results-table .sortable.desc::after { border-bottom-width: 0; bottom: 2px; }
#results-table .results-table-row:has(.col-outcome:not(.outcome-defect)) .extras-row { display: none; }
.collapsible:has(.col-outcome:not(.outcome-defect)) td:not(.col-links) { cursor: auto; }
.collapsible:has(.col-outcome:not(.outcome-defect)) td.col-result:hover::after { content: none; }
.logwrapper, .logwrapper .logexpander { background: var(--soft); } .logwrapper .log { border-color: var(--line); }
span.passed { color: var(--good); } span.failed, span.error, span.xpassed, .log .error { color: var(--bad); }
span.skipped, span.xfailed, span.rerun, span.retried { color: var(--wait); }
#environment { width: 100%; font-size: .85rem; }
#environment td { border-width: 0 0 1px; border-color: var(--line); overflow-wrap: anywhere; }
#environment td:first-child { width: 11rem; font-weight: 600; } #environment tr:nth-child(odd) { background: none; }
.written { font-size: .8rem; color: var(--none); }
@media (max-width: 52rem) {
  .finding dl { display: block; } #environment td:first-child { width: 7rem; }
  #results-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  #results-table, #results-table tbody, #results-table .collapsible { display: block; }
  #results-table .collapsible { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  #results-table .collapsible td { display: grid; grid-template-columns: 5.5rem 1fr; gap: .5rem; border: 0;
    padding: .1rem 0; }
  #results-table .collapsible td::before { content: attr(data-label); font-weight: 600; }
  #results-table .collapsible td.nothing, #results-table .collapsible td.col-result { display: none; }
  #results-table .extras-row:not(.hidden), #results-table .extra { display: block; }
  #results-table .extra { border: 0; }
}
@media print {
  body { max-width: none; margin: 0; font-size: 10pt; } .controls, .logexpander { display: none; }
  .finding, .collapsible { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .verdict pre, .finding dd { max-height: none; overflow: visible; } #results-table { font-size: 8pt; }
  .logwrapper { max-height: none; overflow: visible; }
  a[href]::after { content: none; }
}
</style>"""

#: pytest-html's page says no language, puts the machine's table above the verdict and leaves boxes without a name.
SCRIPT = """<script>
document.documentElement.lang = "en";
document.addEventListener("DOMContentLoaded", () => {
  const header = document.getElementById("environment-header");
  const table = document.getElementById("environment");
  const written = document.querySelector("body > p");
  const footer = document.querySelector("footer");
  header.querySelector("h2").textContent = "Where the facts were read from";
  written.classList.add("written");
  footer.before(header, table, written);
  for (const box of document.querySelectorAll("input[name=filter_checkbox]")) {
    const words = box.nextElementSibling;
    words.textContent = words.textContent.replace(/,$/, "");
    box.setAttribute("aria-label", "show rows that pytest calls " + words.textContent);
  }
  for (const head of document.querySelectorAll("th.sortable")) {
    head.tabIndex = 0;
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") head.click(); });
  }
});
</script>"""

_COLOUR = {Exit.OK: ("--good", "✓"), Exit.ACTION_NEEDED: ("--bad", "✗"), Exit.DEFECT: ("--bad", "!")}


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
        "Refs read from": escape(target.remote_url),
        "Clone": escape(plain(target.clone or "none")),
        "Index": escape(", ".join(t.channel.index_url for t in run.config.targets)),
        "Observed": f"{run.reports.started_at:%Y-%m-%d %H:%M:%S} UTC",
    }


def summary(verdicts: tuple[TargetVerdict, ...]) -> list[str]:
    """The blocks above the table: for each target its verdict, counts, and every finding with its way out."""
    if not verdicts:
        return [STYLE, SCRIPT, _root("--wait", "?")]
    worst = decisive_of(verdicts)
    colour, symbol = _COLOUR.get(worst.exit, ("--wait", "…" if worst.exit is Exit.IN_PROGRESS else "?"))
    blocks = [_block(verdict, only=len(verdicts) == 1) for verdict in verdicts]
    return [STYLE, SCRIPT, _root(colour, symbol), *blocks, "<h2>All checks</h2>"]


def _root(colour: str, symbol: str) -> str:
    return f'<style>:root {{ --verdict: var({colour}); --symbol: "{symbol}"; }}</style>'


def _block(verdict: TargetVerdict, *, only: bool) -> str:
    target = verdict.target
    counts = "".join(
        f'<li class="outcome-{_slug(outcome)}"><strong>{count}</strong> {outcome.value}</li>'
        for outcome in Outcome
        if (count := sum(result.outcome is outcome for result in verdict.results))
    )
    not_run = f"<p>Not run: {escape(', '.join(verdict.not_run))}</p>" if verdict.not_run else ""
    colour = verdict.exit if verdict.exit in (Exit.OK, Exit.ACTION_NEEDED, Exit.DEFECT) else Exit.UNKNOWN
    return (
        f'<section class="verdict exit-{int(colour)}{" only" if only else ""}"><h2>{escape(verdict.words)}'
        + (
            "</h2>"
            if only
            else f": {escape(target.package)} {escape(target.version)} on {escape(target.channel.name)}</h2>"
        )
        + f"<p>Phase <strong>{verdict.phase.value}</strong>: {escape(plain(verdict.phase_reason))}</p>"
        f'<ul class="counts">{counts}</ul>{not_run}{"".join(_findings(verdict))}{_plan(verdict.plan)}</section>'
    )


def _findings(verdict: TargetVerdict) -> list[str]:
    """What needs action first; then what is unknown, each cause once."""
    unknown: dict[tuple[str, str, str | None], list[CheckResult]] = {}
    blocks = []
    for result in verdict.decisive:
        if result.outcome is Outcome.UNKNOWN:
            unknown.setdefault((result.found, result.why, result.retry_at), []).append(result)
        else:
            blocks.append(_finding(verdict, result))
    for (found, remedy, retry_at), results in unknown.items():
        names = ", ".join(result.id + ("" if result.blocking else " (advice)") for result in results)
        rows = [("Found", found), ("Next step", remedy), ("Ask again at", retry_at or "")]
        blocks.append(
            f'<article class="finding{_advice(results)}"><h3 class="outcome-unknown">{_SYMBOL[Outcome.UNKNOWN]} '
            f"unknown: {escape(names)}</h3><dl>{_terms(rows)}</dl></article>"
        )
    return blocks


def _advice(results: list[CheckResult]) -> str:
    """A class for what never decides."""
    return "" if any(result.blocking for result in results) else " advice"


def _terms(rows: list[tuple[str, str]]) -> str:
    return "".join(f"<dt>{name}</dt><dd>{escape(plain(text))}</dd>" for name, text in rows if text)


def _finding(verdict: TargetVerdict, result: CheckResult) -> str:
    level = "" if result.blocking else " (advice)"
    rows = [("Expected", result.expected), ("Found", result.found), ("Why it matters", result.why)]
    if numbers := verdict.numbers(result):
        rows.append(("Next", f"{steps_in_words(numbers)} of the plan below"))
    return (
        f'<article class="finding{_advice([result])}"><h3 class="outcome-{_slug(result.outcome)}">'
        f"{_SYMBOL[result.outcome]} {escape(result.id)} {result.outcome.value}{level}: {escape(result.title)}</h3>"
        f"<dl>{_terms(rows)}</dl></article>"
    )


def _plan(plan: Plan) -> str:
    """The ordered way out; nothing where there is nothing to do."""
    if not plan.steps:
        return ""
    reason = f": {escape(plain(plan.reason))}" if plan.reason else ""
    where = ""
    if plan.folder and any(step.commands for step in plan.steps):
        where = f"<p>git commands are for the clone: <code>cd {escape(plain(shlex.quote(plan.folder)))}</code></p>"
    steps = "".join(map(_step, plan.steps))
    other = f"<p>The other way is shown by:</p>{_commands([shlex.join(plan.other_way)])}" if plan.other_way else ""
    return f'<article class="plan"><h3>The plan: {plan.direction}{reason}</h3>{where}<ol>{steps}</ol>{other}</article>'


def _step(step: Step) -> str:
    parts = [f"<strong>{escape(plain(step.title))}</strong>"]
    if step.reason:
        parts.append(f" - {escape(plain(step.reason))}")
    if step.precondition:
        parts.append(f"<p>Only if {escape(plain(step.precondition))}.</p>")
    if step.destroys:
        saved = f"; {escape(plain(step.saves))}" if step.saves else ""
        parts.append(f'<p class="destroys">⚠ Destroys {escape(plain(step.destroys))}{saved}</p>')
    parts.append(_commands(step.lines()))
    if step.verify:
        parts.append(f"<p>Then see whether it worked:</p>{_commands(step.verify_lines())}")
    if step.link and step.link.startswith(("https://", "http://")):
        parts.append(f'<p><a href="{escape(plain(step.link))}">{escape(plain(step.link))}</a></p>')
    return f"<li>{''.join(parts)}</li>"


def _commands(lines: list[str]) -> str:
    """Each command a line of its own, however it is wrapped."""
    shown = "\n".join(f"<code>{escape(plain_command(line))}</code>" for line in lines)
    return f'<pre tabindex="0">{shown}</pre>' if lines else ""


def _slug(outcome: Outcome) -> str:
    return outcome.value.replace(" ", "-")


def header(cells: list[Any]) -> None:
    """The columns of the table."""
    _, _, duration, *_ = cells
    cells[:] = [
        '<th class="sortable" data-column-type="outcome">Outcome</th>',
        '<th class="sortable" data-column-type="check">Check</th>',
        "<th>Fact</th>",
        "<th>Expected</th>",
        "<th>Found</th>",
        "<th>Action</th>",
        duration,
        '<th class="sortable" data-column-type="result">pytest</th>',
    ]


def row(result: CheckResult, cells: list[Any]) -> None:
    """One check's row: no cell of ours is left empty."""
    first, _, duration, *_ = cells
    level = "" if result.blocking else " (advice)"
    steps = "; ".join(step.title for step in result.steps)
    target = result.target.rpartition("==")[2]
    found = result.found or ("it holds" if result.outcome is Outcome.HOLDS else "")
    cells[:] = [
        f'<td class="col-outcome outcome-{_slug(result.outcome)}{_advice([result])}" data-label="Outcome">'
        f"{_SYMBOL[result.outcome]} {result.outcome.value}{level}</td>",
        f'<td class="col-check" data-label="Check">{escape(result.id)}<br>{escape(target)}</td>',
        f'<td class="col-fact" data-label="Fact">{escape(plain(result.title))}</td>',
        _cell("expected", result.expected),
        _cell("found", found),
        _cell("action", steps or (result.why if result.is_finding else "")),
        _labelled(duration, "Duration"),
        _labelled(first, "pytest"),
    ]


def _cell(name: str, text: str) -> str:
    nothing = "" if text else " nothing"
    return f'<td class="col-{name}{nothing}" data-label="{name.capitalize()}">{escape(plain(text)) or "&ndash;"}</td>'


def _labelled(cell: object, label: str) -> str:
    """A cell of pytest-html with the name of its column, for narrow screens."""
    return str(cell).replace("<td ", f'<td data-label="{label}" ', 1)


def other_row(cells: list[Any]) -> None:
    """The row of a report that is no check's: setup and teardown, a collection error."""
    first, test, duration, *_ = cells
    empty = '<td class="nothing"></td>'
    cells[:] = ['<td class="other-row nothing"></td>', test, empty, empty, empty, empty, duration, first]
