"""Single ways out that are easily got wrong, each gone in the demo world: what is printed, done and left."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from msgspec import structs

from release_state.demo.github.model import Asset
from release_state.model.outcome import Outcome, Verdict
from release_state.model.plan import Step, Wanted, step
from release_state.report.script import render_script
from release_state.verdict.verdict import TargetVerdict
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.execute import Follower
from tests.proofs.convergence.journey import assert_completed, needed, of_state, prepare
from tests.proofs.convergence.real_gh import real_gh
from tests.proofs.convergence.remains import Remains
from tests.proofs.convergence.states import VERSION, State
from tests.standins.services import Reply


def looked_at(bench: Bench, state: State) -> TargetVerdict:
    """The verdict on a state."""
    prepare(bench, state)
    return bench.observe(VERSION, state.channel)


def step_of(verdict: TargetVerdict, title: str) -> Step:
    """The step of a plan whose title begins so."""
    (found,) = (step for step in verdict.plan.steps if step.title.startswith(title))
    return found


def test_a_version_that_a_newer_one_superseded_ends_withdrawn(bench: Bench) -> None:
    """Never published, its name held by an immutable GitHub Release: what can go goes, the rest stays."""
    state = State("pypi", "both", "absent", "immutable", "open", "ahead")
    prepare(bench, state)
    bench.world.release("pypi", "0.2.1")
    bench.changed()
    first = bench.observe(VERSION, "pypi")
    assert (first.diagnosis.scenario, first.plan.direction) == ("superseded", "roll back")
    assert "0.2.1 replaced it" in first.diagnosis.title
    end = of_state(bench, state, "auto").go()
    assert end.verdict.verdict is Verdict.ROLLED_BACK, end.story
    assert not needed(end.verdict), end.story
    assert f"refs/tags/v{VERSION}" in bench.world.remote_git.refs()
    assert not [line for line in end.story.splitlines() if "$ gh api" in line or ":refs/tags/" in line], end.story


def test_a_misplaced_tag_is_moved_and_can_be_brought_back(bench: Bench) -> None:
    state = State("pypi", "elsewhere", "whole", "absent", "open", "ahead")
    prepare(bench, state)
    git = bench.world.remote_git
    old, published = git.refs()[f"refs/tags/v{VERSION}"], git.refs()[f"refs/heads/release/pypi-v{VERSION}"]
    move = step_of(bench.observe(VERSION, "pypi"), "Move the tag")
    assert move.destroys and old in move.destroys
    [restore] = move.restore
    assert restore[-1].endswith(f"{old}:refs/tags/v{VERSION}")
    end = of_state(bench, state, "auto").go()
    assert end.verdict.verdict is Verdict.VERIFIED, end.story
    assert git.rev(f"refs/tags/v{VERSION}^{{commit}}") == published
    assert git.refs()[f"refs/backup/tags/v{VERSION}-{old[:7]}"] == old, "kept, under a name that is no tag"
    bench.world.clone_git.run(*restore[1:])
    assert git.refs()[f"refs/tags/v{VERSION}"] == old, "what the step says brings it back"


def test_a_tag_of_the_wrong_version_is_renamed_with_its_release(bench: Bench) -> None:
    """0.3.0 was published from the commit that v0.2.0 names, and announced there."""
    prepare(bench, State("pypi", "absent", "absent", "absent", "none", "absent"))
    sha = bench.world.bump("0.3.0", "main")
    bench.world.publish("pypi", "0.3.0", sha)
    bench.world.tag(VERSION, sha)
    bench.world.github_release(VERSION)
    bench.world.ci(sha)
    bench.world.sync_clone()
    bench.changed()
    found = bench.observe(VERSION, "pypi")
    assert (found.diagnosis.scenario, found.plan.direction) == ("B: another version", "tidy up")
    Follower(bench, VERSION, "pypi").execute(found.plan)
    refs = bench.world.remote_git.refs()
    assert bench.world.remote_git.rev("refs/tags/v0.3.0^{commit}") == sha and f"refs/tags/v{VERSION}" not in refs
    assert bench.observe("0.3.0", "pypi").verdict is Verdict.VERIFIED


def test_the_wheel_alone_says_from_which_commit_it_was_built(bench: Bench) -> None:
    """No sdist, no tag: the wheel's files name the commit, which is tagged, and what is missing is built from there."""
    state = State("pypi", "absent", "wheel", "absent", "open", "ahead")
    verdict = looked_at(bench, state)
    published = bench.world.remote_git.refs()[f"refs/heads/release/pypi-v{VERSION}"]
    tagging = step_of(verdict, "Tag ")
    assert published in tagging.commands[1]
    assert f"files of orbit_demo-{VERSION}-py3-none-any.whl match" in tagging.reason
    end = of_state(bench, state, "auto").go()
    assert end.verdict.verdict is Verdict.VERIFIED, end.story
    assert bench.world.remote_git.rev(f"refs/tags/v{VERSION}^{{commit}}") == published


def test_what_was_withdrawn_can_be_completed_after_all(bench: Bench) -> None:
    """The branch that it was published from is gone; what was kept of it says which commit it was."""
    state = State("pypi", "absent", "whole", "absent", "none", "ahead")
    prepare(bench, state)
    published = bench.world.remote_git.refs()[f"refs/heads/release/pypi-v{VERSION}"]
    assert of_state(bench, state, "rollback").go().verdict.verdict is Verdict.ROLLED_BACK
    assert f"refs/heads/release/pypi-v{VERSION}" not in bench.world.remote_git.refs()
    end = of_state(bench, state, "complete").go()
    assert end.verdict.verdict is Verdict.VERIFIED, end.story
    assert bench.world.remote_git.rev(f"refs/tags/v{VERSION}^{{commit}}") == published


def test_what_was_squashed_by_another_way_needs_no_pull_request(bench: Bench) -> None:
    """The base branch has the release in one commit that only differs in metadata: its tag and its page are enough."""
    state = State("pypi", "absent", "whole", "absent", "none", "ahead")
    prepare(bench, state)
    world, branch = bench.world, f"release/pypi-v{VERSION}"
    released = world.remote_git.files(f"refs/heads/{branch}")
    changed = {"pyproject.toml": released["pyproject.toml"] + b"# checked\n"}
    squash = world.commit(f"chore(release): v{VERSION} (#9)", {**released, **changed})
    world.delete_branch(branch)
    world.remote_git.set_ref("refs/pull/99/head", published := world.clone_git.rev(f"origin/{branch}"))
    world.ci(squash)
    world.sync_clone()
    bench.changed()
    end = of_state(bench, state, "auto").go()
    assert end.verdict.verdict is Verdict.VERIFIED, end.story
    assert world.remote_git.rev(f"refs/tags/v{VERSION}^{{commit}}") == published
    assert not [line for line in end.story.splitlines() if "gh pr create --base main --head release/" in line]


@pytest.mark.parametrize("wanted", ["auto", "rollback", "force-recovery"])
def test_a_branch_of_another_spelling_goes_and_what_it_holds_is_kept(bench: Bench, wanted: Wanted) -> None:
    """Beside all of a release: what it alone holds is on the remote afterwards, and no step leads in a circle."""
    state = State("pypi", "both", "whole", "published", "merged", "absent")
    prepare(bench, state)
    git, branch = bench.world.remote_git, "release/pypi-v0.2"
    name = f"refs/heads/{branch}"
    git.set_ref(name, bench.world.main())
    left = git.commit(branch, "feat: left", when=bench.world.tick(), files={"left": b"left\n"})
    bench.changed()
    _, delete = [step for step in bench.observe(VERSION, "pypi", wanted).plan.steps if name in str(step.commands)]
    alone = subprocess.run(delete.commands[0], cwd=bench.world.clone, check=False, capture_output=True)
    assert alone.returncode and git.refs()[name] == left, "typed alone it destroys nothing"
    end = of_state(bench, state, wanted).go()
    assert_completed(end)
    refs = git.refs()
    assert name not in refs and refs[f"refs/heads/backup/release/pypi-v0.2-{left[:7]}"] == left, end.story
    assert end.verdict.verdict in (Verdict.VERIFIED, Verdict.ROLLED_BACK), end.story


@pytest.mark.parametrize("wanted", ["auto", "force-recovery"])
def test_the_base_of_an_open_pull_request_goes_after_that_has_another_base(bench: Bench, wanted: Wanted) -> None:
    """The printed command gives it another base, and only then the branch is deleted: the pull request stays open."""
    state = State("pypi", "absent", "absent", "absent", "closed", "ahead")
    prepare(bench, state)
    world, branch = bench.world, f"release/pypi-v{VERSION}"
    world.remote_git.set_ref("refs/heads/mend", world.main())
    mend = world.commit("fix: mend it", branch="mend")
    stacked = world.github.add_pull("mend", branch, title="Mend it", created_at=world.tick())
    strange = world.github.add_pull("main", branch, title="Theirs", head_repo="eve/orbit", head_sha=mend)
    bench.changed()
    first = bench.observe(VERSION, "pypi", wanted)
    assert not [step.title for step in first.plan.steps if step.destroys]
    end = of_state(bench, state, wanted).go()
    assert_completed(end)
    told = [line.strip() for line in end.story.splitlines() if line.startswith("  $ ")]
    api = f"gh api --hostname github.com --method PATCH --raw-field base=main --jq .base.ref repos/{world.repository}"
    assert f"$ {api}/pulls/{stacked}" in told, end.story
    assert any(f":refs/heads/{branch}" in line for line in told), end.story
    world.github.refresh_pulls()
    for number in (stacked, strange):
        assert (world.github.pulls[number].state, world.github.pulls[number].base_ref) == ("open", "main"), end.story


@pytest.mark.parametrize(("squash", "outcome"), [(True, Outcome.NOT_APPLICABLE), (False, Outcome.ACTION_NEEDED)])
def test_a_tag_of_pypi_is_in_the_way_on_testpypi_only_where_it_counts(
    bench: Bench, squash: bool, outcome: Outcome
) -> None:
    """A tag in the history of main makes a run work out another version; one off it does not. All else is pypi's."""
    bench.world.release("pypi", VERSION, squash=squash)
    bench.world.ci(bench.world.main())
    bench.world.sync_clone()
    bench.changed()
    verdict = bench.observe(VERSION, "testpypi")
    found = {result.id: result.outcome for result in verdict.results}
    assert found["TAG-1"] is outcome
    main = bench.snapshots[-1].history.present().lineage(bench.world.main())
    assert main.declared_version == VERSION, "what would count where no rules are configured"
    assert {found[name] for name in ("TAG-2", "RELEASE-1", "RELEASE-2", "PULL-1")} == {Outcome.NOT_APPLICABLE}
    assert bool(needed(verdict)) == (outcome is Outcome.ACTION_NEEDED) == (verdict.verdict is not Verdict.READY)


@pytest.mark.parametrize("program", ["stand-in", "gh"])
@pytest.mark.parametrize("kind", ["published", "draft"])
def test_what_is_attached_is_downloaded_before_its_release_is_deleted(
    bench: Bench, tmp_path: Path, kind: str, program: str
) -> None:
    """The printed commands, with the real gh too: the very bytes are there before anything is deleted."""
    real_program = shutil.which("gh") if program == "gh" else None
    if program == "gh" and real_program is None:
        if os.environ.get("CI"):
            pytest.fail("gh is not installed")
        pytest.skip("gh is not installed")
    state = State("pypi", "both", "absent" if kind == "draft" else "whole", kind, "merged", "absent")
    prepare(bench, state)
    world, attached = bench.world, {"orbit.sbom": bytes(range(256)) * 300, "notes, signed.txt": b"signed\n"}
    (page,) = (page for page in world.github.releases.values() if page.tag == f"v{VERSION}")
    page.assets = [Asset(number, name, data) for number, (name, data) in enumerate(attached.items(), 900)]
    with ExitStack() as exits:
        if real_program:
            environment = exits.enter_context(real_gh(world, real_program))
            exits.enter_context(bench.programs.with_gh(real_program, environment))
        bench.changed()
        saving = step_of(bench.observe(VERSION, "pypi", "rollback"), "Download the 2 assets")
        assert saving.in_empty_folder
        for line in saving.lines():
            subprocess.run(
                ["bash", "-e", "-c", line], cwd=tmp_path, env=bench.programs.environment(), check=True, timeout=60
            )
        assert {path.name: path.read_bytes() for path in tmp_path.glob("*/*")} == attached
        end = of_state(bench, state, "rollback").go()
    assert end.verdict.verdict in (Verdict.ROLLED_BACK, Verdict.READY) and page.id not in world.github.releases
    told = [line.split()[1:4] for line in end.story.splitlines() if line.startswith("  $ gh ")]
    assert told.index(["gh", "release", "download"]) < told.index(["gh", "api", "--hostname"]), end.story


def real(command: tuple[str, ...], folder: Path) -> None:
    """Type a command that begins with `python`, with the Python of these tests and nothing from a network."""
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}
    assert command[0] == "python"
    done = subprocess.run(
        [sys.executable, *command[1:]],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_pip_builds_the_missing_wheel_from_the_published_sdist(bench: Bench, tmp_path: Path) -> None:
    """The real pip: the hash of the printed address is the sdist's, and what it builds completes the release."""
    verdict = looked_at(bench, State("pypi", "both", "sdist", "published", "merged", "absent"))
    pip, *_ = step_of(verdict, f"Publish the wheel of {VERSION}").commands
    real(pip, tmp_path)
    (wheel,) = tmp_path.glob("*/*.whl")
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        metadata = archive.read(f"orbit_demo-{VERSION}.dist-info/METADATA").decode()
        assert f"\nVersion: {VERSION}\n" in metadata
        assert f'__version__ = "{VERSION}"'.encode() in archive.read("orbit_demo/__init__.py")
    bench.world.index.upload("pypi", wheel.name, wheel.read_bytes(), bench.world.tick())
    bench.changed()
    assert bench.observe(VERSION, "pypi").verdict is Verdict.VERIFIED


@pytest.mark.slow
def test_build_makes_the_missing_files_from_the_tag(bench: Bench, tmp_path: Path) -> None:
    """The real git and build: the tagged commit alone, and from it the very files that the version lacks."""
    verdict = looked_at(bench, State("pypi", "both", "absent", "absent", "merged", "absent"))
    empty, fetch, take, build, *_ = step_of(verdict, f"Publish {VERSION} from its tag").commands
    for command in (empty, fetch):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    moved = [*take[:-1], bench.world.main()]
    assert subprocess.run(moved, cwd=tmp_path, check=False, capture_output=True).returncode, "another commit"
    assert [path.name for path in tmp_path.glob("*/*")] == [".git"], "whoever goes on has nothing to build"
    subprocess.run(take, cwd=tmp_path, check=True, capture_output=True)
    real(build, tmp_path)
    made = sorted(path.name for path in tmp_path.glob("*/dist/*"))
    assert made == [f"orbit_demo-{VERSION}-py3-none-any.whl", f"orbit_demo-{VERSION}.tar.gz"]


@pytest.mark.parametrize("run", ["running", "stuck"])
def test_a_run_at_work_is_ended_before_anything_else(bench: Bench, run: str) -> None:
    """Nothing of the release is touched while a run may still be writing it; one that is stuck is cancelled first."""
    state = State("pypi", "elsewhere", "absent", "published", "none", "ahead", run=run)
    first = looked_at(bench, state)
    assert first.plan.direction == "wait"
    lines = [line for step in needed(first) for line in step.lines()]
    assert [line.split()[:3] for line in lines] == [
        ["gh", "run", word] for word in (("view", "cancel") if run == "stuck" else ("watch",))
    ]
    assert bool(first.plan.steps[0].destroys) == (run == "stuck")
    end = of_state(bench, state, "auto").go()
    assert_completed(end)
    told = [line.strip() for line in end.story.splitlines() if line.startswith("  $ ")]
    first_change = next(number for number, line in enumerate(told) if "push" in line or "DELETE" in line)
    assert all("gh run" in line for line in told[:1]) and first_change > 0, end.story


# ── The plan as a script


def typed(bench: Bench, verdict: TargetVerdict, answers: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a plan, somewhere else than in the clone."""
    path = bench.world.root / "mend.sh"
    path.write_text(render_script([verdict]), encoding="utf-8")
    programs = bench.programs
    programs.followed = VERSION, verdict.target.channel.name
    done = subprocess.run(
        ["sh", str(path)],
        cwd=bench.world.root,
        env=programs.environment(),
        input=answers,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    bench.changed()
    return done


DELETES = State("pypi", "absent", "absent", "absent", "closed", "ahead")
"""Its plan keeps the branch, deletes it, and starts the workflow again."""


def test_a_script_that_is_answered_yes_does_all_of_the_plan(bench: Bench) -> None:
    verdict = looked_at(bench, DELETES)
    done = typed(bench, verdict, "y\ny\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This destroys branch release/pypi-v" in done.stdout
    assert "Only if the remote has no release branch and no tag of this version. Continue? [y/N]" in done.stdout
    assert "verify: release-state --version" in done.stdout
    bench.run_what_was_started()
    bench.changed()
    assert_completed(of_state(bench, DELETES, "auto").go())


@pytest.mark.parametrize("answers", ["n\n", "", "yes please\n"])
def test_a_script_that_is_not_answered_yes_destroys_nothing(bench: Bench, answers: str) -> None:
    verdict = looked_at(bench, DELETES)
    refs = bench.world.remote_git.refs()
    done = typed(bench, verdict, answers)
    assert done.returncode == 1
    assert done.stdout.endswith("stopped\n")
    kept = {name for name in bench.world.remote_git.refs() if name.startswith("refs/heads/backup/")}
    assert len(kept) == 1, "what saves was done before the question"
    assert {name: sha for name, sha in bench.world.remote_git.refs().items() if name not in kept} == refs
    assert not bench.world.github.requests or all(asked.method == "GET" for asked in bench.world.github.requests)


def test_a_script_stops_where_the_world_has_moved_on(bench: Bench) -> None:
    """The branch is pushed to between the look and the script: the deletion is refused, and that is the end."""
    verdict = looked_at(bench, DELETES)
    branch = f"release/pypi-v{VERSION}"
    pushed = bench.world.commit("fix: meanwhile", branch=branch)
    done = typed(bench, verdict, "y\n" * 9)
    assert done.returncode not in (0, 4), done.stdout
    assert "stale info" in done.stderr
    assert bench.world.remote_git.refs()[f"refs/heads/{branch}"] == pushed
    assert "Start the release again" not in done.stdout


def test_a_script_builds_outside_of_the_clone_and_asks_before_what_may_be_left_undone(bench: Bench) -> None:
    """A missing wheel, and advice to bring the tag into the history: neither leaves anything in the clone."""
    state = State("pypi", "both", "sdist", "published", "merged", "absent")
    verdict = looked_at(bench, state)
    advised = step("Push something that may be left undone", ["git", "push", "origin", "HEAD:refs/heads/advised"])
    advised = structs.replace(advised, advice=True)
    plan = structs.replace(verdict.plan, steps=(*verdict.plan.steps, advised))
    done = typed(bench, structs.replace(verdict, plan=plan), "y\nn\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Optional. Do it? [y/N]" in done.stdout
    assert "refs/heads/advised" not in bench.world.remote_git.refs()
    assert bench.world.clone_git.run("status", "--porcelain") == ""
    assert bench.observe(VERSION, "pypi").verdict is Verdict.VERIFIED


# ── While a source is silent


@contextmanager
def silent(bench: Bench, source: str) -> Iterator[None]:
    """While it lasts, a source of the world answers nothing that tells anything."""
    world = bench.world
    if source == "git remote":
        aside = world.remote.with_suffix(".aside")
        world.remote.rename(aside)
    elif source.startswith("/"):
        world.github.intercept = lambda request: Reply(403, {}, b"{}") if source in request.path else None
    else:
        wanted = ".tar.gz" if source == "files" else "/simple/"
        world.index.intercept = lambda request: Reply(403, body=b"not now") if wanted in request.path else None
    bench.changed()
    try:
        yield
    finally:
        if source == "git remote":
            aside.rename(world.remote)
        world.github.intercept = world.index.intercept = None
        bench.changed()


SILENT = (
    ("index", State("pypi", "remote", "absent", "published", "none", "ahead")),
    ("index", State("testpypi", "absent", "absent", "absent", "none", "ahead")),
    ("files", State("pypi", "absent", "whole", "absent", "merged-left", "moved")),
    ("git remote", State("pypi", "both", "whole", "absent", "merged", "absent")),
    ("/pulls", State("pypi", "absent", "absent", "absent", "open", "ahead")),
    ("/releases", State("pypi", "elsewhere", "absent", "published", "none", "absent")),
    ("/runs", State("pypi", "aside", "absent", "absent", "none", "ahead")),
)


@pytest.mark.parametrize(("source", "state"), SILENT, ids=lambda value: str(value))
def test_a_silent_source_is_asked_again_and_the_journey_goes_on(bench: Bench, source: str, state: State) -> None:
    """The plan tells how to find out and destroys nothing that hangs on it; once there is an answer, all ends well."""
    prepare(bench, state)
    before, refs = Remains(bench, state.channel), bench.world.remote_git.refs()
    with silent(bench, source):
        verdict = bench.observe(VERSION, state.channel)
        told = "\n".join(step.title for step in verdict.plan.steps)
        assert verdict.verdict in (Verdict.COULD_NOT_VERIFY, Verdict.ACTION_NEEDED), told
        assert needed(verdict), told
        assert any(title in told for title in ("Look up again first", "Repeat the failed look-ups")), told
        assert not [step.title for step in verdict.plan.steps if step.destroys], told
        assert "gh workflow run" not in " ".join(line for step in verdict.plan.steps for line in step.lines())
        Follower(bench, VERSION, state.channel).execute(verdict.plan)
    assert refs.items() <= bench.world.remote_git.refs().items(), told
    journey = of_state(bench, state, "auto")
    end = journey.go()
    before.assert_nothing_is_lost(journey.follower, end.story)
    assert_completed(end)
