"""How the project releases is shown in every report, with what it was found out from and what is configured."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import structs, to_builtins

from release_state.facts.process import resolve
from release_state.facts.release import Release
from release_state.model.observation import unavailable
from release_state.model.process import Process, Publisher, Start
from release_state.model.snapshot import Snapshot
from release_state.report.markdown import escape, render_summary
from release_state.report.process import ProcessReport, build_process, summarize
from tests.facts.test_hints import with_tags
from tests.facts.test_process import CI, ON_RELEASE, ON_TAG, snapshot, target
from tests.report.test_json import document_of
from tests.report.test_page import page_of
from tests.support import states as s
from tests.support.hostile import HOSTILE, LONG, OBEYED

FAILED: Any = unavailable("GitHub", "no answer")
FOUND = "tag v* starts ship.yml (job up: uv publish); tags v{version}; leaves tag"


def process_of(found: Snapshot) -> ProcessReport:
    return build_process(Release(resolve(found)))


def said(texts: dict[str, str], *given: str, **changes: Any) -> str:
    return process_of(snapshot(texts, target("0.3.0", *given, **changes))).summary


def test_what_is_found_out_is_one_line() -> None:
    assert said({"ci.yml": CI, "ship.yml": ON_TAG}) == FOUND
    brief = summarize(Release(resolve(snapshot({"ship.yml": ON_TAG}))), briefly=True)
    assert brief == "tag v* starts ship.yml; tags v{version}; leaves tag"
    assert said({"ship.yml": ON_RELEASE}) == (
        "GitHub Release published starts ship.yml (job up: uv publish); tags v{version}; leaves tag, release"
    )
    both = "on: {push: {tags: ['v*', 'w*', 'x*', 'y*']}, workflow_dispatch: }\njobs: {up: {steps: [{run: uv publish}]}}"
    assert said({"ship.yml": both}).startswith("tag v* w* x* … or workflow_dispatch starts ship.yml (job up: ")
    padded = snapshot({"ship.yml": ON_TAG}, target("2026.1.9"), **with_tags("v2025.01.09", "v2026.01.09"))
    assert "; tags v{version}, this version's v2026.01.09; " in process_of(padded).summary
    assert said({"ci.yml": CI}).startswith("no workflow is seen to publish (ci.yml); ")


def test_what_is_configured_is_marked() -> None:
    line = said({"ship.yml": ON_TAG}, "workflow", "tag-template", "channels.pypi.leaves", workflow="ship.yml")
    assert line == (
        "tag v* starts ship.yml (configured, job up: uv publish); tags v{version} (configured); "
        "leaves tag, release, pull-request (configured)"
    )
    assert said({"ci.yml": CI}, "workflow", workflow="ci.yml").startswith("workflow ci.yml (configured), not seen to")
    assert said({"ci.yml": CI}, "workflow", workflow="").startswith("no workflow (configured); ")
    given = process_of(snapshot({}, target("0.3.0", "workflow", "channels.pypi.leaves", "channels.testpypi.leaves")))
    assert given.configured == ("workflow", "channels.pypi.leaves")
    assert given.lines[-1] == "configured: workflow (configured), channels.pypi.leaves (configured)"


def test_the_environment_of_the_job_is_shown_and_whether_it_is_configured() -> None:
    text = ON_TAG.replace("{steps", "{environment: live, steps")
    assert said({"ship.yml": text}) == FOUND.replace("uv publish", "uv publish, environment live")
    about = target("0.3.0", "channels.pypi.environment", origins=(("channels.pypi.environment", "command line"),))
    about = structs.replace(about, channel=structs.replace(about.channel, environment="mine"))
    shown = process_of(snapshot({"ship.yml": text}, about))
    assert "(job up: uv publish, environment mine (configured))" in shown.summary
    assert shown.publishers[0].environment == "mine"
    assert shown.origins["channels.pypi.environment"] == "command line"
    assert shown.lines[-1] == "configured: channels.pypi.environment (command line)"
    chosen = process_of(snapshot({"ship.yml": text.replace("live", "'${{ inputs.to }}'")}))
    assert (chosen.publishers[0].environment, chosen.origins["channels.pypi.environment"]) == (None, "not found out")


def test_every_setting_says_where_it_comes_from() -> None:
    start: dict[str, Any] = {"started_by": ("dispatch",), "makes": (), "origins": (("started-by", "command line"),)}
    shown = process_of(snapshot({"ship.yml": ON_TAG}, target("0.3.0", "started-by", "makes", **start)))
    assert shown.summary.startswith("workflow_dispatch (configured) starts ship.yml (job up: uv publish); ")
    assert "; a run makes none of them (configured); " in shown.summary
    assert shown.lines[-1] == "configured: started-by (command line), makes (configured)"
    assert shown.origins == {
        "workflow": "found out from the workflow files",
        "started-by": "command line",
        "makes": "configured",
        "tag-template": "found out from the tags",
        "expected-files": "default",
        "channels.pypi.leaves": "found out from earlier releases",
        "channels.pypi.environment": "found out from the workflow files",
    }
    given = target("0.3.0", "workflow", "started-by", workflow="ci.yml", started_by=("tag",))
    only = process_of(snapshot({"ci.yml": CI}, given))
    assert only.summary.startswith("tag any (configured) starts ci.yml (configured); ")


def test_a_default_is_never_shown_as_if_it_were_used() -> None:
    unread = process_of(snapshot({}, workflow_files=FAILED, remote=FAILED))
    assert unread.workflows == ()
    assert "release.yml" not in msgspec.json.encode(unread).decode()
    assert unread.summary.startswith("which workflow publishes is not known: its files were not read; tags v{version} ")
    assert "(default)" in unread.summary
    unsure = process_of(snapshot({"ship.yml": ON_TAG}, earlier_pulls={"release/pypi-v0.2.0": FAILED}))
    assert unsure.summary.endswith("leaves tag, pull-request (not known: pull-request)")
    assert any("not known whether releases leave a pull-request: GitHub: no answer" in line for line in unsure.lines)


def test_every_report_shows_it() -> None:
    found = s.released(target=resolve(snapshot({"ship.yml": ON_TAG}, target("0.2.0"))).target)
    document = document_of(found)
    process = document.targets[0].process
    assert process.summary == FOUND
    assert to_builtins(process.publishers[0]) == {
        "workflow": "ship.yml", "job": "up", "how": "uv publish", "starts": ("tag v*",), "environment": "", "makes": (),
    }  # fmt: skip
    page, markdown = page_of(found), render_summary(document)
    assert len(process.evidence) == 4
    for line in process.lines:
        assert f"<li>{line}</li>" in page.replace("&#x27;", "'")
        assert f"- {escape(line)}\n" in markdown
    assert f"<p>{FOUND}</p>" in page and escape(FOUND) in markdown


def test_a_hint_stands_above_all_else() -> None:
    given = target("0.2.0", "tag-template", tag_template="{version}")
    found = s.released(remote=snapshot({}).remote, target=given)
    document = document_of(found)
    (hint,) = document.targets[0].process.hints
    assert f"**Hint: {escape(hint)}**" in render_summary(document).split("Phase")[0]
    page = page_of(found)
    assert page.index("Hint: tag-template {version} matches no tag") < page.index('href="#TAG-11"')


@pytest.mark.parametrize("text", [HOSTILE, LONG])
def test_names_of_strangers_are_sanitized_and_bounded(text: str) -> None:
    starts = (Start(kind="tag", filters=(text,) * 50), Start(kind="workflow", filters=(text,)))
    one = Publisher(workflow=f"{text}.yml", job=text, job_name=text, how=text, starts=starts, environment=text)
    process = Process(
        publishers=(one,) * 50, candidates=(text,) * 50, unsure=(("release", text),), evidence=(text,) * 500
    )
    report = build_process(Release(s.ready(target=s.target(process=process, tag_template=f"{text}{{version}}"))))
    assert len(msgspec.json.encode(report).decode()) < 60_000
    for shown in (report.summary, *report.lines, *report.candidates, *report.workflows, report.tag_template):
        assert len(shown) < 700
        assert not set(OBEYED) & set(shown) and "\n" not in shown
