"""States of CI on the base branch, beyond the commit to release."""

from __future__ import annotations

from release_state.model import Problem, known
from release_state.outcome import Outcome
from release_state.snapshot import Snapshot
from tests import states as s

HOLDS, ACTION, UNKNOWN = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN
NONE = Outcome.NOT_APPLICABLE
HIDDEN = Problem(source="GitHub", why="shown to administrators only")


def requires(*names: str) -> Snapshot:
    """Ready, with CI of two jobs, and these checks required."""
    return s.ready(
        ci=s.ci("success", "success"), base_rules=s.base_rules(s.rule("required_status_checks", checks=names))
    )


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("CI-2", "reported", requires("job 0", "job 1"), HOLDS),
    ("CI-2", "never reported", requires("job 0", "old name"), ACTION),
    ("CI-2", "none required", s.ready(), NONE),
    ("CI-2", "none known", s.ready(base_rules=s.base_rules(protected=True, hidden=HIDDEN)), NONE),
    ("CI-2", "GitHub silent", s.ready(base_rules=s.failed()), UNKNOWN),
    ("CI-2", "CI silent", s.ready(ci=s.failed()), UNKNOWN),
    ("CI-3", "green", s.ready(), HOLDS),
    ("CI-3", "one red", s.ready(base_runs=known((s.run(), s.run(conclusion="failure", workflow="ci.yml")))), ACTION),
    ("CI-3", "skipped", s.ready(base_runs=known((s.run(conclusion="skipped"),))), HOLDS),
    ("CI-3", "none", s.ready(base_runs=known(())), NONE),
    ("CI-3", "GitHub silent", s.ready(base_runs=s.failed()), UNKNOWN),
]
