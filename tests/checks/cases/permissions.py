"""States of permissions: of your token, and of the jobs of the release workflow."""

from __future__ import annotations

from typing import Any

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Snapshot
from tests.support import states as s
from tests.support import workflows as w

HOLDS, ACTION, UNKNOWN = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN
NONE = Outcome.NOT_APPLICABLE
FROM_TOP = w.without(w.JOB)
"""The job has no block: it only gets the top's `contents: read`."""
UNSAID = w.without("permissions:\n  contents: read\n", text=FROM_TOP)
"""No block says what the job may do."""
REMOTE = w.called("octo/ci/.github/workflows/publish.yml@v1", "{contents: read}")


def with_token(**repository: Any) -> Snapshot:
    """A run with a token, and the repository as the token sees it."""
    return s.ready(token_source="GITHUB_TOKEN", repository=s.repository(**repository))


def on(text: str, **changes: Any) -> Snapshot:
    """A ready state with this release workflow."""
    return s.ready(workflow_files=w.observed(text), **changes)


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("TOKEN-31", "fine-grained", with_token(), HOLDS),
    ("TOKEN-31", "classic with repo", with_token(token_scopes=("repo", "workflow"), private=True), HOLDS),
    ("TOKEN-31", "classic with public_repo", with_token(token_scopes=("public_repo",)), HOLDS),
    ("TOKEN-31", "public_repo on a private one", with_token(token_scopes=("public_repo",), private=True), ACTION),
    ("TOKEN-31", "classic without scopes, of an owner", with_token(token_scopes=()), ACTION),
    ("TOKEN-31", "may only read", with_token(can_push=False), ACTION),
    ("TOKEN-31", "an app's", with_token(can_push=None), UNKNOWN),
    ("TOKEN-31", "no token", s.ready(), NONE),
    ("TOKEN-31", "GitHub silent", s.ready(token_source="GH_TOKEN", repository=s.failed()), UNKNOWN),
    ("TOKEN-31", "released", s.released(token_source="GH_TOKEN"), HOLDS),
    ("PERMISSION-31", "job's block", on(w.GOOD), HOLDS),
    ("PERMISSION-31", "top's block", on(w.without("  contents: read\n", "  contents: write\n", FROM_TOP)), HOLDS),
    ("PERMISSION-31", "write-all", on(w.without("\n  contents: read\n", " write-all\n", FROM_TOP)), HOLDS),
    ("PERMISSION-31", "read-all", on(w.without("\n  contents: read\n", " read-all\n", FROM_TOP)), ACTION),
    ("PERMISSION-31", "empty block", on(w.without(w.JOB, "    permissions: {}\n")), ACTION),
    ("PERMISSION-31", "job's block forgets it", on(w.without("      contents: write\n")), ACTION),
    ("PERMISSION-31", "generous setting", on(UNSAID, actions_settings=s.settings("write")), HOLDS),
    ("PERMISSION-31", "strict setting", on(UNSAID), ACTION),
    ("PERMISSION-31", "setting not shown", on(UNSAID, actions_settings=s.failed()), UNKNOWN),
    ("PERMISSION-31", "setting not needed", on(w.GOOD, actions_settings=s.failed()), HOLDS),
    ("PERMISSION-31", "a key of its own", on(w.without("fetch-depth: 0", "ssh-key: k", FROM_TOP)), HOLDS),
    ("PERMISSION-31", "nothing writes", on(w.without('git push origin "v$VERSION"', "true", FROM_TOP)), NONE),
    ("PERMISSION-31", "called from elsewhere", on(REMOTE), UNKNOWN),
    (
        "PERMISSION-31",
        "called, gets it",
        s.ready(
            workflow_files=w.observed(w.called("./.github/workflows/x.yml", "write-all"), workflows_x=w.reusable())
        ),
        HOLDS,
    ),
    (
        "PERMISSION-31",
        "called, caller forgets it",
        s.ready(workflow_files=w.observed(w.called("./.github/workflows/x.yml", "{}"), workflows_x=w.reusable())),
        ACTION,
    ),
    (
        "PERMISSION-31",
        "in an action of the repository",
        s.ready(
            workflow_files=w.observed(
                w.without("- name: Tag", "- uses: ./.github/actions/tag\n      - name: Tag", FROM_TOP),
                tag="runs: {using: composite, steps: [{run: git push, shell: bash}]}",
            )
        ),
        ACTION,
    ),
    ("PERMISSION-31", "released", s.released(workflow_files=w.observed(FROM_TOP)), ACTION),
    ("PERMISSION-31", "no workflow named", s.ready(workflow_files=known(None)), NONE),
    ("PERMISSION-31", "no YAML", on("a: ["), UNKNOWN),
    ("PERMISSION-31", "git silent", s.ready(workflow_files=s.failed("git")), UNKNOWN),
    ("PERMISSION-32", "job's block", on(w.GOOD), HOLDS),
    ("PERMISSION-32", "forgotten", on(w.without("      pull-requests: write\n")), ACTION),
    ("PERMISSION-32", "another token", on(w.without("github.token", "secrets.PAT", FROM_TOP)), HOLDS),
    ("PERMISSION-32", "opens none", on(w.without("gh pr create --base main", "gh pr list", FROM_TOP)), NONE),
    ("PERMISSION-32", "setting not shown", on(UNSAID, actions_settings=s.failed()), UNKNOWN),
    ("PERMISSION-33", "job's block", on(w.GOOD), HOLDS),
    ("PERMISSION-33", "forgotten", on(w.without("      id-token: write\n")), ACTION),
    ("PERMISSION-33", "no setting gives it", on(UNSAID, actions_settings=s.settings("write")), ACTION),
    ("PERMISSION-33", "nor one that is not shown", on(UNSAID, actions_settings=s.failed()), ACTION),
    (
        "PERMISSION-33",
        "a password",
        on(w.without("- name: Open", "  with: {password: p}\n      - name: Open", FROM_TOP)),
        NONE,
    ),
    ("PERMISSION-33", "called from elsewhere", on(REMOTE), UNKNOWN),
    ("PERMISSION-33", "git silent", s.ready(workflow_files=s.failed("git")), UNKNOWN),
    (
        "PERMISSION-34",
        "asks for what it gets",
        s.ready(
            workflow_files=w.observed(
                w.called("./.github/workflows/x.yml", "{contents: write}"),
                workflows_x=w.reusable(permissions="{contents: write}"),
            )
        ),
        HOLDS,
    ),
    (
        "PERMISSION-34",
        "asks for more",
        s.ready(
            workflow_files=w.observed(
                w.called("./.github/workflows/x.yml", top="permissions: {contents: read}\n"),
                workflows_x=w.reusable("true", "{contents: read, packages: read}"),
            )
        ),
        ACTION,
    ),
    (
        "PERMISSION-34",
        "asks for more at its top",
        s.ready(
            workflow_files=w.observed(
                w.called("./.github/workflows/x.yml", "{}"),
                workflows_x=w.reusable("true", "{}", top="permissions: {contents: read}\n"),
            )
        ),
        ACTION,
    ),
    ("PERMISSION-34", "calls nothing", on(w.GOOD), NONE),
    ("PERMISSION-34", "git silent", s.ready(workflow_files=s.failed("git")), UNKNOWN),
]
