"""Logs with the claims of a refused identity token, each with the cause that they show.

A row has what differs from the token of the project's own run, whether the target is known, and the cause.
"""

from __future__ import annotations

from typing import Any

from release_state.facts.logs.claims import ExpectedClaims, expect_claims
from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.families import identity
from release_state.model.process import Process, Publisher
from release_state.model.target import Target
from tests.incidents.forms import log, step
from tests.support import states as s

REFUSED = (
    "* `invalid-publisher`: valid token, but no corresponding publisher (Publisher with matching claims was not found)"
)
TOKEN = {
    "sub": "repo:example/project:environment:pypi",
    "repository": "example/project",
    "workflow_ref": "example/project/.github/workflows/release.yml@refs/tags/v0.2.0",
    "job_workflow_ref": "example/project/.github/workflows/release.yml@refs/tags/v0.2.0",
    "ref": "refs/tags/v0.2.0",
    "environment": "pypi",
}


def action(claims: dict[str, str]) -> str:
    """The log of the publish action."""
    said = [f"* `{name}`: `{value}`" for name, value in claims.items()]
    lines = ["##[error]Trusted publishing exchange failure: ", "Token request failed:", "", REFUSED, "", *said]
    return log(step("pypa/gh-action-pypi-publish@release/v1", *lines, code=None))


def own_target(**changes: Any) -> Target:
    """The target that the token is of, with other facts of the job that publishes."""
    values = {"workflow": "release.yml", "job": "publish", "job_name": "publish", "how": "", "environment": "pypi"}
    publisher = Publisher(**{**values, **changes})
    return s.target(repository="example/project", process=Process(publishers=(publisher,)))


def own_claims() -> ExpectedClaims:
    """What the token of that job has to claim."""
    expected = expect_claims(own_target(), "release.yml", "publish")
    assert expected is not None
    return expected


CLAIMS: list[tuple[dict[str, str], bool, KnownFailure | None]] = [
    ({}, True, None),
    ({}, False, None),
    ({"environment": "MISSING", "sub": "repo:example/project:ref:x"}, False, identity.NO_ENVIRONMENT),
    ({"environment": "MISSING"}, True, identity.ENVIRONMENT),
    ({"environment": "PyPI"}, True, None),
    ({"environment": "testpypi"}, True, identity.ENVIRONMENT),
    ({"environment": "testpypi"}, False, None),
    ({"ref": "refs/pull/7/merge"}, False, identity.PULL_REQUEST),
    ({"sub": "repo:example/project:pull_request"}, False, identity.PULL_REQUEST),
    ({"job_workflow_ref": "shared/flows/.github/workflows/p.yml@main"}, False, identity.REUSABLE),
    ({"job_workflow_ref": "example/project/.github/workflows/p.yml@main"}, False, identity.REUSABLE),
    ({"repository": "Example/Project"}, True, None),
    (
        {
            "repository": "old/project",
            "workflow_ref": "old/project/.github/workflows/release.yml@x",
            "job_workflow_ref": "old/project/.github/workflows/release.yml@x",
        },
        True,
        identity.OTHER_REPOSITORY,
    ),
    (
        {
            "workflow_ref": "example/project/.github/workflows/cd.yml@x",
            "job_workflow_ref": "example/project/.github/workflows/cd.yml@x",
        },
        True,
        identity.OTHER_WORKFLOW,
    ),
]
