"""Snapshots recorded and judged again offline, and the plan as a script."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import structs

import release_state
from release_state.common.errors import UsageProblem
from release_state.model.observation import known
from release_state.model.outcome import Phase
from release_state.model.plan import step
from release_state.model.process import Process, Publisher
from release_state.model.snapshot import FORMAT, Snapshot
from release_state.observe.recorded import load, make_document, save, update_phases
from release_state.report.script import render_script
from tests.docs.reference import snapshot_schema
from tests.support import states as s
from tests.support.cli import suite
from tests.support.judged import verdict_of

PUBLISHER = Publisher(workflow="Build & publish.yml", job="publish", job_name="publish", how="twine upload")
SCHEMA = Path(release_state.__file__).parent / "report" / "schemas" / "snapshot.schema.json"


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    snapshots = [s.released(), s.ready(remote=s.failed()), s.rolled_back()]
    save(tmp_path / "s.json", snapshots)
    assert load(tmp_path / "s.json") == snapshots


def test_the_shipped_schema_is_the_models_and_fits() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == snapshot_schema()
    jsonschema.Draft202012Validator.check_schema(snapshot_schema())
    document = make_document([s.released(), s.ready(pulls=s.failed())])
    jsonschema.validate(json.loads(json.dumps(document)), snapshot_schema())
    wrong = make_document([s.released()])
    del wrong["snapshots"][0]["remote"]["unavailable"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, snapshot_schema())


def edited(content: dict[str, Any]) -> str:
    content["snapshots"][0]["target"]["version"] = "0.3.0"
    return json.dumps(content)


def other_format(content: dict[str, Any]) -> str:
    return json.dumps({**content, "release_state_snapshot": FORMAT + 1})


def lost_field(content: dict[str, Any]) -> str:
    """Edited with care, digest and all, so that an absence is no longer written down."""
    del content["snapshots"][0]["release"]["value"]
    repaired = make_document([])
    import hashlib

    canonical = json.dumps(content["snapshots"], sort_keys=True, separators=(",", ":"))
    return json.dumps(
        {**repaired, "snapshots": content["snapshots"], "sha256": hashlib.sha256(canonical.encode()).hexdigest()}
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (edited, "edited or damaged"),
        (other_format, f"reads {FORMAT}"),
        (lost_field, "release: Object missing required field `value`"),
        (lambda content: json.dumps(content)[:500], "truncated"),
        (lambda _: "[]", "not a snapshot"),
        (lambda _: "", "truncated"),
        (lambda _: "[" * 100_000, "truncated"),
    ],
)
def test_a_spoilt_file_is_a_clear_error(tmp_path: Path, spoil: Any, said: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(spoil(make_document([s.released()])), encoding="utf-8")
    with pytest.raises(UsageProblem, match=said):
        load(path)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"workflow": "--repo.yml"}, "file name of a workflow"),
        ({"workflow": "../release.yml"}, "file name of a workflow"),
        ({"tag_template": "-{version}"}, "not a name that git allows"),
        ({"tag_template": "v1"}, "must hold"),
        ({"process": Process(tag="--force")}, "not a name that git allows"),
        ({"process": Process(tag="v0.2.0\n")}, "not a name that git allows"),
        ({"process": Process(candidates=("-x.yml",))}, "file name of a workflow"),
        ({"process": Process(publishers=(structs.replace(PUBLISHER, workflow="a;b"),))}, "file name"),
        (
            {"process": Process(publishers=(Publisher(workflow="a.yml", job="\x1b[2J", job_name="", how=""),))},
            "control",
        ),
        ({"process": Process(evidence=("tags\u202e",))}, "control"),
        ({"process": Process(unsure=(("release", "\x07"),))}, "control"),
        ({"given": ("workflow\x07",)}, "control"),
    ],
)
def test_what_was_found_out_is_read_as_a_strangers_text(tmp_path: Path, found: dict[str, Any], said: str) -> None:
    """The digest is no signature: a recorded process must not put text of its own into commands."""
    save(tmp_path / "s.json", [s.released(target=s.target(**found))])
    with pytest.raises(UsageProblem, match=said):
        load(tmp_path / "s.json")


def test_what_a_repository_may_have_is_read_again(tmp_path: Path) -> None:
    """Workflow files and tags that nobody would configure."""
    target = s.target(
        workflow="Build & publish.yml", tag_template="rel_{underscored}", process=Process(publishers=(PUBLISHER,))
    )
    save(tmp_path / "s.json", [s.released(target=target)])
    assert load(tmp_path / "s.json")[0].target == target


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="No such file"):
        load(tmp_path / "none.json")


def test_the_phase_is_worked_out_anew() -> None:
    recorded = [s.released(phase="pre-release")]
    assert update_phases(recorded, None)[0].phase == "post-recovery"
    assert update_phases(recorded, Phase.ROLLBACK)[0].phase == "rollback"


def test_a_recorded_run_is_judged_alike_offline(tmp_path: Path) -> None:
    """What was recorded of a demo run gives the same outcomes without the demo, serial and under xdist."""
    recorded = tmp_path / "s.json"
    first = suite("--demo", "partial", "--no-install", "--save-snapshot", str(recorded), reports_dir=tmp_path / "a")
    assert first.returncode == 1, first.stdout + first.stderr
    for number, more in enumerate(([], ["-n", "2"])):
        folder = tmp_path / f"b{number}"
        again = suite("--snapshot", str(recorded), *more, reports_dir=folder)
        assert again.returncode == 1, again.stdout + again.stderr
        assert outcomes(folder) == outcomes(tmp_path / "a")
        assert again.stdout.count("\n  phase verification: ") == 1
        assert " UTC, nothing is asked now" in again.stdout and "a demo world" in first.stdout
    wrong = suite("--snapshot", str(recorded), "--version", "0.3.0", reports_dir=tmp_path / "c")
    assert wrong.returncode == 4
    assert "0.2.0" in wrong.stderr


def outcomes(folder: Path) -> dict[str, str]:
    report = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    return {check["id"]: check["outcome"] for check in report["targets"][0]["checks"]}


STATES = {
    "released": s.released(),
    "branch left": s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=1))),
    "tagged": s.ready(remote=s.remote(s.tag())),
    "yanked": s.released(index={"pypi": s.project(s.file(yanked=True), s.file("sdist", yanked=True))}),
    "no pull request": s.released(pulls=known(())),
}


@pytest.mark.parametrize("name", STATES)
def test_the_script_is_one_that_a_shell_reads(name: str) -> None:
    text = render_script([verdict_of(STATES[name])])
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    assert "set -eu" in text


def run_script(text: str, folder: Path, answers: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", text], input=answers, text=True, capture_output=True, cwd=folder, check=False)


def with_steps(snapshot: Snapshot, *steps: Any) -> str:
    verdict = verdict_of(snapshot)
    plan = structs.replace(verdict.plan, steps=steps, folder=None)
    return render_script([structs.replace(verdict, plan=plan)])


def test_the_script_shows_what_it_would_destroy_before_it_asks(tmp_path: Path) -> None:
    """The question is whether what is printed is the right one."""
    (delete,) = [each for each in verdict_of(s.released(), "rollback").plan.steps if each.mends == "release"]
    (tmp_path / "gh").write_text('#!/bin/sh\necho "did $*"\n', encoding="utf-8")
    (tmp_path / "gh").chmod(0o755)
    text = f"PATH={shlex.quote(str(tmp_path))}:$PATH\n{with_steps(s.released(), delete)}"
    refused = run_script(text, tmp_path, "n\n").stdout
    assert refused.index("did api") < refused.index("Continue?") and "DELETE" not in refused
    assert run_script(text, tmp_path, "y\n").stdout.count("did api") == 2


def test_the_script_asks_before_it_destroys_and_stops_at_an_error(tmp_path: Path) -> None:
    text = with_steps(
        s.released(),
        step("make", ["touch", "made"]),
        step("remove", ["rm", "made"], destroys="the file"),
        step("fail", ["false"]),
        step("never", ["touch", "never"]),
    )
    refused = run_script(text, tmp_path, "n\n")
    assert refused.returncode == 1
    assert (tmp_path / "made").exists()
    accepted = run_script(text, tmp_path, "y\n")
    assert accepted.returncode == 1
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("advice", [True, False])
def test_the_script_does_nothing_where_it_gets_no_empty_folder(tmp_path: Path, advice: bool) -> None:
    build = structs.replace(step("build", ["touch", "here"]), in_empty_folder=True, advice=advice)
    text = with_steps(s.released(), build, step("never", ["touch", "never"]))
    done = run_script(f"mktemp() {{ return 1; }}\n{text}", tmp_path, "y\n")
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []
    assert run_script(text, tmp_path, "y\n").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["never"]


def test_hostile_text_stays_text_in_the_script(tmp_path: Path) -> None:
    hostile = "$(touch pwned)\ntouch pwned\n`touch pwned`'; touch pwned; '\x1b[31m"
    text = with_steps(
        s.released(), step(hostile, ["echo", hostile], reason=hostile, destroys=hostile, saves=hostile, link=hostile)
    )
    done = run_script(text, tmp_path, "y\n")
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    assert "\x1b" not in text
