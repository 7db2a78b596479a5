"""Every refusal of the index in the words of every uploading tool; and what the tools of a release say themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.lines import parse_log
from tests.incidents.forms import FORMS
from tests.incidents.refusals import REFUSALS
from tests.incidents.tools import SAYINGS


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize(("scenario", "status", "reason"), REFUSALS, ids=[reason[:40] for _, _, reason in REFUSALS])
def test_a_refusal(form: Callable[[str, str], str], scenario: str, status: str, reason: str) -> None:
    found = explain_log(parse_log(form(status, reason)))
    assert found.known is not None and found.known.scenario == scenario
    said = "".join(found.lines[0].split())
    assert "".join(reason.split())[:60] in said, "the index's own reason is quoted first"
    assert len(found.lines) <= 3 and found.step


@pytest.mark.parametrize(("scenario", "said", "text"), SAYINGS, ids=[said[:60] for _, said, _ in SAYINGS])
def test_a_saying(scenario: str, said: str, text: str) -> None:
    found = explain_log(parse_log(text))
    assert found.known is not None and found.known.scenario == scenario, said
    assert found.lines and len(found.lines) <= 3
