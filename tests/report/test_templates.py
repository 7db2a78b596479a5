"""Whatever a template shows is text: of every page, however hostile, and however a template is written."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

import release_state
from release_state.audit.audit import Audit
from release_state.audit.fleet.projects import Part, ProjectRow
from release_state.audit.fleet.report import render_page as fleet_page
from release_state.audit.report.page import render_page as audit_page
from release_state.model.observation import Observation, Problem
from release_state.model.plan import step
from release_state.report.document import Origin
from release_state.report.page import other_row, row, summary
from release_state.report.page.templates import make_environment, render_macro
from tests.support import histories
from tests.support.hostile import HOSTILE, LONG, OBEYED, hostile_snapshots
from tests.support.judged import verdict_of
from tests.support.states import NOW

ROOT = Path(release_state.__file__).parent
TEMPLATES = sorted(path for path in ROOT.rglob("*.html") if "_suite" not in path.parts)
OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "footer",
        "script",
        "nav",
        "article",
        "section",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "a",
        "br",
        "strong",
        "small",
        "span",
        "code",
        "pre",
        "button",
        "time",
        "details",
        "summary",
    ),
    *("ol", "ul", "li", "dl", "dt", "dd", "div", "table", "thead", "tbody", "tr", "th", "td", "output", "i"),
    *("svg", "path", "desc", "label", "input", "select", "option"),
}


class _Read(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def release_page() -> str:
    snapshots = {snapshot.target.key: snapshot for snapshot in hostile_snapshots("javascript:window.hacked=3")}
    return "".join(summary(tuple(map(verdict_of, snapshots.values())), snapshots, Origin(host=HOSTILE, user=HOSTILE)))


def audit() -> str:
    problem = Problem(source="GitHub", why=HOSTILE, remedy=HOSTILE)
    refused: Observation[Any] = Observation(value=None, unavailable=problem)
    files = histories.index(histories.indexed("0.2.0", 3), status="archived", status_reason=LONG, skipped=(HOSTILE,))
    tagged = histories.with_more(histories.tagged(f"v0.4.0-{'x' * 20}"), index=files)
    verdicts = [histories.verdict_of(Audit(each)) for each in (tagged, histories.history(releases=refused))]
    return audit_page(verdicts, NOW)


def fleet() -> str:
    steps = (step(HOSTILE, ["git", "push", "<b>'\""], reason=HOSTILE, link=HOSTILE), step(HOSTILE, advice=True))
    part = Part(
        key=f"a@{HOSTILE}", verdict=HOSTILE, exit_code=1, summary=HOSTILE, findings=(HOSTILE, LONG), kinds=(HOSTILE,),
        steps=steps, retry_at=HOSTILE,
    )  # fmt: skip
    hostile = ProjectRow(project=HOSTILE, repository=HOSTILE, parts=(part,), report=HOSTILE, defect=HOSTILE)
    return fleet_page([hostile], 1, 1, NOW, HOSTILE)


@pytest.mark.parametrize("make", [release_page, audit, fleet], ids=["release", "audit", "fleet"])
def test_hostile_text_is_text_on_every_page(make: Callable[[], str]) -> None:
    page = make()
    read = _Read(page)
    assert "hacked" in page, "the state no longer shows it: this test would prove nothing"
    assert read.tags <= OURS
    assert not [name for name in read.attributes if name.startswith("on")]
    assert not [link for link in read.links if re.match(r"(?i)\s*(javascript|data|file|vbscript):", link)]
    assert not (set(OBEYED) - {"\n"}) & set(page)
    assert "A" * 2_001 not in page


def test_hostile_text_is_text_in_the_table_of_pytest_html() -> None:
    [snapshot, *_] = hostile_snapshots()
    cells: list[Any] = []
    for result in verdict_of(snapshot).results:
        own = ['<td class="col-result">Passed</td>', "<td></td>", "<td></td>", "<td></td>"]
        row(structs.replace(result, found=HOSTILE, title=HOSTILE, target=f"a=={HOSTILE}"), own)
        cells += own
    other = ["<td>Error</td>", "<td>x</td>", "<td>1 ms</td>", ""]
    other_row(other)
    assert _Read("".join(map(str, [*cells, *other]))).tags == {"td", "br"}
    assert not set(OBEYED) & set("".join(map(str, cells)))


def test_a_template_leaves_nothing_unescaped() -> None:
    assert len(TEMPLATES) > 6
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape|Markup", text), path
        assert not re.search(r"=\s*\{\{|='[^']*\{\{", text), f"{path}: an attribute without double quotes"
        # An address leads to a place of the page, to a report beside it, or through the macro that asks for its scheme.
        links = set(re.findall(r'(?:href|src|action)="([^"]*)"', text))
        assert all(re.match(r"#|\{\{ folder\|urlencode", link) for link in links - {"{{ url }}"}), (path, links)
        assert "{{ url }}" not in links or path.name == "macros.html"


def test_a_template_is_compiled_once_where_that_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path) -> None:
        made = make_environment()
        vars(made.bytecode_cache)["directory"] = str(folder)
        made.get_template("report/page/macros.html")

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    load(tmp_path)
    assert not [*tmp_path.iterdir()]
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    load(tmp_path / "missing")
    load(tmp_path)
    assert [*tmp_path.iterdir()]
    monkeypatch.setattr("jinja2.Environment.compile", lambda *_, **__: pytest.fail("compiled again"))
    load(tmp_path)


def test_what_is_no_web_address_is_no_link() -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", "//x.example", "", None, "HTTPS://x.example"):
        assert "<a" not in render_macro("report/page/macros.html", "link", url, "a <b>")
    shown = render_macro("report/page/macros.html", "link", "https://x.example/\"'><i>", "a <b>")
    assert shown == '<a href="https://x.example/&#34;&#39;&gt;&lt;i&gt;" rel="noreferrer">a &lt;b&gt;</a>'
