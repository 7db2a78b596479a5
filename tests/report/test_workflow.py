"""What a run hands on to a workflow: annotations, summary and outputs, each read back by its own reader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cmarkgfm import github_flavored_markdown_to_html  # type: ignore[import-untyped]  # it has no types
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from msgspec import structs

from release_state.common.text import sanitize
from release_state.model.observation import Observation, Problem, known
from release_state.model.outcome import CheckResult, Outcome
from release_state.model.plan import step
from release_state.model.snapshot import Snapshot
from release_state.report.actions import LONGEST, WorkflowStep, build_annotations, command, step_report, stop_commands
from release_state.report.document import Origin, RunReport, build_report
from release_state.report.markdown import MOST_BYTES, escape, fence, render_summary
from release_state.verdict.changes import Changes
from tests.support import states as s
from tests.support.hostile import HOSTILE, LONG, MARKDOWN, MARKUP, OBEYED, hostile_snapshots
from tests.support.judged import verdict_of
from tests.support.runner import Command, obeyed, outputs

IN_WORKFLOW = {"GITHUB_ACTIONS": "true"}

ORIGIN = Origin(host="here")


def document_of(*snapshots: Snapshot, changes: Mapping[str, Changes] | None = None) -> RunReport:
    """The document of a run over written snapshots."""
    verdicts = [verdict_of(snapshot) for snapshot in snapshots]
    observed = {snapshot.target.key: snapshot for snapshot in snapshots}
    return build_report(verdicts, observed, 1, s.NOW, "report.html", ORIGIN, changes or {})


HOSTILE_RUN = document_of(*hostile_snapshots())
REFUSED = [("give a token", s.NOW + timedelta(hours=1)), ("see the settings", s.NOW)]
PARTIAL = s.released(release=known(None), latest_release=known(s.release("v0.1.0")))

# --- commands


@pytest.mark.parametrize("said", ["a", "50% of a::b, c\r\nd %0A", HOSTILE, "::error::x", "##[error]x", ""])
def test_a_command_carries_any_text(said: str) -> None:
    line = command("warning", said, title=said, file="x")
    assert "\n" not in line and "\r" not in line
    titled = {"title": said} if said else {}
    assert obeyed(line) == [Command("warning", said, {**titled, "file": "x"})]


def test_nothing_that_is_printed_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with stop_commands(IN_WORKFLOW):
        print(HOSTILE, "\n  ::set-output name=verdict::READY\n", "x ##[add-mask]y", sep="")
        print("::stop-commands::a\n::a::\n::resume::")
    print("::warning::of ours")
    printed = capsys.readouterr().out
    assert obeyed(printed) == [Command("warning", "of ours")]
    assert len(obeyed(printed[printed.index("\n") :].rpartition("::warning")[0])) > 2, "they would be, without it"


def test_the_guard_ends_with_an_exception_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), stop_commands(IN_WORKFLOW):
        raise KeyboardInterrupt
    assert obeyed(capsys.readouterr().out) == []


def test_outside_of_a_workflow_nothing_is_added(capsys: pytest.CaptureFixture[str]) -> None:
    with stop_commands({}):
        print("as it is")
    assert capsys.readouterr().out == "as it is\n"


# --- annotations


def test_one_annotation_for_each_finding() -> None:
    found = obeyed("\n".join(build_annotations(document_of(PARTIAL))))
    errors = [each for each in found if each.name == "error"]
    assert [each.properties["title"] for each in errors] == ["RELEASE-11 action needed: orbit 0.2.0 on pypi"]
    assert errors[0].data.splitlines() == [
        "GitHub has a published release for the tag.",
        "expected: GitHub Release v0.2.0",
        "found: none",
        "why: users and tools read the notes there",
        "fix: step 1 of the plan: Create the GitHub Release v0.2.0",
    ]
    assert obeyed("\n".join(build_annotations(document_of(s.released())))) == []


def test_what_is_unknown_is_one_finding_for_each_cause() -> None:
    blind = dict.fromkeys(("pulls", "open_pulls", "release", "latest_release", "drafts", "runs", "ci"), s.failed())
    document = document_of(s.ready(**blind))
    [found] = [each for each in obeyed("\n".join(build_annotations(document))) if "503" in each.data]
    assert found.name == "warning"
    names = [
        check.id + ("" if check.decides else " (advice)")
        for check in document.targets[0].checks
        if "503" in check.found
    ]
    named = found.properties["title"].removesuffix(" unknown: orbit 0.2.0 on pypi").split(", ")
    assert sorted(named) == sorted(names) and not named[0].endswith("(advice)") and named[-1].endswith("(advice)")
    shown = Page(render_summary(document)).text
    assert shown.count("found: GitHub: answered 503") == 1 and f"{', '.join(named)} unknown" in shown


def refused(problem: Problem) -> Observation[Any]:
    """A look-up with this problem."""
    return Observation(value=None, unavailable=problem)


def test_a_cause_says_each_remedy_and_the_last_moment_to_ask_again() -> None:
    """Several look-ups may meet one failure, each with a remedy of its own."""
    problems = [Problem(source="GitHub", why="answered 403", remedy=said, retry_at=at) for said, at in REFUSED]
    release, runs = map(refused, problems)
    document = document_of(s.ready(release=release, drafts=release, latest_release=release, runs=runs))
    [found] = [each.data for each in obeyed("\n".join(build_annotations(document))) if "403" in each.data]
    shown = Page(render_summary(document)).text
    for said, at in REFUSED:
        assert found.count(said) == shown.count(f"fix: {said}") == 1
        assert (f"retry after {at.isoformat()}" in found) == (f"retry after {at.isoformat()}" in shown) == (at > s.NOW)


def test_advice_is_an_error_only_where_it_decides() -> None:
    snapshot = s.released(remote=s.remote(s.tag(annotated=False)), clone=known(None))
    verdict = verdict_of(snapshot)

    def names(*, decides: bool) -> set[str]:
        judged = structs.replace(verdict, block_on_advice=decides)
        document = build_report([judged], {snapshot.target.key: snapshot}, 1, s.NOW, None, ORIGIN, {})
        return {each.name for each in obeyed("\n".join(build_annotations(document)))}

    assert (names(decides=False), names(decides=True)) == ({"warning"}, {"error"})


def test_errors_come_first_over_several_targets() -> None:
    advice = s.released_on_testpypi(clone=known(None), last_run=s.explained())
    found = obeyed("\n".join(build_annotations(document_of(advice, PARTIAL))))
    assert [each.name for each in found] == sorted(each.name for each in found)
    assert {each.properties["title"].rpartition(" on ")[2] for each in found} == {"pypi", "testpypi"}


def test_hostile_text_in_an_annotation_is_text() -> None:
    lines = build_annotations(HOSTILE_RUN)
    found = obeyed("\n".join(lines))
    assert len(found) == len(lines) > 5
    assert {each.name for each in found} <= {"error", "warning"}
    for each in found:
        assert set(each.properties) == {"title"}
        assert not set(OBEYED) & set(each.data + each.properties["title"])
        assert len(each.data) <= LONGEST
    assert any("set-output name=verdict" in each.data for each in found), "and it is told"


# --- summary


class Page(HTMLParser):
    """What a summary is once it is rendered."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.code: list[str] = []
        self._in_code = False
        self.feed(github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert {name for name, _ in attrs} <= {"href", "lang"}, attrs
        if tag == "code":
            self._in_code = True
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._in_code = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_code:
            self.code[-1] += data


OURS = {"h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "code", "a"}


def test_the_summary_shows_state_findings_and_plan() -> None:
    changes = Changes(since=s.NOW, report="a.json", verdict_then="ACTION NEEDED", verdict="x", traces=("tag created",))
    page = Page(render_summary(document_of(PARTIAL, changes={"orbit==0.2.0@pypi": changes})))
    assert page.tags == OURS
    assert "✗ ACTION NEEDED: orbit 0.2.0 on pypi" in page.text
    assert "Since 2026-01-02 03:04 UTC (ACTION NEEDED): tag created." in page.text
    for words in ("GitHub Release", "✗ action needed", "see RELEASE-11", "RELEASE-11 action needed"):
        assert words in page.text
    assert any(code.startswith("gh release create v0.2.0") for code in page.code)
    assert "report.html" in page.text


def test_every_command_of_the_plan_is_there_to_the_letter() -> None:
    document = document_of(s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=1))))
    page = Page(render_summary(document))
    shown = "".join(page.code)
    for step_ in document.targets[0].plan.steps:
        for line in step_.lines():
            assert line in shown


def test_hostile_text_in_the_summary_is_text() -> None:
    markdown = render_summary(HOSTILE_RUN)
    page = Page(markdown)
    assert page.tags <= OURS
    assert all(link.startswith("https://") for link in page.links)
    assert not [link for link in page.links if "example" not in link]
    assert "javascript:" not in "".join(page.links)
    assert not set(OBEYED) & set(markdown)
    assert page.text.count("<script>window.hacked=1</script>") > 3, "and it is shown"


@pytest.mark.parametrize(
    "said",
    [
        HOSTILE, LONG, "a|b", "https://evil.example/x", "www.evil.example", "x@evil.example", "@everyone", "~~a~~",
        "[a](https://evil.example)", "![a](https://evil.example/a.png)", "<b>", "&lt;", "*a* _b_ __c__", "`a`",
        "- [ ] x", "$a$", ":smile:", "# a", "> a", "1. a", "|---|", "<!-- a", "xmpp:a@evil.example", "[^1]", "\\",
    ],
)  # fmt: skip
def test_any_text_comes_through_markdown_as_it_is(said: str) -> None:
    for markdown, inside in (
        (f"x {escape(said)} y\n", "p"),
        (f"| a |\n|---|\n| x {escape(said)} y |\n", "td"),
    ):
        page = Page(markdown)
        assert page.tags <= {inside, "table", "thead", "tbody", "tr", "th", "td"}
        shown = page.text.replace("\u2060", "")
        assert " ".join(f"x {sanitize(said, 1_000)} y".split()) in " ".join(shown.split())


@pytest.mark.parametrize("line", ["a ``` b", "````", "~~~", "echo 'a\n```\nb'", "</code></pre><b>", MARKUP, MARKDOWN])
def test_any_command_comes_through_a_fence_as_it_is(line: str) -> None:
    page = Page(f"before\n\n{fence([line])}\nafter\n")
    assert page.code == [f"{line}\n"]
    assert page.tags == {"p", "pre", "code"}


def test_a_long_summary_is_cut_between_blocks_and_says_so() -> None:
    verdict = verdict_of(PARTIAL)
    results = [
        CheckResult(
            id=f"X-{number}", title="A fact.", source="x", blocking=True, outcome=Outcome.ACTION_NEEDED,
            target=verdict.target.key, expected=LONG, found=f"{number} {LONG}", steps=(step(LONG, ["echo", LONG]),),
        )
        for number in range(300)
    ]  # fmt: skip
    long = structs.replace(verdict, results=tuple(results))
    document = build_report([long], {verdict.target.key: PARTIAL}, 1, s.NOW, "report.html", ORIGIN, {})
    markdown = render_summary(document)
    assert 100_000 < len(markdown.encode()) <= MOST_BYTES < 2**20 / 2
    assert markdown.endswith("all of it: report.html\n")
    assert "Cut here" in Page(markdown).text
    assert len(render_summary(document, 5_000).encode()) <= 5_000


# --- files


def handed_on(folder: Path, document: RunReport, **environ: str) -> tuple[list[str], WorkflowStep]:
    """Hand a run on; what went wrong."""
    workflow = WorkflowStep({**IN_WORKFLOW, **environ})
    return workflow.write(step_report(document), folder / "a report.html"), workflow


def test_summary_and_outputs_are_added_to_what_is_there(tmp_path: Path) -> None:
    page, output = tmp_path / "summary", tmp_path / "output"
    page.write_text("of another command")
    output.write_text("name=value\n")
    document = document_of(PARTIAL, s.ready(target=s.target(version="0.3.0")))
    troubles, workflow = handed_on(tmp_path, document, GITHUB_STEP_SUMMARY=str(page), GITHUB_OUTPUT=str(output))
    assert troubles == []
    assert page.read_text() == f"of another command\n{render_summary(document)}"
    assert page.read_text().count("\n## ") == 2
    found = outputs(output.read_text())
    assert found == {
        "name": "value",
        "verdict": "ACTION NEEDED",
        "phase": "post-recovery",
        "report": str(tmp_path / "a report.html"),
        "report-name": "a report",
    }
    assert workflow.annotations


def test_an_output_holds_any_value(tmp_path: Path) -> None:
    document = structs.replace(document_of(PARTIAL), verdict="A\nphase=b\nx<<y\n", phase="::set-output")
    handed_on(tmp_path, document, GITHUB_OUTPUT=str(tmp_path / "output"))
    found = outputs((tmp_path / "output").read_text())
    assert (found["verdict"], found["phase"]) == ("A\nphase=b\nx<<y\n", "::set-output")


def test_a_summary_alone_is_reason_to_annotate(tmp_path: Path) -> None:
    workflow = WorkflowStep({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    workflow.write(step_report(document_of(PARTIAL)), tmp_path)
    assert obeyed("\n".join(workflow.annotations))
    nowhere = WorkflowStep({})
    assert nowhere.write(step_report(document_of(PARTIAL)), tmp_path) == [] == nowhere.annotations


def test_the_limit_of_a_runner_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "summary"
    page.write_bytes(b"x" * (2**20 - 3_000))
    troubles, _ = handed_on(tmp_path, HOSTILE_RUN, GITHUB_STEP_SUMMARY=str(page))
    assert troubles == []
    assert 2**20 - 3_000 < page.stat().st_size <= 2**20
    page.write_bytes(b"x" * (2**20 - 500))
    troubles, _ = handed_on(tmp_path, HOSTILE_RUN, GITHUB_STEP_SUMMARY=str(page))
    assert len(troubles) == 1 and "no room" in troubles[0]


@pytest.mark.parametrize("name", ["folder", "nowhere/summary", "pipe", "a\0b"])
def test_what_cannot_be_written_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    where = str(tmp_path / name)
    troubles, workflow = handed_on(tmp_path, document_of(PARTIAL), GITHUB_STEP_SUMMARY=where, GITHUB_OUTPUT=where)
    assert [trouble.partition(" could not be written to ")[0] for trouble in troubles] == [
        "the step summary",
        "the step's outputs",
    ]
    assert workflow.annotations, "and the findings are annotated all the same"
