"""Checks of one's own: found, loaded, judged like the others; and refused rather than left out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from release_state.cli import main
from release_state.common.errors import UsageProblem
from release_state.observe.git.reader import find_repository
from release_state.plan.steps.commands import suite_command
from release_state.run.catalogue.own_checks import load_own_checks
from release_state.run.checks import catalogue
from release_state.settings.config import Arguments, RunConfig, load
from release_state.settings.own_checks import OwnChecks, find_own_checks
from release_state.verdict.check import CheckInfo
from tests.run.test_printed_runs import again, assert_same, clone_with
from tests.standins.world import World
from tests.support.cli import ROOT, suite
from tests.support.worlds import Ran, asked_github, ended, forget_requests, run, world_of

HEAD = """import pytest
from release_state.api import ActionNeeded, Release, Target, check, step
pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery]
"""
GOOD = (
    HEAD
    + """
@check("ACME-1", reads=["remote"])
def tag_is_there(release: Release) -> None:
    \"\"\"The tag of the company is there.\"\"\"
    if not any(tag.name == "acme" for tag in release.remote.tags):
        command = ["git", "push", "origin", "acme"]
        raise ActionNeeded(found="no tag acme", why="the company says so", steps=[step("Push the tag acme", command)])

@check("ACME-2", reads=["remote"], advice=True)
def version_is_short(target: Target) -> None:
    \"\"\"The version is short.\"\"\"
"""
)


def written(folder: Path, text: str = GOOD, name: str = "acme.py") -> Path:
    """A file of checks."""
    path = folder / "own" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def installed(folder: Path, text: str = GOOD, module: str = "acme_checks", value: str = "") -> Path:
    """A folder for the import path with an installed package of checks."""
    site = folder / "site"
    (site / module).mkdir(parents=True)
    (site / module / "__init__.py").touch()
    (site / module / "rules.py").write_text(text, encoding="utf-8")
    facts = site / f"{module}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: Acme.Checks\nVersion: 1.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text(f"[release_state.checks]\nacme = {value or module}\n", encoding="utf-8")
    return site


def loaded(path: Path) -> dict[str, CheckInfo]:
    """The checks of a path, by ID."""
    files = load_own_checks(tuple(find_own_checks([str(path)], {}, path.parent)))
    return {check.id: check for file in files for check in file.checks.values()}


# --- in a run


@pytest.fixture(scope="module")
def clean() -> Iterator[World]:
    """Ready to release, but for the company."""
    with world_of("clean") as world:
        yield world


def judged(ran: Ran) -> tuple[dict[str, str], list[str]]:
    """The outcomes, and the titles of the plan's steps."""
    [target] = ran.document["targets"]
    return ran.only, [step["title"] for step in target["plan"]["steps"]]


def test_they_take_part_in_verdict_plan_state_and_reports(clean: World, tmp_path: Path) -> None:
    ran = run(clean, "--checks", str(written(tmp_path)), "--no-install", reports=tmp_path / "reports")

    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output
    outcomes, steps = judged(ran)
    assert (outcomes["ACME-1"], outcomes["ACME-2"]) == ("action needed", "holds")
    assert steps == ["Push the tag acme"]
    row = next(row for row in ran.document["targets"][0]["matrix"] if row["trace"] == "acme")
    assert (row["name"], row["state"], row["decided_by"]) == ("Acme", "action needed", ["ACME-1"])
    assert "git push origin acme" in (ran.reports / ran.page).read_text(encoding="utf-8")
    assert f"checks  ACME-1, ACME-2 of {tmp_path}" in ran.output
    others = set(outcomes) - {"ACME-1", "ACME-2"}
    assert len(others) > 50, "those of the suite are there too"


def test_workers_judge_the_same_and_a_defect_has_the_name_of_its_check(clean: World, tmp_path: Path) -> None:
    broken = '\n@check("ACME-3", reads=[])\ndef breaks(target: Target) -> None:\n    """It breaks."""\n    1 / 0\n'
    silent = (
        '\n@check("ACME-4", reads=[])\ndef says_no(target: Target) -> bool:\n    """It says no."""\n    return False\n'
    )
    ends = (
        '\n@check("ACME-5", reads=[])\ndef ends(target: Target) -> None:\n    """It ends."""\n    raise SystemExit(0)\n'
    )
    odd = '\n@check("ACME-6", reads=[])\ndef odd(target: Target) -> None:\n    """O"""\n    raise ActionNeeded(found=1)'
    path = written(tmp_path, GOOD + broken + silent + ends + odd)
    alone, together = (
        run(clean, "--checks", str(path), "--no-install", *more, reports=tmp_path / f"reports{len(more)}")
        for more in ((), ("-n", "2"))
    )

    assert alone.code == together.code == 3
    assert alone.only == together.only
    assert {name for name, outcome in alone.only.items() if outcome == "defect"} == {f"ACME-{n}" for n in (3, 4, 5, 6)}
    found = {each["id"]: each["found"] for each in alone.document["targets"][0]["checks"]}
    assert f"ZeroDivisionError: division by zero (in {path}, breaks[" in found["ACME-3"]
    assert found["ACME-3"].endswith(", a check of your own)")
    assert "returned bool" in found["ACME-4"] and "sys.exit(0)" in found["ACME-5"] and "found is int" in found["ACME-6"]


def test_one_alone_asks_for_what_it_reads(clean: World, tmp_path: Path) -> None:
    text = GOOD.replace('"ACME-2", reads=["remote"]', '"ACME-2", reads=["repository"]')
    reports = tmp_path / "reports"
    forget_requests(clean)

    ran = run(
        clean, "--checks", str(written(tmp_path, text)), "-k", "ACME-2", "--phase", "pre-release", reports=reports
    )

    assert (ran.code, ran.only) == (6, {"ACME-2": "holds"}), ran.output
    assert asked_github(clean) == [("GET", "{repository}")]


def test_a_run_of_one_file_has_them_and_one_of_a_single_check_is_partial(clean: World, tmp_path: Path) -> None:
    own = ("--checks", str(written(tmp_path)), "--no-install")
    file = run(clean, *own, first=("checks/test_pre_release.py",), reports=tmp_path / "file")
    test = "checks/test_pre_release.py::test_no_release_branch_of_this_version"
    one = run(clean, *own, first=(test,), reports=tmp_path / "one")

    assert {"ACME-1", "ACME-2"} <= set(file.only)
    assert not {"ACME-1", "ACME-2"} & set(one.only)
    assert {"ACME-1", "ACME-2"} <= set(one.document["targets"][0]["not_run"])


def test_a_package_is_found_and_can_be_required(clean: World, tmp_path: Path) -> None:
    path = {"PYTHONPATH": str(installed(tmp_path))}
    by_itself = run(clean, "-k", "ACME", env=path, reports=tmp_path / "reports")
    required = {"RELEASE_STATE_CHECKS": "package:acme_checks"}
    there = run(clean, "-k", "ACME", "-n", "1", env={**path, **required}, reports=tmp_path / "required")
    missing = run(clean, env=required, reports=tmp_path / "missing")

    assert by_itself.only == there.only == {"ACME-1": "action needed", "ACME-2": "holds"}
    assert (missing.code, missing.document) == (4, None)
    assert "RELEASE_STATE_CHECKS 'package:acme_checks': no such package is installed" in missing.output


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "with a worker"])
def test_a_gate_of_many_projects_has_them(workers: tuple[str, ...], clean: World, tmp_path: Path) -> None:
    listed = tmp_path / "projects.toml"
    listed.write_text(
        f'[[project]]\npackage = "{clean.package}"\nrepository = "{clean.repository}"\n'
        f'remote-url = "{clean.remote_url}"\n'
        f'[project.channels.pypi]\nindex-url = "{clean.index_url("pypi")}"\n',
        encoding="utf-8",
    )
    done = suite(
        *(*workers, "--project-list", str(listed), "--version", "0.2.0", "--no-install"),
        *("--github-api-url", clean.github.url, "--github-status-url", "", "--index-status-url", ""),
        *("--checks", str(written(tmp_path))),
        env={"GITHUB_TOKEN": clean.token}, reports_dir=tmp_path / "reports",
    )  # fmt: skip

    assert done.returncode == 1, done.stdout
    assert "ACME-1 action needed: no tag acme" in done.stdout


def test_a_snapshot_names_no_checks(clean: World, tmp_path: Path) -> None:
    """Who recorded it chooses what is in it; the person who replays it chooses what code runs."""
    own, file = ("--checks", str(written(tmp_path))), tmp_path / "snapshot.json"
    run(clean, *own, "--no-install", "--save-snapshot", str(file), reports=tmp_path / "first")
    assert f'"{tmp_path}/own/acme.py"' in file.read_text(encoding="utf-8")

    def replay(*more: str) -> tuple[dict[str, str], str]:
        reports = tmp_path / f"reports{len(more)}"
        done = suite("--snapshot", str(file), *more, reports_dir=reports)
        ran = ended(done, reports)
        return ran.only, ran.output

    outcomes, output = replay()
    assert "ACME-1" not in outcomes and "--checks" not in output
    assert replay(*own)[0]["ACME-1"] == "action needed"


# --- refused, before anything is contacted


def test_a_refused_one_is_exit_4_and_contacts_nothing(clean: World, tmp_path: Path) -> None:
    forget_requests(clean)
    path = written(tmp_path, "import nothing_of_this_name\n")
    for more in ((), ("-n", "1")):
        ran = run(clean, "--checks", str(path), *more, reports=tmp_path / "reports")
        assert (ran.code, ran.document) == (4, None)
        assert "cannot be imported: ModuleNotFoundError: No module named 'nothing_of_this_name'" in ran.output
        assert "Traceback" not in ran.output
    assert asked_github(clean) == []


def test_one_of_the_clone_is_refused(clean: World, tmp_path: Path) -> None:
    path = clean.clone / "own.py"
    path.write_text(GOOD, encoding="utf-8")
    (tmp_path / "link.py").symlink_to(path)
    try:
        for place in (path, tmp_path / "link.py"):
            ran = run(clean, "--checks", str(place), reports=tmp_path / "reports")
            assert (ran.code, ran.document) == (4, None)
            assert "is inside the clone" in ran.output
    finally:
        path.unlink()


DECLARED = '@check("ACME-9", reads=[])\ndef f(target):\n    """It holds."""\n'
BAD = {
    "no check: declare one": "x = 1\n",
    "two checks are called ACME-1": GOOD + GOOD.removeprefix(HEAD).replace("_is_", "_is_again_"),
    "two checks are called TAG-11": GOOD.replace("ACME-1", "TAG-11"),
    "SystemExit": "raise SystemExit(0)\n",
    "the look-ups are": GOOD.replace('["remote"]', '["nothing"]'),
    "its ID is not like": GOOD.replace("ACME-2", "acme"),
    "it has no docstring": HEAD + DECLARED.replace('"""It holds."""', "pass"),
    "it belongs to no phase": "from release_state.api import check\n" + DECLARED,
    "it asks for database, but": HEAD + DECLARED.replace("(target)", "(target, database)"),
    "it asks for target, but": HEAD + DECLARED.replace("(target)", "(target=None)"),
    "it asks for nothing": HEAD + DECLARED.replace("(target)", "()"),
    "it is asynchronous or a generator": HEAD + DECLARED.replace("def f", "async def f"),
    "the check A.f is not at the top": GOOD + "class A:\n    " + DECLARED.replace("\n", "\n    ") + "\n",
    "the check make.<locals>.f is not": GOOD
    + "def make():\n    " + DECLARED.replace("\n", "\n    ") + "return f\nEVERY = [make()]\n",
    "is no function": HEAD + DECLARED.replace("def f(target)", "class A"),
    "test_f is not declared": GOOD + "def test_f(target):\n    pass\n",
}  # fmt: skip


@pytest.mark.parametrize("says", BAD)
def test_what_would_be_left_out_is_refused(says: str, tmp_path: Path) -> None:
    path = written(tmp_path, BAD[says])

    with pytest.raises(UsageProblem) as problem:
        catalogue(ROOT / "checks", tuple(find_own_checks([str(path)], {}, tmp_path)))

    assert says in str(problem.value) and "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("given", "environ", "says"),
    [
        (["nowhere.py"], {}, "--checks 'nowhere.py' does not exist"),
        ([""], {}, "does not exist"),
        (["a\0b"], {}, "does not exist"),
        (["own/notes.txt"], {}, "neither a folder nor a .py file"),
        (["package:nothing-of-this-name"], {}, "no such package is installed"),
        ([], {"RELEASE_STATE_CHECKS": "own, package:nothing-of-this-name"}, "RELEASE_STATE_CHECKS 'package:nothing"),
        ([], {"RELEASE_STATE_CHECKS": " \n"}, "RELEASE_STATE_CHECKS is empty"),
    ],
)
def test_a_place_that_is_missing_is_refused(
    given: list[str], environ: dict[str, str], says: str, tmp_path: Path
) -> None:
    written(tmp_path, name="notes.txt")

    with pytest.raises(UsageProblem) as problem:
        find_own_checks(given, environ, tmp_path)

    assert says in str(problem.value)


def test_a_conftest_that_nobody_would_read_is_refused(tmp_path: Path) -> None:
    written(tmp_path, name="rules.py")
    written(tmp_path, "", name="conftest.py")
    with pytest.raises(UsageProblem, match=r"conftest\.py is not read"):
        loaded(tmp_path / "own")


# --- a folder, a package


def test_an_imported_check_keeps_the_phase_of_its_own_file(tmp_path: Path) -> None:
    written(tmp_path, "import pytest\nfrom .acme import tag_is_there\npytestmark = pytest.mark.rollback\n", name="a.py")
    written(tmp_path, GOOD)
    written(tmp_path, "from .acme import tag_is_there\n", name="__init__.py")

    found = loaded(tmp_path / "own")["ACME-1"]

    assert {phase.value for phase in found.phases} == {"pre-release", "post-recovery"}
    assert Path(found.file).name == "acme.py"


@pytest.mark.parametrize("head", ["from {} import tag_is_there\n", "import {}\n"])
@pytest.mark.parametrize("more", ["", GOOD.replace("ACME", "OWN")], ids=["alone", "beside an own one"])
def test_an_imported_check_is_refused_with_its_file(
    head: str, more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = written(tmp_path / "shared", name=f"shared_{tmp_path.name}.py".replace("-", "_"))
    monkeypatch.syspath_prepend(shared.parent)
    path = written(tmp_path, head.format(shared.stem) + more)

    for _ in range(2):  # it is imported already, and no more declared
        with pytest.raises(UsageProblem) as problem:
            loaded(path)
        assert f"the check tag_is_there is imported from {shared}: name that file with --checks" in str(problem.value)
        if head.startswith("import"):
            break


def test_a_check_that_is_imported_from_a_package_is_the_package_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"acme_{tmp_path.name}".replace("-", "_")
    monkeypatch.syspath_prepend(installed(tmp_path, module=name, value=f"{name}.rules"))
    path = written(tmp_path, f"from {name}.rules import tag_is_there\n" + GOOD.replace("ACME", "OWN"))

    places = [*find_own_checks([str(path)], {}, tmp_path)]

    for order in (places[::-1], places):
        found = [check for file in load_own_checks(order) for check in file.checks.values()]
        assert sorted(check.id for check in found) == ["ACME-1", "ACME-2", "OWN-1", "OWN-2"]
        [imported] = [check for check in found if check.id == "ACME-1"]
        assert Path(imported.file).name == "rules.py"


def test_a_linked_folder_that_nobody_would_read_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    shared = written(tmp_path / "shared").parent
    (tmp_path / "own" / "linked").symlink_to(shared, target_is_directory=True)

    with pytest.raises(UsageProblem, match="name it with --checks"):
        loaded(tmp_path / "own")


def test_each_file_of_a_folder_is_loaded_with_those_that_it_imports(tmp_path: Path) -> None:
    written(tmp_path, "from .deeper.words import WORD\n" + GOOD)
    written(tmp_path, 'WORD = "acme"\n', name="deeper/words.py")
    written(tmp_path, GOOD.replace("ACME-1", "DEEP-1").replace("ACME-2", "DEEP-2"), name="deeper/more.py")
    written(tmp_path, "from .acme import tag_is_there\n", name="again.py")

    found = loaded(tmp_path / "own")

    assert list(found) == ["ACME-1", "ACME-2", "DEEP-1", "DEEP-2"]
    assert {check.origin for check in found.values()} == {str(tmp_path / "own")}


def test_a_package_may_name_no_attribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path, value="acme_checks:main"))
    with pytest.raises(UsageProblem, match="does not name a module"):
        find_own_checks([], {}, tmp_path)


def configured(cwd: Path, *checks: Path | str, repo: Path | None = None) -> RunConfig:
    settings = {"package": "orbit", "repository": "octo/orbit"}
    given = Arguments(
        versions=("0.2.0",), settings=settings, checks=tuple(map(str, checks)), repo=str(repo) if repo else None
    )
    return load(given, {}, cwd, find_repository)


def test_any_clone_of_the_repository_is_refused_and_another_is_not(tmp_path: Path) -> None:
    clone, there = clone_with(tmp_path / "clone", ""), tmp_path / "elsewhere"
    written(clone)
    written(there)
    with pytest.raises(UsageProblem, match="is inside a clone of octo/orbit, which is checked"):
        configured(tmp_path, clone / "own")
    assert [each.option for each in configured(clone, there / "own").own_checks] == [str(there / "own")]


def test_an_environment_inside_the_clone_is_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = clone_with(tmp_path / "clone", "")
    site = installed(clone / ".venv")
    monkeypatch.syspath_prepend(site)
    with pytest.raises(UsageProblem, match="is inside the clone"):
        configured(clone)
    monkeypatch.setattr(sys, "prefix", str(clone / ".venv"))
    assert [each.option for each in configured(clone).own_checks] == ["package:acme-checks"]


# --- said again


def test_a_printed_command_names_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path))
    here = tmp_path / "here"
    here.mkdir()
    config = configured(here, written(tmp_path))

    command = suite_command(config.targets[0])

    places = [command[number + 1] for number, word in enumerate(command) if word == "--checks"]
    assert places == ["package:acme-checks", str(tmp_path / "own" / "acme.py")]
    assert suite_command(config.targets[0], "0.3.0").count("--checks") == 2
    assert_same(again(config, tmp_path / "there"), config)


def test_the_file_of_the_repository_cannot_name_them(tmp_path: Path) -> None:
    clone = clone_with(tmp_path / "clone", '[tool.release-state]\nchecks = ["own.py"]\n')
    with pytest.raises(UsageProblem, match="'checks' is not known"):
        configured(clone)


def test_the_list_has_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path)
    assert main(["--list-checks", "--checks", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["ACME-1", "ACME-2"] and len(lines) > 80
    assert str(path) in lines[-1]
    assert main(["--list-checks", "--checks", "nowhere"]) == 4
    assert "does not exist" in capsys.readouterr().err


def test_an_editor_lists_them_too(tmp_path: Path) -> None:
    listed = suite("--collect-only", "-q", "--checks", str(written(tmp_path)))
    assert listed.returncode == 5 and f"{tmp_path}/own/acme.py::tag_is_there" in listed.stdout
    broken = suite("--collect-only", "-q", "--checks", str(written(tmp_path, "raise OSError\n")))
    assert broken.returncode == 4 and "cannot be imported: OSError" in broken.stderr


def test_an_audit_has_none(tmp_path: Path) -> None:
    given = Arguments(audit="all", settings={"package": "orbit", "repository": "octo/orbit"})
    assert not load(
        given, {"RELEASE_STATE_CHECKS": "package:nothing-of-this-name"}, tmp_path, find_repository
    ).own_checks


def test_a_place_goes_to_a_worker_as_plain_data() -> None:
    place = OwnChecks("package:acme", "acme")
    assert OwnChecks(*list(place)) == place
