"""What strangers can write into the facts of a release, in every place that a report shows: for every format alike."""

from __future__ import annotations

from msgspec import structs

from release_state.common.text import sanitize
from release_state.demo.github import Job
from release_state.model.observation import Problem, known
from release_state.model.process import Process, Publisher, Start
from release_state.model.snapshot import CICheck, Commit, CommitChecks, Snapshot
from tests.standins.world import World
from tests.support import states as s

MARKUP = "<script>window.hacked=1</script></textarea><img src=x onerror=window.hacked=2>\"'&lt;"
TERMINAL = "\x1b[31mred\x1b[0m\x07\x9b2J"
BIDI = "\u202egnp.exe\u2066 \u05e9\u05dc\u05d5\u05dd"
WORKFLOW = "::set-output name=verdict::READY%0A\n::error file=a::b\r\n::add-mask::x ##[error]y"
MARKDOWN = "`tick` ``` | pipe | [link](javascript:alert(1)) @everyone #1 <!-- *b* _i_"
HOSTILE = f"{MARKUP}{TERMINAL} {BIDI} {WORKFLOW} {MARKDOWN} javascript:alert(1) "
"""All of it in a few hundred characters."""
LONG = HOSTILE + "A" * 10_000
OBEYED = "\x1b\x07\x9b\u202e\u2066"
"""Characters that a terminal or a browser obeys instead of showing them: none may reach one."""
BRANCH = "release/<img/src=x/onerror=alert(1)>-v0.3.0"
"""What git allows in the name of a branch."""


def hostile_snapshots(url: str = "javascript:alert(1)") -> tuple[Snapshot, Snapshot]:
    """A release that went wrong and one that did not begin, with hostile text wherever a stranger's text is shown.

    `url` is in the place of every address that a service names; a recorded snapshot may hold none but of the web.
    """
    pull = s.open_pull(title=LONG, author=HOSTILE, html_url=url)
    files = (
        s.file(yanked=True, yanked_reason=LONG, uploaded_at=s.NOW, url=url),
        s.file("sdist", yanked=True, yanked_reason=HOSTILE, requires_python=HOSTILE),
    )
    run = s.explained(
        job=HOSTILE,
        step=LONG,
        lines=(HOSTILE, LONG),
    )
    unmerged = (Commit(sha=s.OTHER, subject=LONG, committed_at=s.NOW),)
    red = (CICheck(name=LONG, state="failure", conclusion=HOSTILE, html_url=url),)
    wrong = s.released(
        remote=s.remote(s.tag(), s.branch(), s.branch(BRANCH)),
        history=s.history(s.lineage(unmerged=unmerged, unmerged_count=1, declared_version=HOSTILE)),
        index={"pypi": s.project(*files, status="deprecated", status_reason=LONG)},
        pulls=known((pull,)),
        open_pulls=known((pull,)),
        branch_pulls={BRANCH: known(())},
        release=known(s.release(name=LONG, author=HOSTILE, html_url=url)),
        runs=s.runs(s.run("in_progress", title=LONG, head_branch="release/pypi-v0.2.0", actor=HOSTILE)),
        ci=known(CommitChecks(sha=s.BASE, results=red, left_out=(LONG,))),
        last_run=run,
    )
    problem = Problem(source="GitHub", why=LONG, remedy=HOSTILE, retry_at=s.NOW)
    publisher = Publisher(
        workflow="<img src=x onerror=alert(1)>.yml",
        job=sanitize(LONG, 300),
        job_name=sanitize(HOSTILE, 300),
        how=sanitize(HOSTILE, 300),
        starts=(Start(kind="tag", filters=(HOSTILE, LONG)),),
    )
    process = Process(publishers=(publisher,), evidence=(sanitize(LONG, 300),))
    before = s.ready(
        target=s.target(version="0.3.0", process=process),
        remote=s.remote(s.branch(BRANCH.replace("0.3.0", "0.1.5"))),
        clone=s.clone(
            branch=HOSTILE, changed=(LONG, HOSTILE), changed_count=2, untracked=(HOSTILE,), untracked_count=1
        ),
        branch_pulls={BRANCH.replace("0.3.0", "0.1.5"): known(())},
        ci=known(CommitChecks(sha=s.BASE, results=red)),
        drafts=structs.replace(s.failed(), unavailable=problem),
        release=structs.replace(s.failed(), unavailable=problem),
    )
    return wrong, before


def make_hostile(world: World) -> None:
    """A released version, and a next one, in a demo world, with what its services let strangers write."""
    world.release("testpypi", "0.2.0")
    world.release("pypi", "0.2.0", until="pull")
    for channel in ("pypi", "testpypi"):
        world.index.yank(channel, "0.2.0", LONG)
    for branch in ("release/pypi-v0.1.5", BRANCH):
        world.remote_git.run("update-ref", f"refs/heads/{branch}", world.main())
    world.github.add_pull("release/pypi-v0.1.5", title=HOSTILE, state="closed", user="mallory")
    with world.github.lock:
        for pull in world.github.pulls.values():
            pull.title = LONG
    world.sync_clone()
    name = HOSTILE.replace("/", "\N{DIVISION SLASH}")[:120]
    (world.clone / name).write_text("x")
    (world.clone / "<").mkdir()
    (world.clone / "</textarea><b>").write_text("x")
    world.commit(HOSTILE)
    world.github.add_run(
        "ci.yml", conclusion="failure", event="push", head_branch="main", head_sha=world.main(),
        jobs=[Job(HOSTILE, conclusion="failure"), Job("B" * 300, conclusion="failure")], check_runs=True,
        created_at=world.tick(), updated_at=world.tick(),
    )  # fmt: skip
