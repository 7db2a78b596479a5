"""The page of incidents by symptom: what a log says, what that means, the fix, and what becomes of the version."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from release_state.facts.logs.explanation import Explanation, explain_log
from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.families.artifacts import ARTIFACTS, CHECKOUT, IMAGES
from release_state.facts.logs.families.build import BUILD
from release_state.facts.logs.families.elsewhere import ELSEWHERE, STEPS
from release_state.facts.logs.families.git import GIT
from release_state.facts.logs.families.identity import IDENTITY
from release_state.facts.logs.families.refusals import REFUSALS
from release_state.facts.logs.families.services import SERVICES
from release_state.facts.logs.families.tools import TOOLS
from release_state.facts.logs.lines import parse_log
from tests.incidents import refusals
from tests.incidents.cases import CASES
from tests.incidents.claims import CLAIMS, TOKEN, action, own_claims
from tests.incidents.forms import FORMS, UPLOAD
from tests.incidents.runs import RUNS
from tests.incidents.tools import SAYINGS
from tests.proofs.processes import ALARMS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "incidents.md"
PROCESSES = PAGE.with_name("processes.md")
FAMILIES = {
    "The index does not know who uploads": IDENTITY,
    "The index refuses a file, the version or the project": REFUSALS,
    "Git or GitHub refuses a branch, a tag, a pull request or a GitHub Release": GIT,
    "The checkout is not what the job needs": CHECKOUT,
    "A service does not answer, or the time is up": SERVICES,
    "Files are lost between jobs": ARTIFACTS,
    "An action's container image is not there": IMAGES,
    "The build, the tests or the release tool fails": (*BUILD, *STEPS[1:]),
    "A tool, an input or a Python of the step is not there": TOOLS,
    "Another registry, a cloud or the documentation refuses": (*ELSEWHERE, STEPS[0]),
}
"""The families of known failures, as somebody looks for them who has a log before their eyes."""
LONGEST_QUOTE = 300
FIRST_TRY = (
    "What this is worth for a log that no test has, tries show: excerpts of public reports in November 2026, of other",
    "projects, tools and years each time. Their answers were written down before.",
    "",
    "| try | logs | right at first | not recognised | wrong |",
    "|---|---|---|---|---|",
    "| 1 | 52 | 35 | 13 | 4 |",
    "| 2 | 26 | 15 | 10 | 1 |",
    "| 3, after the mending | 11 | 8 | 1 | 2 |",
    "| 4, after the tools' own words were read | 34 | 24 | 9 | 1 |",
    "| 5 | 36 | 22 | 13 | 1 |",
    "| 6 | 22 | 16 | 4 | 2 |",
    "| 7 | 26 | 19 | 5 | 2 |",
    "| 8, whole jobs of kinds that no try had | 31 | 10 | 21 | 0 |",
    "| 9, such kinds again | 34 | 6 | 21 | 7 |",
    "| 10, such kinds again | 32 | 13 | 18 | 1 |",
    "| 11, after the mending of 8 to 10 | 30 | 16 | 10 | 4 |",
    "| 12, after the mending of 11 | 30 | 16 | 11 | 3 |",
    "| 13, runners, actions and checkouts | 26 | 8 | 11 | 7 |",
    "| 14, kinds of the first seven, in new forms | 24 | 22 | 1 | 1 |",
    "| 15, from notes on releases | 10 | 5 | 5 | 0 |",
    "",
    "The kinds that failed are mended after each, and what failed is among these logs. From try 8 on they are whole",
    "jobs, written from reports and from what the tools are known to say. Whoever wrote them also mended the rows.",
)
"""What was measured once each time, before the kinds that failed were mended."""
FILES_TRY = (
    "What the checks say of workflow files that no test had, tries show: of public reports of releases that failed",
    "because of them, and others that only look like it. Their answers were written down before.",
    "",
    "| try | files | right at first | missed | false alarm |",
    "|---|---|---|---|---|",
    "| 1 | 67 | 44 | 13 | 10 |",
    "| 2, after the mending | 17 | 13 | 3 | 1 |",
    "",
    "All but one are right now: a GitHub Release that goreleaser makes with GITHUB_TOKEN is not seen.",
)
"""What was measured once each time, before the kinds that failed were mended; the files are in `workflows.txt`."""


def write(counted: Counter[str]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "<!-- Made by: python -m tests.incidents --write -->"
    yield ""
    yield "# Incidents by symptom"
    yield ""
    yield "My release job failed, and its log says this. What does it mean, and what do I do? Search this page for"
    yield "words of the log, or let `release-state explain LOGFILE` do it. The tests hold logs against their right"
    yield "answers: rewritten from real ones, and made with every refusal of PyPI's source and the tools' own words."
    yield ""
    yield "| logs | recognised | right | unknown without need | wrong |"
    yield "|---|---|---|---|---|"
    yield "| " + " | ".join(str(counted[name]) for name in ("all", "recognised", "right", "unknown", "wrong")) + " |"
    yield ""
    yield from FIRST_TRY
    yield from ("", "## Alarms on the workflow files of real projects", "")
    yield from quote_alarms(PROCESSES.read_text("utf-8"))
    yield from ("", *FILES_TRY)
    quotes = quote()
    for title, family in FAMILIES.items():
        yield from ("", f"## {title}")
        for known in {known.meaning: known for known in family}.values():
            yield from ("", f"### {known.describe().rstrip('.')}", "", "My run says, for example:", "", "```text")
            yield from dict.fromkeys(line for each in family if each.meaning == known.meaning for line in quotes[each])
            yield from ("```", "", f"**Fix:** {known.fix}.", "", f"**The version:** {known.version.value}.")


def quote_alarms(page: str) -> list[str]:
    """Return the tables of alarms from the page of real projects, which says where they come from."""
    _, _, after = page.partition(f"\n{ALARMS}\n")
    tables, _, _ = after.partition("\n| project |")[0].partition("\nIn a clone of each")
    return [f"{ALARMS[:-1]} ([the projects](processes.md)):", *tables.rstrip().split("\n")]


def count_alarms(page: str) -> tuple[int, int]:
    """Return the alarms on the page of real projects, and those that are false."""
    tables = "\n".join(quote_alarms(page))
    rows = re.findall(r"^\| \[[A-Z]+-\d+\].*?\| (\d+) \| (\d+) \| (\d+) \|$", tables, re.MULTILINE)
    return sum(int(each) for row in rows for each in row), sum(int(false) for _, false, _ in rows)


@cache
def explain(text: str, *, succeeded: bool) -> Explanation:
    """Return the explanation of a log; the tables and the quotes of the page have the same logs."""
    return explain_log(parse_log(text), succeeded=succeeded)


@cache
def quote() -> dict[KnownFailure, list[str]]:
    """Return the decisive lines of the logs by the known failure that they show; of a refusal, the index's words."""
    found: dict[KnownFailure, dict[str, None]] = defaultdict(dict)
    logs = [(FORMS[0](status, said), False, f"{status}: {said}") for _, status, said in refusals.REFUSALS]
    logs += [(case.text, case.succeeded, "") for case in CASES]
    logs += [(text, False, "") for _, _, text in SAYINGS]
    logs += [(run.text, False, "") for run in RUNS]
    for text, succeeded, said in logs:
        explained = explain(text, succeeded=succeeded)
        if explained.known:
            line = said or explained.lines[0].replace(UPLOAD, "https://index.example/legacy/")
            found[explained.known][line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"] = None
    for changes, knows_target, cause in CLAIMS:
        if cause:
            lines = parse_log(action({**TOKEN, **changes}))
            found[cause][explain_log(lines, expected=own_claims() if knows_target else None).lines[-1]] = None
    return {known: list(lines) for known, lines in found.items()}
