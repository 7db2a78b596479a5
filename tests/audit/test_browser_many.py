"""The pages of an audit and of many projects as a browser shows them: quick to filter, readable by everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.fleet import report as fleet_page
from release_state.audit.fleet.projects import Part, ProjectRow
from release_state.audit.report import page as audit_page
from release_state.model.observation import known
from release_state.model.plan import step
from tests.support.browser import Opened
from tests.support.histories import day, history, index, indexed, released, tagged, verdict_of
from tests.support.states import failed, remote

pytestmark = pytest.mark.browser

LOOKS = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]


def written(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


def long_history(versions: int) -> Audit:
    """One tag and two GitHub Releases are missing, the first version of all is yanked, the drafts are unknown."""
    names = [f"1.{number // 50}.{number % 50}" for number in range(versions)]
    pages = [indexed(name, number) for number, name in enumerate(names)]
    pages[0] = indexed(names[0], 0, yanked=["sdist", "wheel"])
    made = [released(name, number) for number, name in enumerate(names) if number not in (3, 7)]
    tags = [tagged(f"v{name}") for number, name in enumerate(names) if number != 5]
    return Audit(
        history(index=index(*pages), remote=remote(*tags), releases=known(tuple(made)), drafts=failed(), runs=failed())
    )


def test_the_page_of_an_audit_is_filtered_by_text_outcome_and_kind(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(written(tmp_path, audit_page.render_page([verdict_of(long_history(1000))], day(1000))))
    page = opened.page
    rows, shown = page.locator(".rows tbody tr:visible"), page.locator(".shown")

    assert shown.inner_text() == "1000 of 1000 versions"
    page.locator(".filters input").fill("1.19.")
    assert (shown.inner_text(), rows.count()) == ("50 of 1000 versions", 50)
    page.locator(".filters input").fill("")
    page.locator(".filters select").first.select_option("action needed")
    assert (shown.inner_text(), rows.count()) == ("4 of 1000 versions", 4)
    page.locator(".filters select").first.select_option("")
    page.locator("button[data-kind=release-missing]").click()
    assert [text.split("\t")[0] for text in rows.all_inner_texts()] == ["1.0.7", "1.0.3"]
    # The picture names the version under the pointer, and a click shows its row whatever is filtered.
    page.locator("svg").click(position={"x": 1, "y": 5})
    assert page.locator(".under").inner_text().startswith("1.0.")
    assert rows.count() == 3
    assert not opened.wrong


@pytest.mark.parametrize("count", [2, 120])
def test_the_page_of_an_audit_is_for_everybody(count: int, open_page: Any, tmp_path: Path) -> None:
    audit = long_history(120) if count > 2 else Audit(history(releases=failed(), latest_release=failed()))
    opened = open_page(written(tmp_path, audit_page.render_page([verdict_of(audit)], day(120))))

    for width, scheme in LOOKS:
        opened.look(width, scheme)
        assert opened.overflow() <= 0
        assert opened.violations() == []
        clips = "[...document.querySelectorAll('.key i, svg path')].map(e => getComputedStyle(e).clipPath)"
        assert set(opened.page.evaluate(clips)) == {"none"}, "what was not observed is shown as that"
        opened.picture(f"audit-{count}-{width}-{scheme}")
    assert not opened.wrong


LONG_NAME = "orbit-two-of-a-long-name"


def list_of_projects() -> str:
    part = Part(key="a@pypi", verdict="HISTORY AGREES", exit_code=0, summary="3 versions: 3 holds")
    found = ("1 tag-missing: published, but not tagged", "2 odd-tag (advice): a tag that means something else")
    steps = (
        step("Look at it", ["release-state", "--version", "1.0"]),
        step("Review each tag", ["git", "ls-remote", "https://example.org/x"], advice=True),
    )
    wrong = {"verdict": "ACTION NEEDED", "exit_code": 1, "findings": found, "kinds": ("tag-missing", "odd-tag")}
    red = structs.replace(part, **wrong, steps=steps)
    rows = [
        ProjectRow(project="orbit-one", repository="octo/one", parts=(part,), report="1.html"),
        ProjectRow(project=LONG_NAME, repository=f"octo/{LONG_NAME}", parts=(red,), report="2.html"),
    ]
    return fleet_page.render_page(rows, 2, 1, day(0), "folder")


def test_commands_of_an_audit_and_of_many_projects_are_copied(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    wanted = {
        audit_page.render_page([verdict_of(long_history(20))], day(20)): "gh release edit v1.0.19 --latest",
        list_of_projects(): "release-state --version 1.0",
    }
    for text, command in wanted.items():
        opened = Opened(context.new_page(), written(tmp_path, text))
        opened.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        button = opened.page.locator("button.copy").first
        button.click()
        button.get_by_text("Copied").wait_for()
        assert opened.page.evaluate("navigator.clipboard.readText()").startswith(command)
        assert not opened.wrong
    context.close()


def test_advice_is_apart_from_what_is_wrong(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(written(tmp_path, list_of_projects()))
    [line] = opened.texts("ul.advice li")
    assert line.startswith("2 odd-tag") and "odd-tag" not in "".join(opened.texts("td > ul:not(.advice)"))
    opened = open_page(written(tmp_path, audit_page.render_page([verdict_of(long_history(120))], day(120))))
    found = dict(zip(opened.texts("section > h2"), opened.texts("section"), strict=True))
    assert list(found) == ["What is wrong", "Could not be checked", "Advice", "History", "Every version"]
    assert "yanked" in found["Advice"] and "yanked" not in found["What is wrong"]


def test_no_word_of_many_projects_breaks_on_a_telephone(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(written(tmp_path, list_of_projects()))
    opened.look(400, "light")
    heights = opened.page.evaluate(
        "[...document.querySelectorAll('.rows td:first-child a, .rows td:nth-child(2)')].map(e => e.offsetHeight)"
    )
    assert len(heights) == 4 and max(heights) < 30, "each name and each verdict is one line"


def test_the_page_of_many_projects_is_for_everybody(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(written(tmp_path, list_of_projects()))

    opened.page.locator(".filters select").last.select_option("tag-missing")
    assert opened.page.locator(".shown").inner_text() == "1 of 2 projects"
    assert opened.texts("tbody tr:visible td:first-child") == [f"{LONG_NAME} octo/{LONG_NAME}"]
    opened.page.locator(".filters select").last.select_option("")
    for width, scheme in LOOKS:
        opened.look(width, scheme)
        assert opened.overflow() <= 0
        assert opened.violations() == []
        opened.picture(f"fleet-{width}-{scheme}")
    assert not opened.wrong
