"""The recovery log: what changed since the last run, and the reports of a folder, whatever else lies in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from release_state.cli import main
from release_state.model.observation import known
from release_state.model.record import Record
from release_state.model.snapshot import Snapshot
from release_state.observe.earlier_reports import LARGEST, NotAReport, find_newest_whole, read_report, read_reports
from release_state.report.document import Origin, build_record, build_report, to_json
from release_state.report.page.templates import render_macro
from release_state.verdict.changes import Changes, changes_since, find_changes
from tests.standins.world import World
from tests.support import states as s
from tests.support.cli import ROOT, clean_environment
from tests.support.hostile import HOSTILE, OBEYED
from tests.support.judged import verdict_of
from tests.support.runner import obeyed
from tests.support.worlds import run, world_of

KEY = "orbit==0.2.0@pypi"
EMPTY = Path("none.json")


def of(snapshot: Snapshot) -> Record:
    """What a run over a written snapshot says."""
    return build_record(verdict_of(snapshot), snapshot)


def between(then: Snapshot, now: Snapshot) -> Changes:
    """What changed."""
    return find_changes(of(then), of(now), s.NOW, "a.json")


def compare(folder: Path, now: dict[str, Record], own: Path) -> tuple[dict[str, Changes], list[str]]:
    """What changed for each target since the reports of a folder, and the notes on files passed over."""
    before, notes = find_newest_whole(folder, now, own)
    return changes_since(before, now), notes


TAGGED = s.released(release=known(None), pulls=known(()), latest_release=known(s.release("v0.1.0")))
PUBLISHED = s.released(
    remote=s.remote(), clone=s.clone(), history=s.history(), published=s.published(), release=known(None),
    pulls=known(()), latest_release=known(s.release("v0.1.0")),
)  # fmt: skip

# --- what changed


def test_what_is_the_same_in_another_phase_is_no_change() -> None:
    then, now = of(s.ready()), of(s.released())
    observed = [row.observed for record in (then, now) for row in record.matrix if row.trace == "ci"]
    assert len(observed) == 2 and observed[0] == observed[1]
    assert not [words for words in between(s.ready(), s.released()).traces if words.startswith("CI")]


def test_what_came_what_is_missing_and_what_was_mended() -> None:
    found = between(PUBLISHED, TAGGED)
    assert found.traces[0] == "tag created"
    assert "GitHub Release still missing" in found.traces
    assert "pull request still missing" in found.traces
    assert "TAG-11" in found.mended and "RELEASE-11" in found.remaining and not found.is_empty
    assert found.words.startswith("tag created; ")
    assert (found.verdict_then, found.verdict) == ("ACTION NEEDED", "ACTION NEEDED")


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (TAGGED, PUBLISHED, "tag deleted"),
        (s.ready(), s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage())), "release branch created"),
        (TAGGED, s.released(release=known(None)), "pull request opened"),
        (s.released(pulls=known((s.open_pull(),))), s.released(), "pull request: #7 open → #7 merged"),
        (s.released(), s.released(pulls=s.failed()), "pull request not observed"),
        (s.released(pulls=s.failed()), s.released(), "pull request observed: there"),
        (s.released(pulls=s.failed()), s.released(pulls=s.failed()), "pull request still not observed"),
        (s.ready(ci=s.ci("pending")), s.ready(ci=s.ci("success")), "CI: pending: job 0 → green: 1 of 1 passed"),
        (s.ready(), s.released(), "phase pre-release → verification"),
        (s.ready(), s.released(), "published"),
        (
            s.released(),
            s.released(index={"pypi": s.project(s.file(yanked=True), s.file("sdist"))}),
            "publication: 2 files: wheel, sdist → 2 files: wheel, sdist; 1 yanked",
        ),
    ],
)
def test_each_kind_of_change_is_told(then: Snapshot, now: Snapshot, said: str) -> None:
    assert said in between(then, now).traces


def test_a_check_that_failed_itself_has_changed_though_it_blocks_nothing() -> None:
    whole = of(s.ready())
    advice = next(check for check in whole.checks if not check.blocking and check.outcome == "holds")
    broken = structs.replace(advice, outcome="defect")
    now = structs.replace(whole, checks=tuple(broken if each is advice else each for each in whole.checks))
    assert find_changes(whole, now, s.NOW, "a.json").arisen == (advice.id,)
    assert find_changes(now, whole, s.NOW, "a.json").arisen == ()


def test_a_trace_that_one_run_says_nothing_of_is_no_change() -> None:
    whole = of(TAGGED)
    silent = structs.replace(whole, diagnosis=structs.replace(whole.diagnosis, established=(), absent=()))
    for then, now in ((whole, silent), (silent, whole)):
        assert find_changes(then, now, s.NOW, "a.json").traces == ()


def test_a_later_run_over_the_same_state_says_that_nothing_changed() -> None:
    later = structs.replace(TAGGED, observed_at=s.NOW + timedelta(days=1))
    found = between(TAGGED, later)
    assert found.is_empty and found.words.startswith("nothing changed; ")
    assert between(s.released(), s.released()).words == "nothing changed"


def test_what_arises_is_told() -> None:
    found = between(s.released(), s.released(release=known(None)))
    assert "GitHub Release deleted" in found.traces and "RELEASE-11" in found.arisen and not found.mended


def test_many_changes_are_counted_by_kind() -> None:
    many = Changes(
        since=s.NOW,
        report="a",
        verdict_then="x",
        verdict="x",
        traces=("tag created",),
        mended=("A", "B"),
        arisen=("C",),
    )
    assert (many.in_short, many.count) == ("1 of the state, 2 checks fixed, 1 check new", 4)
    assert structs.replace(many, traces=(), remaining=("D", "E")).in_short == (
        "2 checks fixed, 1 check new, 2 checks still failing"
    )


def test_checks_of_another_phase_are_no_success_of_this_one() -> None:
    found = between(s.ready(ci=s.ci("failure")), s.released(release=known(None)))
    assert not found.mended and "CI-1" not in found.remaining and found.arisen == ("RELEASE-11",)


def test_hostile_text_of_a_change_is_text_on_the_page() -> None:
    changed = Changes(since=s.NOW, report="a", verdict_then=HOSTILE, verdict="x", traces=(HOSTILE,), mended=("<b>",))
    block = render_macro("report/page/target.html", "changes", changed)
    assert "<script" not in block and "<b>" not in block and not set(OBEYED) & set(block)


# --- files


def written(folder: Path, snapshot: Snapshot, at: datetime, name: str | None = None, **more: Any) -> Path:
    """A report of a run over a written snapshot, as a run names it."""
    verdict = structs.replace(verdict_of(snapshot), **more)
    document = build_report([verdict], {snapshot.target.key: snapshot}, 0, at, None, Origin(host="here"), {})
    target = snapshot.target
    path = folder / (name or f"orbit-{target.version}-{target.channel.name}-{at:%Y%m%dT%H%M%SZ}.json")
    path.write_text(to_json(document), encoding="utf-8")
    return path


HOUR = timedelta(hours=1)


def test_a_run_is_compared_with_the_last_whole_one_of_its_version_and_channel(tmp_path: Path) -> None:
    written(tmp_path, s.released(), s.NOW - 3 * HOUR)
    wanted = written(tmp_path, PUBLISHED, s.NOW - 2 * HOUR)
    written(tmp_path, s.released(), s.NOW - HOUR, not_run=("TAG-11",))  # narrowed
    written(tmp_path, s.released(target=s.target(version="0.2.1")), s.NOW - HOUR)
    written(tmp_path, s.released_on_testpypi(), s.NOW - HOUR)
    own = written(tmp_path, TAGGED, s.NOW)
    found, notes = compare(tmp_path, {KEY: of(TAGGED)}, own)
    assert notes == []
    assert (found[KEY].report, found[KEY].since, found[KEY].traces[0]) == (wanted.name, s.NOW - 2 * HOUR, "tag created")


def test_a_renamed_report_still_counts(tmp_path: Path) -> None:
    written(tmp_path, s.released(), s.NOW - 2 * HOUR)
    renamed = written(tmp_path, PUBLISHED, s.NOW - HOUR, "before we mended it.json")
    found, _ = compare(tmp_path, {KEY: of(TAGGED)}, EMPTY)
    assert found[KEY].report == renamed.name


def test_the_first_run_and_a_narrowed_one_are_compared_with_nothing(tmp_path: Path) -> None:
    assert compare(tmp_path, {KEY: of(TAGGED)}, EMPTY) == ({}, [])
    written(tmp_path, PUBLISHED, s.NOW)
    narrowed = structs.replace(of(TAGGED), not_run=("TAG-11",))
    assert compare(tmp_path, {KEY: narrowed}, EMPTY) == ({}, [])


def test_no_more_is_read_than_must_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 20):
        written(tmp_path, PUBLISHED, s.NOW - number * HOUR)
        written(tmp_path, s.released(target=s.target(version="0.1.0")), s.NOW - number * HOUR)
    opened: list[str] = []
    real = os.open

    def counted(path: Any, *args: Any, **more: Any) -> int:
        opened.append(Path(path).name)
        return real(path, *args, **more)

    monkeypatch.setattr(os, "open", counted)
    found, _ = compare(tmp_path, {KEY: of(TAGGED)}, EMPTY)
    assert found[KEY].since == s.NOW - HOUR
    assert opened == [found[KEY].report]


def spoilt(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _put(path: Path, content: object) -> None:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


SPOILT: dict[str, tuple[Callable[[Any], object], str]] = {
    "empty": (lambda good: "", "still at work"),
    "cut": (lambda good: json.dumps(good)[:900], "truncated"),
    "foreign": (lambda good: {"format": 1}, "not a report of release-state"),
    "list": (lambda good: [good], "not a report of release-state"),
    "later format": (
        lambda good: {**good, "release_state_report": 2},
        "format 2, this version of release-state reads 1",
    ),
    "odd format": (lambda good: {**good, "release_state_report": HOSTILE}, "reads 1"),
    "lost field": (
        lambda good: {name: good[name] for name in good if name != "targets"},
        "a damaged report: Object missing required field `targets`",
    ),
    "no date": (lambda good: {**good, "run": {"started_at": "yesterday"}}, "a damaged report: run.started_at"),
    "deep": (lambda good: "[" * 200_000, "truncated"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_file_is_passed_over_and_told(name: str, tmp_path: Path) -> None:
    good = written(tmp_path, PUBLISHED, s.NOW - HOUR)
    spoil, why = SPOILT[name]
    bad = tmp_path / good.name.replace("Z.json", "Z-2.json")
    _put(bad, spoil(spoilt(good)))
    before = bad.read_bytes()
    runs, notes = read_reports(tmp_path)
    assert [one.path for one in runs] == [good]
    assert len(notes) == 1 and notes[0].startswith(f"{bad.name} skipped: ") and why in notes[0]
    assert not set(OBEYED) & set(notes[0])
    found, told = compare(tmp_path, {KEY: of(TAGGED)}, EMPTY)
    assert found[KEY].report == good.name
    assert told == ([] if name == "empty" else notes), "a run that is at work is no trouble"
    assert bad.read_bytes() == before


def test_what_is_no_file_is_passed_over_and_told(tmp_path: Path) -> None:
    elsewhere = written(tmp_path, PUBLISHED, s.NOW, "elsewhere")
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "link.json").symlink_to(elsewhere)
    (folder / "latest.json").symlink_to(elsewhere)
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    with (folder / "huge.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    runs, notes = read_reports(folder)
    assert runs == []
    assert sorted(note.partition(" ")[0] for note in notes) == ["folder.json", "huge.json", "link.json", "pipe.json"]
    with pytest.raises(NotAReport, match="larger than"):
        read_report(folder / "huge.json")


def test_reports_of_other_kinds_are_passed_over_without_a_word(tmp_path: Path) -> None:
    good = written(tmp_path, PUBLISHED, s.NOW)
    for name, kind in (("orbit-all-pypi-20260101T000000Z", "audit"), ("fleet-3-projects-20260101T000000Z", "fleet")):
        for copy in (name, f"latest-{kind}"):
            _put(tmp_path / f"{copy}.json", {f"release_state_{kind}": 1})
    runs, notes = read_reports(tmp_path)
    assert ([one.path for one in runs], notes) == ([good], [])


def test_a_report_of_a_later_version_of_this_format_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, PUBLISHED, s.NOW)
    content = spoilt(path)
    content["more"] = content["run"]["more"] = content["targets"][0]["more"] = 1
    content["targets"][0]["matrix"][0]["more"] = content["targets"][0]["checks"][0]["more"] = 1
    _put(path, content)
    assert read_report(path).of(KEY) == of(PUBLISHED)


# --- the command


def history(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `release-state history`."""
    code = main(["history", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_history_of_each_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, TAGGED, s.NOW)
    written(tmp_path, PUBLISHED, s.NOW - HOUR)
    written(tmp_path, s.released(), s.NOW + HOUR, not_run=("TAG-11",))
    written(tmp_path, s.released_on_testpypi(), s.NOW)
    (tmp_path / "notes.json").write_text("{}", encoding="utf-8")
    code, out, err = history(capsys, "--reports-dir", str(tmp_path))
    assert code == 0
    assert err == "note: notes.json skipped: not a report of release-state\n"
    lines = out.splitlines()
    assert lines[0] == KEY and "orbit==0.2.0@testpypi" in lines
    assert lines[1].startswith("  2026-01-02 02:04:00 UTC  ACTION NEEDED (verification)  orbit-0.2.0-pypi-")
    assert lines[2] == "    the first report"
    assert lines[4].startswith("    tag created; ") and "pull request still missing" in lines[4]
    assert lines[6] == "    part of its checks was run"


def test_the_history_is_told_in_every_locale(tmp_path: Path) -> None:
    """An arrow between what was and what is has no place in ASCII."""
    written(tmp_path, s.released(pulls=known((s.open_pull(),))), s.NOW)
    written(tmp_path, s.released(), s.NOW + timedelta(minutes=1))
    run = subprocess.run(
        [sys.executable, "-m", "release_state", "history", "--reports-dir", str(tmp_path)],
        cwd=ROOT, env=clean_environment(tmp_path, {"PYTHONIOENCODING": "ascii"}), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "#7 open \\u2192 #7 merged" in run.stdout


def test_the_history_can_be_narrowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, TAGGED, s.NOW)
    written(tmp_path, s.released_on_testpypi(), s.NOW)
    written(tmp_path, s.released(target=s.target(version="0.3.0")), s.NOW)
    where = ("--reports-dir", str(tmp_path))

    def keys(*arguments: str) -> list[str]:
        code, out, _ = history(capsys, *where, *arguments)
        assert code == 0
        return [line for line in out.splitlines() if "==" in line and not line.startswith("no report")]

    assert keys("--version", "0.2") == []
    assert keys("--version", "0.3.0") == ["orbit==0.3.0@pypi"]
    assert keys("--channel", "testpypi") == ["orbit==0.2.0@testpypi"]
    assert len(keys("--channel", "all", "--package", "Orbit")) == 3
    assert keys("--package", "other") == []
    assert history(capsys, *where, "--package", "other")[1].startswith(
        f"no report of such a run in {tmp_path}; there are those of "
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--version", "v0.2.0"), "looks like a tag"),
        (("--reports-dir", "nowhere"), "no such file or directory: give another with --reports-dir"),
        (("--what",), "'--what' is not an option; all options: --help"),
        (("--version",), "expected one argument"),
        (("0.2.0",), "'0.2.0' is not an option"),
        (("--reports-dir", "a\0b"), "is not the name of a folder"),
    ],
)
def test_wrong_usage_is_one_clear_line(
    arguments: tuple[str, ...], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, out, err = history(capsys, *arguments)
    assert (code, out) == (4, "")
    assert err.startswith("ERROR: ") and why in err and err.count("\n") == 1


def test_the_folder_is_that_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.release-state]\nreports-dir = 'log'\n", encoding="utf-8")
    (tmp_path / "log").mkdir()
    written(tmp_path / "log", TAGGED, s.NOW)
    assert KEY in history(capsys)[1]
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("RELEASE_STATE_REPORTS_DIR", "other")
    assert "no report" in history(capsys)[1]
    assert main(["history", "--help"]) == 0
    assert "usage: release-state history" in capsys.readouterr().out


def test_hostile_text_of_a_report_steers_no_terminal_and_no_runner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for number, observed in enumerate((HOSTILE, "x")):
        path = written(tmp_path, TAGGED, s.NOW - number * HOUR)
        content = spoilt(path)
        for target in content["targets"]:
            target.update(key=f"\n::error::{HOSTILE}", verdict=HOSTILE, phase=f"::warning::{HOSTILE}")
            for row in target["matrix"]:
                row.update(observed=observed, state="holds")
        _put(path, content)
    (tmp_path / f"{HOSTILE[:60].replace('/', '')}.json").write_text("{", encoding="utf-8")
    code, out, err = history(capsys, "--reports-dir", str(tmp_path))
    assert code == 0
    assert obeyed(out) == []
    assert not set(OBEYED) & set(out + err)
    assert "window.hacked" in out


# --- runs


def test_runs_tell_what_changed_since_the_last_one(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    with world_of("partial") as world:
        first = run(world, "--no-install", reports=reports)
        mend(world)
        assert first.json
        first.json.with_name(first.json.name.replace("Z.json", "Z-9.json")).write_text("{", encoding="utf-8")
        second = run(world, "--no-install", reports=reports)
    assert changes_of(first.document) is None
    changed = changes_of(second.document)
    assert changed["traces"] == ["GitHub Release created"]
    assert changed["mended"] == ["RELEASE-11"] and changed["verdict_then"] == "ACTION NEEDED"
    assert changed["report"] == first.json.name
    since = [line for line in second.output.splitlines() if line.startswith("  since ")]
    assert len(since) == 1 and since[0].endswith("(ACTION NEEDED): GitHub Release created; fixed: RELEASE-11")
    assert "Z-9.json skipped: not a whole JSON document" in second.output
    assert "GitHub Release created" in (reports / second.page).read_text(encoding="utf-8")
    assert first.json.is_file() and (reports / first.page).is_file(), "nothing was removed"


def mend(world: World) -> None:
    """Do what the plan says."""
    world.github_release("0.2.0")


def changes_of(document: Any) -> Any:
    """What the report of one target says of changes."""
    [target] = document["run"]["targets"].values()
    return target["changes"]
