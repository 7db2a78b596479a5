"""What strangers write is harmless in the page and on the terminal, wherever it is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from release_state.observe.recorded import save
from release_state.report.document import Origin
from release_state.report.page import summary
from tests.standins.world import World
from tests.support.browser import checks_of, once, report_in
from tests.support.cli import suite
from tests.support.hostile import HOSTILE, OBEYED, hostile_snapshots, make_hostile
from tests.support.judged import verdict_of
from tests.support.worlds import options

pytestmark = pytest.mark.browser


def ran(folder: Path, *asked: str, token: str = "") -> str:
    run = suite(*asked, "--no-install", env={"GITHUB_TOKEN": token} if token else {}, reports_dir=folder)
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stdout


def hostile(folders: Path, name: str) -> tuple[Path, dict[str, Any], str]:
    """One of three runs: of both channels of a released version and of the next one in a world, and of snapshots."""
    folder = folders / "hostile"

    def make() -> None:
        with World() as world:
            make_hostile(world)
            for run, asked in (
                ("released", ["--version", "0.2.0", "--channel", "all"]),
                ("next", ["--version", "0.3.0"]),
            ):
                said = ran(folder / run, *asked, *options(world), token=world.token)
                (folder / run / "terminal.txt").write_text(said, encoding="utf-8")
                assert world.token not in said + (folder / run / "latest.html").read_text(encoding="utf-8")
        save(folder / "snapshots.json", hostile_snapshots("https://x.example/'onclick='window.hacked=3'"))
        said = ran(folder / "recorded", "--snapshot", str(folder / "snapshots.json"))
        (folder / "recorded" / "terminal.txt").write_text(said, encoding="utf-8")

    path, document = report_in(once(folder, make) / name)
    return path, document, (folder / name / "terminal.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("released", ["INDEX-13"]), ("next", ["CLONE-1", "CI-1"]), ("recorded", ["INDEX-13", "CI-1", "RELEASE-1"])],
)
def test_hostile_text_is_harmless(name: str, shown: list[str], open_page: Any, folders: Path) -> None:
    path, document, terminal = hostile(folders, name)
    opened = open_page(path, viewport={"width": 360, "height": 800})
    found = {check["id"]: check["found"] for check in checks_of(document)}
    for check in shown:
        assert "onerror=window.hacked=2" in found[check], "the state no longer shows it: this test would prove nothing"
    opened.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("window.hacked") is None
    assert not opened.wrong
    # pytest-html's script and ours; its one empty picture is in a template and in the details of each row.
    assert opened.page.locator("script").count() == 2
    assert opened.page.locator("textarea, iframe, object, img[onerror], img[src=x], b, i, em").count() == 0
    assert opened.page.locator("[href^=javascript], [href^=data], [href^=file]").count() == 0
    assert opened.page.locator("svg *:not(path, title, desc)").count() == 0
    text = opened.page.evaluate("document.body.innerText")
    assert "<script>window.hacked=1<" in text and "textarea><img src=x onerror=window.hacked=2>" in text
    assert not set(OBEYED) & set(text)
    assert "\\x1b[31mred" in text and "\\u202egnp.exe" in text
    assert "A" * 2_001 not in text
    assert opened.overflow() <= 0
    opened.picture(f"hostile-{name}-360")
    assert len(opened.texts(".check:not(.outcome-unknown), .left-unknown li")) == len(checks_of(document))

    assert "onerror=window.hacked=2" in terminal
    assert not set(OBEYED) & set(terminal)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in terminal.splitlines())
    assert "A" * 2_001 not in terminal


def test_no_link_leads_anywhere_but_to_the_web() -> None:
    """Where a service names an address of another kind, its words are shown and no link is made of it."""
    snapshots = {snapshot.target.key: snapshot for snapshot in hostile_snapshots()}
    page = "".join(summary(tuple(map(verdict_of, snapshots.values())), snapshots, Origin(host=HOSTILE, user=HOSTILE)))
    links = re.findall(r'href="([^"]*)"', page)
    assert len(links) > 20
    assert all(link.startswith(("#", "https://")) for link in links)
    assert "javascript:alert" in page
    assert not set(OBEYED) & set(page)
    assert "<script>window" not in page and "<img" not in page


def test_several_targets_each_have_their_verdict(open_page: Any, folders: Path) -> None:
    path, document, _ = hostile(folders, "released")
    opened = open_page(path)
    headings = opened.texts(".verdict > h2")
    assert len(headings) == len(document["targets"]) == 2
    for target, heading in zip(document["targets"], headings, strict=True):
        assert heading.startswith(target["verdict"])
        assert heading.endswith(f"on {target['target']['channel']}")
    ids = opened.page.evaluate("[...document.querySelectorAll('.verdict [id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    for link in opened.page.locator("a[href^='#']").all():
        assert (link.get_attribute("href") or "")[1:] in ids
    opened.picture("several-1280")
    opened.look(360, "dark")
    opened.picture("several-360")
    assert opened.violations() == []
