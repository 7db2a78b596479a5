"""What a check of the workflow file names: the finding of a linter that is the same, and where its fact is written.

Sources of the names: docs/audits.md of zizmorcore/zizmor at 11bbf7e6; docs/checks.md and the rules of rhysd/actionlint
at 011a6d1.
"""

from __future__ import annotations

import re

import pytest

from release_state.verdict.check import CheckInfo
from tests.support.judged import CHECKS

ZIZMOR = frozenset(
    {
        *("adhoc-packages", "anonymous-definition", "archived-uses", "artipacked", "bot-conditions"),
        *("cache-poisoning", "concurrency-limits", "dangerous-triggers", "dependabot-cooldown", "dependabot-execution"),
        *("excessive-permissions", "forbidden-uses", "github-app", "github-env", "hardcoded-container-credentials"),
        *("impostor-commit", "insecure-commands", "insecure-url-scheme", "known-vulnerable-actions", "misfeature"),
        *("obfuscation", "overprovisioned-secrets", "ref-confusion", "ref-version-mismatch", "secrets-inherit"),
        *("secrets-outside-env", "self-hosted-runner", "self-repository", "stale-action-refs", "superfluous-actions"),
        *("template-injection", "typosquat-uses", "undocumented-permissions", "unpinned-images", "unpinned-tools"),
        *("unpinned-uses", "unredacted-secrets", "unsound-condition", "unsound-contains", "unsound-ternary"),
        "use-trusted-publishing",
    }
)
ACTIONLINT = frozenset(
    {
        *("action", "credentials", "deprecated-commands", "env-var", "events", "expression", "glob", "id", "if-cond"),
        *("job-needs", "matrix", "permissions", "pyflakes", "runner-label", "shell-name", "shellcheck", "syntax-check"),
        "workflow-call",
    }
)
SAME = {
    "WORKFLOW-1": ("syntax-check", "workflow-call"),
    "WORKFLOW-3": ("concurrency-limits",),
    "WORKFLOW-6": ("unpinned-uses", "known-vulnerable-actions"),
    "WORKFLOW-11": ("artipacked",),
}
"""By check, the findings that are about the same lines: the same one, or one that asks for the contrary."""
OF_FILES = [check for name, check in CHECKS.items() if name.startswith("WORKFLOW-")]


@pytest.mark.parametrize("check", OF_FILES, ids=[check.id for check in OF_FILES])
def test_a_check_names_the_finding_of_a_linter(check: CheckInfo) -> None:
    """By its name in the linter's own list, and only where it has one about the same lines."""
    expected, text = SAME.get(check.id, ()), check.remedy
    assert set(expected) <= ZIZMOR | ACTIONLINT
    assert set(re.findall(r"`([a-z-]+)`", text)) & (ZIZMOR | ACTIONLINT - {"id", "matrix", "permissions"}) == {
        *expected
    }
    for linter, names in (("zizmor", ZIZMOR), ("actionlint", ACTIONLINT)):
        assert (linter in text) is bool(names.intersection(expected)), linter


@pytest.mark.parametrize("check", [*OF_FILES, CHECKS["RUN-32"]], ids=lambda check: check.id)
def test_a_check_says_where_its_fact_is_written(check: CheckInfo) -> None:
    """In the text that a reader of the report and of the reference sees."""
    assert re.search(r"Sources?: https://(docs\.github\.com|github\.com)/\S+", check.remedy)
