"""The HTML report as a browser shows it: complete, readable by everybody, and its commands copied to the letter."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert, structs

from release_state.demo.scenarios import SCENARIOS
from release_state.model.observation import known
from release_state.model.outcome import Exit, Outcome
from release_state.model.plan import Step
from release_state.observe.recorded import save
from tests.plan.test_start import publisher, tagged
from tests.support import states as s
from tests.support.browser import SCREENSHOTS, SOME, Opened, checks_of, once, report_in, report_of
from tests.support.cli import suite
from tests.support.facts import workflow

pytestmark = pytest.mark.browser

LOOKS = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]
FIRST_SCREEN = 800
"""Pixels of a telephone's screen, with a width of 400."""
GOOD = tuple(name for name in SOME if not SCENARIOS[name].exit_code)
MOST_PIXELS = 2_500
"""The height of a good release's page, on a telephone too."""
WHOLE = "branch-exists"
"""The scenario whose report is looked at in every way; the others differ from it in words."""


def lines_of(step: dict[str, Any]) -> list[str]:
    """A step's commands and the verifying ones, as the plan has them."""
    given = convert(step, Step)
    return [*given.lines(), *given.restore_lines(), *given.verify_lines()]


def unfold(opened: Opened) -> None:
    """Open what is folded."""
    opened.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")


def in_order(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps as the page shows them: advice comes last."""
    return sorted(steps, key=lambda step: bool(step["advice"]))


@pytest.mark.parametrize("scenario", SOME)
def test_report_of_every_scenario(scenario: str, open_page: Any, folders: Path) -> None:
    """Nothing goes wrong in it and nothing is loaded; what it says is what the run found; anybody can read it."""
    path, document = report_of(scenario, folders)
    opened = open_page(path)
    page = opened.page
    [target] = document["targets"]

    # The verdict, on top, in words.
    assert page.locator("h1").inner_text().split("\n")[0] == document["verdict"] == SCENARIOS[scenario].verdict
    assert page.title().startswith(document["verdict"])
    assert page.evaluate("document.documentElement.lang") == "en"

    # On a telephone, the first command is on the first screen; a good release is read at one glance.
    for width in (400, 1280):
        opened.look(width, "light")
        if target["plan"]["steps"] and document["exit_code"]:
            box = page.locator(".command").first.bounding_box()
            assert box["y"] + box["height"] <= FIRST_SCREEN
        height = page.evaluate("document.documentElement.scrollHeight")
        assert scenario not in GOOD or height < MOST_PIXELS, (width, height)

    # Every check, once, with its outcome; what was found of each that does not hold. What holds is folded, no more.
    checks = checks_of(document)
    quiet = [check for check in checks if check["outcome"] in ("holds", "not applicable")]
    assert page.locator("li.check:visible").count() == len(checks) - len(quiet)
    assert len(opened.texts("details.source > summary")) == len({check["source"] for check in quiet})
    unfold(opened)
    shown = opened.texts("li.check")
    assert len(shown) == len(checks) == target["checks_run"]
    for check in checks:
        [text] = [text for text in shown if re.findall(r"[A-Z]+-\d+", text)[0] == check["id"]]
        assert Outcome(check["outcome"]).words in text or not check["decides"], "advice has a sign of its own"
        assert check["outcome"] in ("holds", "defect") or " ".join(check["found"].split()) in text
    assert not re.search(r"\b\d+ ms\b", page.inner_text("body"))
    page.reload()
    counts = opened.texts(".counts li")
    assert sum(int(re.findall(r"\d+", text)[0]) for text in counts) == len(checks)

    # The plan, command for command.
    steps = target["plan"]["steps"]
    assert page.locator(".steps > li").count() == len(steps)
    commands = page.locator(".steps .command code").all_text_contents()
    assert commands == [line for step in in_order(steps) for line in lines_of(step)]
    needed = [step for step in steps if not step["advice"]]
    assert page.locator(".lead .steps > li").count() == (1 if needed else 0), "the first step is in the card"
    headings = [page.locator(f"#{name}").all() for name in ("plan", "wrong", "state", "checks")]
    places = [heading.bounding_box()["y"] for found in headings for heading in found]
    assert places == sorted(places)

    # Advice is counted in the card, and a line each.
    advised = [
        check for check in checks if check["outcome"] not in ("holds", "not applicable") and not check["decides"]
    ]
    assert bool(advised) == ("Advice: " in page.locator(".lead").inner_text())
    assert page.locator(".advice > details").count() == len(advised)
    assert page.locator(".advice dl:visible").count() == 0

    # A row of the state that a finding decides names it, and not once more what it found.
    found = {check["id"]: check["found"] for check in checks}
    for row, text in zip(target["matrix"], opened.texts(".matrix tbody tr"), strict=True):
        assert all(name in text and found[name] not in text for name in row["decided_by"])
        assert row["decided_by"] or row["observed"] in text

    # What the state says is not said again beside the phase, and what a check found not in the timeline.
    assert ": found " not in page.locator(".facts").inner_text()
    assert "in step" not in page.locator(".events").inner_text()

    # The state, and the timeline with as many rows in words as in the picture.
    assert page.locator(".matrix tbody tr").count() >= 6
    assert page.locator(".lanes .dot").count() == page.locator(".events > li:not(.gap)").count()

    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    for width, scheme in LOOKS:
        opened.look(width, scheme)
        if scenario == WHOLE or SCREENSHOTS in os.environ:
            opened.picture(f"{scenario}-{width}-{scheme}")
        assert opened.overflow() <= 0, (width, scheme)
        if scenario == WHOLE or (width, scheme) == LOOKS[-1]:
            assert opened.violations() == [], (width, scheme)
    assert not opened.wrong


def test_report_of_a_silent_service(open_page: Any, folders: Path) -> None:
    """Each cause stands on top once, and each check that it leaves unknown is a link to its line below."""
    asked = ("repository", "release", "latest_release", "drafts", "pulls", "open_pulls", "runs", "ci")
    folder = folders / "silent"

    def make() -> None:
        save(folder / "silent.json", [s.ready(**dict.fromkeys(asked, s.failed()), remote=s.failed("git remote"))])
        assert suite("--snapshot", str(folder / "silent.json"), "-q", reports_dir=folder).returncode == Exit.UNKNOWN

    path, document = report_in(once(folder, make))
    opened = open_page(path)
    unknown = {check["id"] for check in checks_of(document) if check["outcome"] == "unknown" and check["decides"]}
    assert opened.texts(".cause .said") == [
        "could not read git remote: answered 503", "could not read GitHub: answered 503",
    ]  # fmt: skip
    assert unknown <= set(opened.texts(".left-unknown strong"))
    assert opened.texts(".lead a[href='#unknown']")[0].endswith(" checks are unknown")
    assert opened.page.locator(".lead .steps > li").count() == 2, "the first step has no command of its own"
    assert opened.page.locator(".lead .command").count() == 1
    for width, scheme in LOOKS:
        opened.look(width, scheme)
        if SCREENSHOTS in os.environ:
            opened.picture(f"silent-{width}-{scheme}")
        assert opened.overflow() <= 0
    assert opened.violations() == []
    assert not opened.wrong


def test_commands_are_copied_to_the_letter(browser: Any, folders: Path) -> None:
    """With the keyboard alone, line feeds and all; a screen reader is told."""
    path, document = report_of("pr-failed", folders)
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = Opened(context.new_page(), path)
    page = opened.page
    lines = [line for step in in_order(document["targets"][0]["plan"]["steps"]) for line in lines_of(step)]
    assert any("\n" in line for line in lines), "no command of several lines: this would prove less than it says"
    unfold(opened)
    buttons = page.locator(".steps button.copy")
    assert buttons.count() == len(lines) > 2
    for number, line in enumerate(lines):
        button = buttons.nth(number)
        assert (button.get_attribute("aria-label") or "").startswith("Copy command ")
        button.focus()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        button.get_by_text("Copied").wait_for()
        assert page.locator("[role=status]").inner_text() == "Copied"
        assert page.evaluate("navigator.clipboard.readText()") == line
    # Every button is reached with Tab.
    page.reload()
    unfold(opened)
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        if page.evaluate("document.activeElement === document.body"):
            break
    assert {button.get_attribute("aria-label") for button in page.locator("button.copy").all()} <= reached
    assert not opened.wrong
    context.close()


def test_copying_without_a_clipboard_selects(browser: Any, folders: Path) -> None:
    path, _ = report_of("partial", folders)
    page = browser.new_page()
    page.add_init_script("delete Navigator.prototype.clipboard; document.execCommand = () => false")
    opened = Opened(page, path)
    page.locator(".steps button.copy").first.click()
    assert page.evaluate("getSelection().toString()") == page.locator(".steps code").first.text_content()
    assert "copy it with the keyboard" in page.locator("[role=status]").inner_text()
    assert not opened.wrong
    page.close()


def test_what_destroys_is_unmistakable(open_page: Any, folders: Path) -> None:
    """In words, in shape and on its button; and only what destroys."""
    path, document = report_of("branch-exists", folders)
    opened = open_page(path)
    steps = document["targets"][0]["plan"]["steps"]
    losing = [number for number, step in enumerate(steps) if step["destroys"]]
    assert losing
    for number in range(len(steps)):
        step = opened.page.locator(f"#step-{number + 1}")
        buttons = [button.get_attribute("aria-label") or "" for button in step.locator("button.copy").all()]
        if number in losing:
            assert "DESTROYS" in step.inner_text()
            assert any(name.endswith("destructive") for name in buttons)
            assert step.locator(".destroys").evaluate("e => getComputedStyle(e).borderStyle") == "dashed"
            framed = step.locator(".destroying code").all_text_contents()
            assert framed == convert(steps[number], Step).lines()
        else:
            assert "DESTROYS" not in step.inner_text()
            assert not any("destroys" in name for name in buttons)


def test_page_says_all_without_a_script(open_page: Any, folders: Path) -> None:
    """As in the preview of a mail program: nothing is hidden, and no button is there that does nothing."""
    path, document = report_of("partial", folders)
    opened = open_page(path, java_script_enabled=False)
    assert opened.texts("h1")[0].startswith("ACTION NEEDED: orbit-demo 0.2.0 on pypi")
    assert opened.page.locator("li.check").count() == len(checks_of(document))
    assert opened.page.locator(".steps code").first.is_visible()
    assert opened.page.locator("button.copy:visible").count() == 0


def test_only_handler_is_that_of_pytest_html(open_page: Any, folders: Path) -> None:
    path, _ = report_of("partial", folders)
    markup = path.read_text(encoding="utf-8").split("<script>")
    handlers = [found for part in markup for found in re.findall(r"\son[a-z]+=\"[^\"]*\"", part.split("</script>")[-1])]
    assert handlers == [' onclick="location.reload()"']
    opened = open_page(path)
    assert opened.page.locator("[onclick]").count() == 0


def test_filters_hide_only_what_they_name(open_page: Any, folders: Path) -> None:
    path, document = report_of("partial", folders)
    opened = open_page(path)
    rows = opened.page.locator("#results-table .collapsible:visible")
    assert rows.count() == 0
    opened.page.locator(".more summary").press("Enter")
    everything = rows.count()
    assert everything == len(checks_of(document))
    table = opened.page.locator("#results-table").inner_text()
    assert not [check["id"] for check in checks_of(document) if check["title"] in table], "said above it"
    for result in ("passed", "skipped", "failed"):
        box = opened.page.locator(f"input[data-test-result={result}]")
        named = opened.page.locator(f"#results-table tbody.{result}").count()
        assert named > 0
        assert box.get_attribute("aria-label")
        box.uncheck()
        assert rows.count() == everything - named
        box.check()
        assert rows.count() == everything
    opened.page.locator("th[data-column-type=outcome]").press("Enter")
    assert rows.count() == everything
    opened.look(400, "light")
    assert opened.overflow() <= 0
    assert opened.violations() == []
    assert not opened.wrong


def test_page_prints_dark_on_white(open_page: Any, folders: Path) -> None:
    path, document = report_of("partial", folders)
    opened = open_page(path, color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.picture("partial-print")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.violations() == []
    assert opened.page.locator("button.copy:visible, .controls:visible").count() == 0
    assert len(opened.texts("li.check")) == len(checks_of(document))
    assert opened.page.locator(".advice dd, .source .title").first.is_visible(), "folded things are printed"


UNTIDY = workflow(
    "on: {workflow_dispatch: {inputs: {channel: {options: [testpypi, pypi]}}}}\n"
    "permissions: {contents: write, pull-requests: write, id-token: write}\n"
    "jobs: {release: {steps: [{uses: actions/checkout@v4}, {run: gh pr create}]}}\n"
)
CLONE = s.clone(shallow=True, dirty_submodules=known(("vendor/lib",)))
LIGHTWEIGHT = s.tag(annotated=False)
READY = s.ready(clone=CLONE, workflow_files=UNTIDY, calculation=s.failed("version calculation"))
ADVISED = {
    "ready": READY,
    "ready-by-tag": structs.replace(READY, target=tagged(publisher("tag")).target),
    "released": s.released(
        remote=s.remote(LIGHTWEIGHT), clone=s.clone(tags=(LIGHTWEIGHT,)), workflow_files=UNTIDY, last_run=s.explained(),
        actions_settings=s.settings("write", pulls=False), rulesets=s.failed(), base_rules=s.failed("the rules"),
    ),
}  # fmt: skip
"""Good releases, each with five lines of advice or more."""


def report_on(name: str, folders: Path, *more: str, code: Exit = Exit.OK) -> tuple[Path, dict[str, Any]]:
    """The page and the document of one of them."""
    folder = folders / "-".join((name, *more))

    def make() -> None:
        save(folder / "advised.json", [ADVISED[name]])
        run = suite("--snapshot", str(folder / "advised.json"), "-q", *more, reports_dir=folder)
        assert run.returncode == code, run.stdout + run.stderr

    return report_in(once(folder, make))


@pytest.mark.parametrize("name", ADVISED)
def test_a_good_release_with_advice_is_a_short_page(name: str, open_page: Any, folders: Path) -> None:
    opened = open_page(report_on(name, folders)[0])
    lines = opened.page.locator(".advice > details:not([open]) > summary")
    assert lines.count() >= 5
    assert opened.texts(".lead a[href='#advice']") == [f"Advice: {lines.count()}"]
    for width, scheme in LOOKS:
        opened.look(width, scheme)
        height = opened.page.evaluate("document.documentElement.scrollHeight")
        assert height < MOST_PIXELS, (width, height)
        assert opened.overflow() <= 0
        opened.picture(f"advised-{name}-{width}-{scheme}")
    assert opened.violations() == []
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".advice dd").first.is_visible(), "it is printed as if unfolded"


RULES = """\
import pytest
from release_state.api import ActionNeeded, Release, check, step
pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery]
"""
RULE = """
@check("ACME-{number}", reads=["repository"], advice={is_advice})
def test_rule_{number}(release: Release) -> None:
    \'\'\'Recommendation number {number} of the company is kept in this repository.\'\'\'
    release.snapshot.repository.present()
    if {is_advice}:
        fix = "Change the setting as the company's handbook says in chapter {number}"
        raise ActionNeeded(found="it is not", why="its tools rely on it", steps=[step(fix)])
"""
_WHEELS = tuple(
    structs.replace(s.file(), filename=f"orbit-0.2.0-cp3{minor}-cp3{minor}-{platform}.whl")
    for minor in (11, 12)
    for platform in ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
)
FULL = {
    "ready": READY,
    "ready-by-tag": ADVISED["ready-by-tag"],
    "released": structs.replace(ADVISED["released"], index={"pypi": s.project(s.file("sdist"), *_WHEELS)}),
}


@pytest.mark.parametrize("name", FULL)
def test_a_good_release_with_much_to_tell_is_a_short_page(name: str, open_page: Any, folders: Path) -> None:
    """More than twelve pieces of advice, seven files, and thirty changes since a run that saw next to nothing."""
    folder = folders / f"full-{name}"
    good = FULL[name]
    asked = (
        "repository",
        "remote",
        "release",
        "latest_release",
        "drafts",
        "pulls",
        "open_pulls",
        "runs",
        "ci",
        "history",
    )

    def make() -> None:
        blind = structs.replace(good, index={"pypi": s.failed()}, **dict.fromkeys(asked, s.failed()))
        numbers = [RULE.format(number=number, is_advice=number > 20) for number in range(1, 33)]
        (folder / "rules.py").write_text(RULES + "".join(numbers), encoding="utf-8")
        phase = "post-recovery" if name == "released" else "pre-release"
        for snapshot, code in ((blind, Exit.UNKNOWN), (good, Exit.OK)):
            save(folder / "full.json", [snapshot])
            words = ("--snapshot", str(folder / "full.json"), "--checks", str(folder / "rules.py"), "--phase", phase)
            run = suite(*words, "-q", reports_dir=folder)
            assert run.returncode == code, run.stdout + run.stderr

    path, document = report_in(once(folder, make))
    opened = open_page(path)
    page, [changes] = opened.page, [each["changes"] for each in document["run"]["targets"].values()]
    assert len(changes["mended"]) >= 30
    for width, scheme in LOOKS:
        opened.look(width, scheme)
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height < MOST_PIXELS, (width, height)
        assert opened.overflow() <= 0
        opened.picture(f"full-{name}-{width}-{scheme}")
    advised = page.locator(".advice > details").count()
    assert opened.texts(".lead a[href='#advice']") == [f"Advice: {advised}"] and advised > 12
    assert page.locator(".advice > details:visible").count() == 3
    assert opened.texts(".rest > details > summary") == [f"{advised - 3} more pieces of advice"]
    assert page.locator("#ACME-32").is_hidden()
    page.evaluate("location.hash = 'ACME-32'")
    page.locator("#ACME-32").wait_for(state="visible")  # a link to what is folded unfolds it
    unfold(opened)
    assert all(name in page.locator("section:has(> #changes)").inner_text() for name in changes["mended"])
    assert page.locator(".advice > details:visible").count() == advised
    assert opened.violations() == []


def test_advice_says_once_what_to_do_and_what_blocks_is_not_folded(open_page: Any, folders: Path) -> None:
    path, document = report_on("ready", folders)
    opened = open_page(path)
    advice = opened.page.locator("#WORKFLOW-2")
    assert "Set timeout-minutes" in advice.locator("summary").inner_text()
    advice.locator("summary").press("Enter")
    assert "Set timeout-minutes" not in advice.locator("summary").inner_text()
    assert advice.inner_text().count("Set timeout-minutes") == 1 and "a hanging job" in advice.inner_text()
    blocking = open_page(report_on("ready", folders, "--block-on-advice", code=Exit.ACTION_NEEDED)[0])
    for check in checks_of(document):
        if check["outcome"] in ("action needed", "unknown"):
            place = blocking.page.locator(f"#{check['id']}")
            assert place.is_visible() and place.locator("xpath=ancestor::details").count() == 0
            assert check["outcome"] == "unknown" or place.locator("dl").is_visible()


def test_workers_and_one_process_write_the_same_report(folders: Path, tmp_path: Path) -> None:
    """But for times and names; and what was observed, judged again, is judged alike."""
    report_of("partial", folders)
    recorded = ("--snapshot", str(folders / "demo" / "partial.json"), "-q", "-n", "2")
    run = suite(*recorded, reports_dir=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    pages, documents = [], []
    for folder in (folders / "demo" / "partial", tmp_path):
        path, document = report_in(folder)
        documents.append(document | {"run": None})
        page = path.read_text(encoding="utf-8")
        # What pytest-html keeps of each row is in the order in which workers ended; its script sorts it.
        main, _, rows = page[page.index("<main ") :].partition("</main>")
        found = sorted(re.findall(r"resultsTableRow&#34;: \[(.*?)\], ", rows))
        pages.append((main, found))
    assert documents[0] == documents[1]
    assert pages[0] == pages[1]
    assert len(pages[0][1]) > 20
