"""Pieces of the page, from snapshots written down by hand."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import Observation, Problem, known
from release_state.model.outcome import Outcome, group_unknown
from release_state.model.plan import step
from release_state.model.snapshot import ExplainedRun, Snapshot
from release_state.report.document import Origin, read_origin
from release_state.report.page import summary
from release_state.report.page.templates import format_span, render_macro
from release_state.report.page.timeline import draw_timeline
from release_state.verdict.timeline import Event, Timeline, build_timeline
from tests.plan.test_start import failed_run, publisher, tagged
from tests.support import states as s
from tests.support.judged import verdict_of

LATER = s.NOW + timedelta(days=800)


def page_of(snapshot: Snapshot) -> str:
    return "".join(summary((verdict_of(snapshot),), {snapshot.target.key: snapshot}, Origin(host="laptop")))


def shown(found: Timeline) -> str:
    return render_macro("report/page/timeline.html", "timeline", draw_timeline(found), "")


def drawn(found: Timeline) -> tuple[list[str], ElementTree.Element]:
    """The rows in words, and the picture; as many dots as rows that are events."""
    block = shown(found)
    rows = [re.sub(r"<[^>]+>", "", row) for row in re.findall(r"<li[^>]*>(.*?)</li>", block)]
    picture = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", block, re.DOTALL)[0])  # well-formed, or it raises
    gaps = block.count('<li class="gap">')
    dots = [path for path in picture.iter("path") if (path.get("class") or "").startswith("dot")]
    assert len(dots) == len(rows) - gaps
    assert picture.get("viewBox") == f"0 0 66 {2 * len(rows)}"
    assert [child.tag for child in picture][:2] == ["title", "desc"]
    for row in rows:
        if row.strip():
            assert row.split(",")[0].removeprefix("-").strip("✗⊘… ")[-12:] in (picture[1].text or "")
    return rows, picture


def test_what_is_far_apart_is_said_and_what_has_no_time_comes_last() -> None:
    files = (s.file(uploaded_at=s.NOW), s.file("sdist"))
    snapshot = s.released(index={"pypi": s.project(*files)}, pulls=known((s.pull(merged_at=LATER),)))
    rows, _ = drawn(build_timeline(Release(snapshot)))
    assert "2 years later" in rows
    assert rows.index("Time not recorded") > rows.index("2 years later")
    assert rows[-2:] == ["-orbit-0.2.0.tar.gz uploaded", f"-tag v0.2.0 at {s.HEAD[:12]}"]


def test_a_reason_that_a_step_gives_is_not_given_again() -> None:
    meaning = "The upload to the index timed out."
    last = ExplainedRun(run=failed_run(), attributed_by="log", job="up", meaning=meaning, lines=("503",))
    state = tagged(publisher("tag"), runs=s.runs(failed_run()), last_run=known(last))
    [card] = re.findall(r"<li id=.RUN-31.*?</li>", page_of(state), re.DOTALL)
    assert "503" in card and "Why it matters" not in card
    assert page_of(state).count(meaning) == 1
    alone = page_of(s.released(last_run=s.explained()))
    assert alone.count("The run could not create its release branch") == 1


def test_many_uploads_are_one_row() -> None:
    moments = [s.NOW + timedelta(seconds=n) for n in range(30)]
    uploads = [Event(kind="upload", at=at, title="orbit-0.2.0-py3-none-any.whl uploaded") for at in moments]
    rows, _ = drawn(Timeline(events=tuple(uploads)))
    assert len(rows) == 1
    assert "30 uploads: orbit-0.2.0-py3-none-any.whl uploaded and 29 more, last at 2026-01-02 03:04:29" in rows[0]


def test_a_run_is_a_bar_from_its_start_to_its_end() -> None:
    end = s.NOW + timedelta(seconds=125)
    run = Event(kind="run", at=s.NOW, until=end, title="release run #3 failed", detail="in step X", state="failed")
    upload = Event(kind="upload", at=end, title="a file uploaded")
    rows, picture = drawn(Timeline(events=(run, upload)))
    assert [row[19:] for row in rows] == [
        "release run #3 started", "a file uploaded", "✗ release run #3 failed, in step X, after 2 min 5 s",
    ]  # fmt: skip
    [bar] = [path for path in picture.iter("path") if path.get("class") == "bar failed"]
    assert bar.get("d") == "M9 1V5"
    rows, picture = drawn(Timeline(events=(structs.replace(run, until=None, state="running"),)))
    assert len(rows) == 1 and not [path for path in picture.iter("path") if path.get("class") == "bar running"]


def test_nothing_happened_and_something_was_not_observed() -> None:
    assert "<svg" not in shown(Timeline())
    assert "May be incomplete, unknown: release runs: answered 503" in shown(
        Timeline(gaps=("release runs: answered 503",))
    )


def section(page: str, name: str) -> str:
    """The part of the page under the heading with this ID."""
    _, found, rest = page.partition(f'<h2 id="{name}">')
    assert found, f"no section {name}"
    return rest.partition("</section>")[0]


def card(page: str) -> str:
    """What the page says first."""
    return page.partition('<div class="lead">')[2].partition('<dl class="facts">')[0]


def test_unknown_stands_apart_with_its_cause_and_when_to_ask_again() -> None:
    problem = Problem(source="GitHub", why="rate limit", remedy="give a token", retry_at=s.NOW)
    page = page_of(s.released(release=Observation(value=None, unavailable=problem)))
    apart = section(page, "unknown")
    assert apart.count("rate limit") == 1 and "give a token" in apart
    assert "Retry after" in apart and "2026-01-02 03:04:00" in apart
    for check in ("RELEASE-11", "RELEASE-12", "RELEASE-13"):
        assert f'id="{check}"' in apart and page.count(f'id="{check}"') == 1


def test_the_card_names_what_is_wrong_and_holds_the_first_step() -> None:
    """And only it: the other steps, the findings and their causes follow, each in one place."""
    silent = dict.fromkeys(("release", "drafts", "latest_release", "pulls", "open_pulls", "runs", "ci"), s.failed())
    snapshot = s.ready(remote=s.remote(s.branch(), s.tag()), **silent)
    verdict, page = verdict_of(snapshot), page_of(snapshot)
    top, steps = card(page), re.findall(r'id="step-(\d+)"', page)
    wrong = [r for r in verdict.results if r.blocking and r.outcome is Outcome.ACTION_NEEDED]
    causes = group_unknown(verdict.results).values()
    unknown = [result for same in causes if any(r.blocking for r in same) for result in same]
    assert wrong and unknown
    assert re.findall(r'href="#([A-Z]+-\d+)"', top) == [result.id for result in wrong][:4]
    assert f'<a href="#unknown">{len(unknown)} checks are unknown</a>' in top
    assert sorted(map(int, steps)) == list(range(1, len(verdict.plan.steps) + 1))
    assert top.count("<code>") == 1, "the first step has no command of its own: the second has it for both"
    assert re.findall(r'id="step-(\d+)"', top) == ["1", "2"]
    assert page.index('id="step-1"') < page.index('id="plan"') < page.index('id="wrong"') < page.index('id="state"')
    assert section(page, "unknown").count("answered 503") == 1
    assert all(page.count(f'id="{result.id}"') == 1 for result in verdict.results)


def test_what_the_plan_removes_is_left_over() -> None:
    snapshot = s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=1)))
    [row] = [line for line in section(page_of(snapshot), "state").split("<tr ") if "Release branch" in line]
    assert row.startswith('role="row" class="row outcome-action-needed"')
    assert "left over</span>" in row and "release/pypi-v0.2.0 at " in row and '<a href="#step-2">step 2</a>' in row


def test_a_release_that_is_ready_says_how_to_start_it() -> None:
    top = card(page_of(s.ready(installation=s.failed())))
    assert "Next:" in top and "Start the release</strong>" in top
    assert re.sub(r"<[^>]+>", "", top).count("gh workflow run release.yml --field channel=pypi") == 1
    assert "Copy command of the start" in top
    good = page_of(s.released())
    assert "Nothing to do." in card(good) and "<code>" not in card(good) and 'id="plan"' not in good


def test_advice_is_apart_from_what_is_wrong_and_has_no_number() -> None:
    page = page_of(s.released(remote=s.remote(s.tag(annotated=False)), release=known(None)))
    assert 'id="TAG-12"' in section(page, "advice") and 'id="TAG-12"' not in section(page, "wrong")
    assert '<a href="#advice">Advice: 1</a>' in card(page)
    assert re.findall(r'data-number="([^"]*)"', section(page, "advice")) == [""]
    assert page.index('id="TAG-11"') > page.index('id="checks"') > page.index('id="RELEASE-11"')


def test_what_holds_is_folded_to_a_line_for_each_source_and_nothing_takes_no_time() -> None:
    page = page_of(s.released())
    verdict = verdict_of(s.released())
    folded = section(page, "checks")
    sources = {result.source for result in verdict.results}
    assert folded.count('<details class="source">') == len(sources) > 8
    assert len(re.findall(r'<li id="[A-Z]+-\d+"', folded)) == len(verdict.results)
    assert not re.search(r"\d ms", page)


def test_commands_of_a_step_each_have_a_button_and_keep_their_words() -> None:
    body = ("gh", "pr", "create", "--body", "- a\n- b <c>")
    one = step("Do it", ["git", "push", "--force"], body)
    block = render_macro("report/page/macros.html", "steps", [(1, one)], "")
    codes = [re.sub(r"<[^>]+>", "", code) for code in re.findall(r"<code>(.*?)</code>", block, re.DOTALL)]
    assert codes == ["git push --force", "gh pr create --body &#39;- a\n- b &lt;c&gt;&#39;"]
    assert "Copy command 1 of 2 of step 1" in block and "Copy command 2 of 2 of step 1" in block


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than 1 s"), (0.25, "less than 1 s"), (2, "2 s"), (4.25, "4.2 s"), (60, "1 min"), (185, "3 min 5 s"),
        (7200, "2 hours"), (90_000, "1 day"), (86_400 * 800, "2 years"),
    ],
)  # fmt: skip
def test_spans_in_words(seconds: float, words: str) -> None:
    assert format_span(seconds) == words


def test_who_asked() -> None:
    action = {
        "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "octo/orbit", "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_NUMBER": "12", "GITHUB_WORKFLOW": "Gate", "GITHUB_ACTOR": "octo", "USER": "runner",
    }  # fmt: skip
    found = read_origin(action)
    assert (found.user, found.run_name) == ("octo", "Gate #12")
    assert found.run_url == "https://github.example/octo/orbit/actions/runs/7"
    assert read_origin(action | {"GITHUB_RUN_ID": "x"}).run_url is None
    assert read_origin(action | {"GITHUB_SERVER_URL": "javascript:x"}).run_url is None
    assert (read_origin({"USER": "me"}).user, read_origin({}).user, read_origin({}).run_url) == ("me", None, None)
