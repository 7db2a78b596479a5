"""The claims of an identity token, as the publish action and uv print them when the index refuses it (pure).

Every value is untrusted text: the caller sanitizes it. A value whose end is not certain is not read.
Sources: pypa/gh-action-pypi-publish, oidc-exchange.py; astral-sh/uv, crates/uv-publish; pypi/warehouse, warehouse/oidc;
https://docs.github.com/actions/reference/security/oidc for what the claims say
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.families import identity
from release_state.facts.logs.lines import Line
from release_state.facts.own_run import is_job_of
from release_state.model.target import Target

_LONGEST = 120
"""Characters of a value that are shown."""
_NEAR = 5
"""Lines within which the next claim of a token follows."""
_NAMES = ("repository", "workflow_ref", "job_workflow_ref", "ref", "environment", "sub")
_CLAIM = re.compile(
    r"[\s*+-]{0,8}[`\"']?(sub|repository|repository_owner|workflow_ref|job_workflow_ref|ref|environment)[`\"']?:\s{0,4}"
)
_VALUE = re.compile(
    r"`([^`]{1,1000})`|(?:Some\()?\"([^\"\\]{1,1000})\"\)?,?|'([^'\\]{1,1000})',?|((?![`\"']|Some\()\S.{0,999}?),?"
)
"""As the publish action prints a value, as uv and JSON do, and without quotes, each to the end of its line."""
_SUBJECT = re.compile(r"repo:[^:]{1,300}:(?:environment:([^:]{1,300})|ref:.*|pull_request)")
"""The subject as GitHub makes it by itself; an owner can order another form, which says less."""
_FILE = re.compile(r"([^/]+/[^/]+)/\.github/workflows/([^@/]+)@")
_MISSING = ("MISSING", "None", "null")


class ExpectedClaims(Struct, frozen=True):
    """What is configured for the job that uploads."""

    repository: str
    workflows: tuple[str, ...]
    """File names; empty: not known."""
    environment: str | None
    """Empty: none, None: not known."""


def expect_claims(target: Target, workflow: str, job: str) -> ExpectedClaims | None:
    """Return what the token of this job, in a run of this workflow, has to claim.

    None if the job is not known to be the one that uploads to the target's index: an upload to another one has claims
    of its own. A name with an expression stands for several jobs, and an environment that is chosen in the run is none
    to hold a token against.
    """
    found = {
        publisher.environment
        for publisher in target.process.publishers
        if publisher.workflow == workflow
        and publisher.job_name
        and "${{" not in publisher.job_name
        and is_job_of(job, publisher.job_name)
    }
    if len(found) != 1:
        return None
    own, given = found.pop(), target.channel.environment
    return ExpectedClaims(target.repository, target.workflows, given if own is not None and given is not None else own)


def find_claims(lines: Iterable[Line]) -> dict[str, str]:
    """Return the claims by name, of the last token that the log shows; a claim that it calls missing is empty."""
    tokens: list[dict[str, str | None]] = [{}]
    last = 0
    for line in lines:
        if line.is_script or not (found := _CLAIM.match(line.text)):
            continue
        if found[1] in tokens[-1] or line.number > last + _NEAR:
            tokens.append({})
        value, last = _VALUE.fullmatch(line.text, found.end()), line.number
        text = next(filter(None, value.groups())) if value else None
        tokens[-1][found[1]] = "" if text in _MISSING else text
    token = next((token for token in reversed(tokens) if "repository" in token or "sub" in token), {})
    return {name: value for name, value in token.items() if value is not None}


def find_difference(claims: Mapping[str, str], expected: ExpectedClaims | None) -> KnownFailure | None:
    """Return the known cause for which the index refuses a token of these claims; None if they show none.

    If it is not known what is expected, only what the claims show by themselves.
    """
    environment = _find_environment(claims)
    started, own = _FILE.match(claims.get("workflow_ref", "")), _FILE.match(claims.get("job_workflow_ref", ""))
    if claims.get("ref", "").startswith("refs/pull/") or claims.get("sub", "").endswith(":pull_request"):
        return identity.PULL_REQUEST
    repository = claims.get("repository", "")
    if own and repository and own[1].lower() != repository.lower():
        return identity.REUSABLE
    if started and own and started.groups() != own.groups():
        return identity.REUSABLE
    if expected is not None:
        wanted = expected.environment
        if repository and repository.lower() != expected.repository.lower():
            return identity.OTHER_REPOSITORY
        if own and expected.workflows and own[2] not in expected.workflows:
            return identity.OTHER_WORKFLOW
        if wanted is not None and environment is not None and environment.lower() != wanted.lower():
            return identity.ENVIRONMENT
    return identity.NO_ENVIRONMENT if environment == "" else None


def describe_claims(claims: Mapping[str, str], expected: ExpectedClaims | None) -> str:
    """Return what the token says, claim by claim, and beside it what is configured where that differs."""
    wanted = {"repository": expected.repository, "environment": expected.environment} if expected else {}
    shown = dict(claims)
    if (environment := _find_environment(claims)) is not None:
        shown["environment"] = environment
    parts = []
    for name in _NAMES:
        if name in shown:
            value, own = shown[name][:_LONGEST] or "none", wanted.get(name)
            differs = own is not None and own.lower() != shown[name].lower()
            parts.append(f"{name} {value}" + f" (configured: {own or 'none'})" * differs)
    return "the token's claims: " + "; ".join(parts)


def _find_environment(claims: Mapping[str, str]) -> str | None:
    """The environment of the job; empty: none, None: not known."""
    if "environment" in claims:
        return claims["environment"]
    found = _SUBJECT.fullmatch(claims.get("sub", ""))
    return (found[1] or "").replace("%3A", ":") if found else None
