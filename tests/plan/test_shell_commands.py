"""A printed command, typed as it is shown, has exactly the arguments that were meant; what cannot be shown has none."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from release_state.common.text import find_obstacle, needs_repository
from release_state.model.observation import known
from release_state.model.plan import Plan, Step, step
from release_state.model.snapshot import Snapshot
from release_state.observe.git.command import explain_failure
from release_state.report import terminal
from release_state.report.document import Origin, build_report
from release_state.report.markdown import fence, render_step, render_summary
from release_state.report.page import summary
from release_state.report.page.templates import render_macro
from release_state.report.screen import Screen
from release_state.report.script import render_script
from tests.support import states as s
from tests.support.judged import verdict_of

SHELLS = [shell for shell in ("dash", "bash", "sh") if shutil.which(shell)]
SEEN = [
    "a b",
    "it's",
    '"',
    "$(touch x)",
    "`x`",
    "\\t",
    "a\\nb",
    "-x",
    "~",
    "*",
    "!",
    "é",
    "🚀",
    "a\nb",
    "",
    " ",
    "%s",
    "#",
]
UNSEEN = {
    "tab": "a\tb",
    "carriage return": "a\rb",
    "escape": "\x1b[2Jb",
    "no-break space": "a\u00a0b",
    "joiner": "a\u200db",
    "bidi": "a\u202eb",
    "variation": "a\ufe0fb",
    "filler": "a\u3164b",
    "private": "a\ue000b",
    "not assigned": "a\U000e0fffb",
    "line separator": "a\u2028b",
    "not UTF-8": "a\udcffb",
    "braille blank": "a\u2800b",
    "too long": "a" * 100_001,
}
HOSTILE = st.text(
    st.one_of(st.characters(codec=None), st.sampled_from("\t\r\n\\'\"`$!*~ \u200d\u202e\ufeff\ue000\u00a0\udcff")),
    max_size=12,
).filter(lambda word: "\0" not in word)


def arguments(shell: str, lines: Sequence[str]) -> list[list[str]]:
    """What each line's program gets, typed into a shell one after the other."""
    typed = "".join(f'set -- {line}\nprintf \'%s\\000\' "$#" "$@"\n' for line in lines)
    done = subprocess.run([shell], input=typed.encode(), capture_output=True, check=True, timeout=20)
    words = done.stdout.decode().split("\0")[:-1]
    found: list[list[str]] = []
    while words:
        count = int(words.pop(0))
        found.append([words.pop(0) for _ in range(count)])
    return found


def shown_in(where: str, one: Step) -> str:
    """The lines of a step's commands as somebody copies them from there."""
    plan = Plan(direction="complete", steps=(one,))
    if where == "page":
        return "\n".join(html.unescape(re.sub("<[^>]+>", "", code)) for code in codes(on_page(one)))
    if where == "summary":
        return html.unescape("".join(codes(cmarkgfm.github_flavored_markdown_to_html(render_step(1, one)))))[:-1]
    return on_screen(plan)


def on_page(one: Step) -> str:
    return render_macro("report/page/macros.html", "steps", [(1, one)], "")


def codes(page: str) -> list[str]:
    return re.findall(r"<code[^>]*>(.*?)</code>", page, re.DOTALL)


def on_screen(plan: Plan, encoding: str = "utf-8") -> str:
    """What a terminal shows of a plan's commands, without the prompts before them."""
    out = io.StringIO()
    reporter = SimpleNamespace(
        isatty=False,
        config=SimpleNamespace(option=SimpleNamespace(release_state_quiet=False)),
        write_line=lambda line, **_: out.write(f"{line}\n"),
    )
    screen = Screen(cast("pytest.TerminalReporter", reporter))
    screen.encoding = encoding
    terminal._plan(screen, plan, {1}, set())
    lines = out.getvalue().split("     $ ")[1:]
    return "\n".join(line.removesuffix("\n") for line in lines)


PLACES = ("terminal", "page", "summary")


@given(words=st.lists(HOSTILE, min_size=1, max_size=3))
@example(words=SEEN)
@settings(max_examples=120, deadline=None)
def test_what_is_printed_reaches_the_program_as_it_was_meant(words: list[str]) -> None:
    """In every place, or nowhere; then the step says why, in characters that are all seen."""
    one = step("do it", ["git", *words])
    if not one.commands:
        assert one.withheld and not find_obstacle([one.withheld])
        assert next(find_obstacle([word]) for word in words if find_obstacle([word])) == one.withheld
        assert not any(shown_in(where, one) for where in PLACES)
        return
    assert not one.withheld
    lines = [*one.lines(), *(shown_in(where, one) for where in PLACES)]
    # The terminal indents a command, not the further lines of an argument; all places show the same.
    for program in SHELLS:
        assert arguments(program, lines) == [["git", *words]] * len(lines)
    assert json.loads(msgspec.json.encode(one).decode())["commands"] == [["git", *words]]


@pytest.mark.parametrize("word", UNSEEN.values(), ids=UNSEEN)
def test_what_cannot_be_shown_gets_no_command(word: str) -> None:
    """Nor any other of the same step: half of it could be worse than none."""
    found = step("do it", ["git", "fetch"], ["git", "push", word], verify=[["git", "status"]])
    assert (found.commands, found.verify) == ((), ())
    assert found.withheld
    assert msgspec.json.decode(msgspec.json.encode(found).decode(), type=Step) == found
    assert not find_obstacle([found.withheld]), "and what is said instead can be seen"
    plan = Plan(direction="complete", steps=(found,), other_way=("release-state", word))
    assert plan.other_way == ()
    for told in (render_step(1, found), on_page(found)):
        assert "No command: " in told and "push" not in told
    verified = step("see", ["git", "fetch"], verify=[["git", "ls-remote", word]])
    assert not verified.commands


def hostile_clone(folder: str) -> Snapshot:
    """A branch and a tag to delete, and a clone in a folder that cannot be named."""
    target = s.target(clone=folder)
    url = target.remote_url
    return s.ready(
        target=target,
        remote=s.remote(s.branch(), s.tag()),
        history=s.history(s.lineage(unmerged_count=1)),
        clone=s.clone(path=folder, remote_url=url, push_urls=(url,), tags=(s.tag("v0.2.0", s.OTHER),)),
        release=known(None),
    )


@pytest.mark.parametrize("name", ["tab", "joiner", "bidi", "private", "not UTF-8", "no-break space"])
def test_no_command_is_for_a_folder_that_no_command_leads_to(name: str, tmp_path: Path) -> None:
    """With a clone of another repository where the folder seems to be, its tag was deleted."""
    folder = f"/home/me/{UNSEEN[name]}"
    snapshot = hostile_clone(folder)
    verdict = verdict_of(snapshot, "rollback")
    assert verdict.plan.steps and any("for the clone" in each.withheld for each in verdict.plan.steps)
    assert verdict_of(hostile_clone("/home/me/orbit"), "rollback").plan.steps[0].commands, "there it has commands"
    for each in verdict.plan.steps:
        assert not needs_repository(each.commands) or each.in_empty_folder, each.title
    text = render_script([verdict])
    assert not re.search(r"^\s*(git|cd|sh) ", text, re.MULTILINE) or "mktemp" in text
    observed = {snapshot.target.key: snapshot}
    markdown = render_summary(build_report([verdict], observed, 1, s.NOW, "r.html", Origin(host="h"), {}))
    page = "".join(summary((verdict,), observed, Origin(host="h")))
    for told in (text, markdown, page, on_screen(verdict.plan)):
        assert "git push" not in told and "\ncd " not in told


def test_a_terminal_that_cannot_show_a_command_says_so() -> None:
    plan = Plan(direction="complete", steps=(step("do it", ["gh", "pr", "create", "--title", "🚀 v0.2.0"]),))
    assert on_screen(plan) and not on_screen(plan, "ascii")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_types_the_same(shell: str, tmp_path: Path) -> None:
    """No `echo` in it: what that makes of a backslash is not the same in every shell."""
    words = [word for word in SEEN if word]
    one = step("a \\t title", ["git", *words], destroys="a\\nb", reason="\\c", link="https://h.example/\\t")
    by_hand = step("by \\t hand", link="https://h.example/\\n")
    verdict = verdict_of(s.released())
    plan = Plan(direction="complete", steps=(one, by_hand))
    text = render_script([structs.replace(verdict, plan=plan)])
    program = tmp_path / "git"
    program.write_text('#!/bin/sh\nprintf "%s\\000" "$@" >"$0.got"\n', encoding="utf-8")
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([shell, "-c", text], input=b"y\ny\n", env=env, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "git.got").read_bytes().decode().split("\0")[:-1] == words
    assert "1. a \\t title" in done.stdout.decode() and "This destroys a\\nb." in done.stdout.decode()
    assert "By hand: https://h.example/\\n Done?" in done.stdout.decode()


def test_a_path_that_git_did_not_show_as_it_is_gets_no_command() -> None:
    told = "fatal: detected dubious ownership in repository at '{}'"
    assert "safe.directory '/a b'" in str(explain_failure(told.format("/a b"), 128)[1])
    for path in ("/a?b", "/a\u202eb"):
        assert "--global" not in str(explain_failure(told.format(path), 128)[1])


def test_a_fence_is_longer_than_any_in_it() -> None:
    assert fence(["a ``` b"]).startswith("````sh\n")
