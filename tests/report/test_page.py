"""Pieces of the page, from snapshots written down by hand."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from release_state.facts.release import Release
from release_state.model.observation import Observation, Problem, known
from release_state.model.outcome import Outcome
from release_state.model.plan import Plan, step
from release_state.model.snapshot import Snapshot
from release_state.report.document import Origin, read_origin
from release_state.report.page import summary
from release_state.report.page.parts import render_plan, span
from release_state.report.page.timeline import render_timeline
from release_state.verdict.timeline import Event, Timeline, build_timeline
from tests.support import states as s
from tests.support.judged import verdict_of

LATER = s.NOW + timedelta(days=800)


def page_of(snapshot: Snapshot) -> str:
    return "".join(summary((verdict_of(snapshot),), {snapshot.target.key: snapshot}, Origin(host="laptop")))


def drawn(found: Timeline) -> tuple[list[str], ElementTree.Element]:
    """The rows in words, and the picture; as many dots as rows that are events."""
    block = render_timeline(found, "")
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
    rows, picture = drawn(Timeline(events=(run.model_copy(update={"until": None, "state": "running"}),)))
    assert len(rows) == 1 and not [path for path in picture.iter("path") if path.get("class") == "bar running"]


def test_nothing_happened_and_something_was_not_observed() -> None:
    assert "<svg" not in render_timeline(Timeline(), "")
    assert "May be incomplete, unknown: release runs: answered 503" in render_timeline(
        Timeline(gaps=("release runs: answered 503",)), ""
    )


def test_unknown_stands_apart_with_its_cause_and_when_to_ask_again() -> None:
    problem = Problem(source="GitHub", why="rate limit", remedy="give a token", retry_at=s.NOW)
    page = page_of(s.released(release=Observation(value=None, unavailable=problem)))
    apart = page[page.index("Could not be checked") :]
    apart = apart[: apart.index("<h3>")]
    assert apart.count("rate limit") == 1 and "give a token" in apart
    assert "Retry after" in apart and "2026-01-02 03:04:00" in apart
    for check in ("RELEASE-11", "RELEASE-12", "RELEASE-13"):
        assert f'id="{check}"' in apart
    assert page.index("Could not be checked") < page.index("<h3>Tag</h3>")


def test_the_top_says_each_cause_once_with_the_checks_that_it_leaves_unknown() -> None:
    """What needs action comes first, however much is unknown; what is advice is counted."""
    silent = dict.fromkeys(("release", "drafts", "latest_release", "pulls", "open_pulls", "runs", "ci"), s.failed())
    snapshot = s.ready(remote=s.remote(s.branch(), s.tag()), **silent)
    verdict = verdict_of(snapshot)
    page = page_of(snapshot)
    top = page[page.index('<div class="lead">') : page.index('<ul class="counts"')]
    unknown = [result for result in verdict.results if "503" in result.found]
    names = [result.id for result in unknown if result.blocking]
    assert len(unknown) > len(names) > 1
    assert top.count("answered 503") == 1
    lines = re.findall(r"<li.*?</li>", top)
    action = [result.title for result in verdict.results if result.outcome is Outcome.ACTION_NEEDED]
    assert [any(title in line for title in action) for line in lines] == [True] * (len(lines) - 2) + [False] * 2
    [cause] = [line for line in lines if "answered 503" in line]
    assert f"This leaves {len(unknown)} checks unknown" in cause and f"{len(unknown) - len(names)} advice" in cause
    links = re.findall(r'href="#([^"]*)"', cause)
    assert links[:-1] == names and links[-1] in {result.id for result in unknown if not result.blocking}
    assert all(page.count(f'id="{name}"') == 1 for name in links)
    apart = page[page.index("Could not be checked") :]
    assert apart[: apart.index("<h3>")].count("answered 503") == 1


def test_blocking_comes_before_advice_and_findings_before_what_holds() -> None:
    page = page_of(s.released(remote=s.remote(s.tag(annotated=False)), release=known(None)))
    assert page.index('id="TAG-11"') < page.index('id="TAG-12"')
    assert page.index('id="TAG-14"') < page.index('id="TAG-12"')
    assert page.index('id="RELEASE-11"') < page.index('id="INDEX-11"')


def test_commands_of_a_step_each_have_a_button_and_keep_their_words() -> None:
    body = ("gh", "pr", "create", "--body", "- a\n- b <c>")
    block = render_plan(
        Plan(direction="complete", folder="/x", steps=(step("Do it", ["git", "push", "--force"], body),)), ""
    )
    codes = [re.sub(r"<[^>]+>", "", code) for code in re.findall(r"<code>(.*?)</code>", block, re.DOTALL)]
    assert codes == ["cd /x", "git push --force", "gh pr create --body &#x27;- a\n- b &lt;c&gt;&#x27;"]
    assert "Copy command 1 of 2 of step 1" in block and "Copy command 2 of 2 of step 1" in block


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0004, "0 ms"), (0.25, "250 ms"), (2, "2 s"), (4.25, "4.2 s"), (60, "1 min"), (185, "3 min 5 s"),
        (7200, "2 hours"), (90_000, "1 day"), (86_400 * 800, "2 years"),
    ],
)  # fmt: skip
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


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
