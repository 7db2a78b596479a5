"""How many incidents are explained rightly: `python -m tests.incidents [--write]`; it writes docs/incidents.md."""

from __future__ import annotations

import sys
from collections import Counter

from tests.incidents.cases import CASES
from tests.incidents.forms import FORMS
from tests.incidents.page import PAGE, PROCESSES, count_alarms, explain, write
from tests.incidents.refusals import REFUSALS
from tests.incidents.runs import RUNS
from tests.incidents.tools import SAYINGS


def count() -> Counter[str]:
    """Return the logs by how they are explained: right, unknown (rightly or not), wrong."""
    logs = [(case.text, case.scenario, case.succeeded) for case in CASES]
    logs += [(form(status, reason), scenario, False) for scenario, status, reason in REFUSALS for form in FORMS]
    logs += [(text, scenario, False) for scenario, _, text in SAYINGS]
    logs += [(run.text, run.scenario, False) for run in RUNS]
    counted = Counter[str](all=len(logs))
    for text, scenario, succeeded in logs:
        known = explain(text, succeeded=succeeded).known
        found = known.scenario if known else None
        counted["recognised"] += found is not None
        counted["right" if found == scenario else ("unknown" if found is None else "wrong")] += 1
    return counted


def main() -> int:
    """Print the figures of logs, and of alarms as `docs/processes.md` has them; with `--write`, write the page.

    Ends with 1 if an answer is wrong.
    """
    counted = count()
    if "--write" in sys.argv[1:]:
        PAGE.write_text("\n".join(write(counted)) + "\n", encoding="utf-8")
    alarms, false = count_alarms(PROCESSES.read_text("utf-8"))
    print(", ".join(f"{counted[name]} {name}" for name in ("all", "recognised", "right", "unknown", "wrong")))
    print(f"{alarms} alarms on real workflow files, {false} false")
    return 1 if counted["wrong"] or counted["unknown"] else 0


if __name__ == "__main__":
    sys.exit(main())
