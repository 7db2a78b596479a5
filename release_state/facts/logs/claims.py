"""The claims of an identity token, as the publish action and uv print them when the index refuses it (pure).

Every value is untrusted text: the caller sanitizes it.
Sources: pypa/gh-action-pypi-publish, oidc-exchange.py; astral-sh/uv, crates/uv-publish; pypi/warehouse, warehouse/oidc;
https://docs.github.com/actions/reference/security/oidc for what the claims say
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.families.identity import (
    ENVIRONMENT,
    NO_ENVIRONMENT,
    OTHER_REPOSITORY,
    OTHER_WORKFLOW,
    PULL_REQUEST,
    REUSABLE,
)
from release_state.facts.logs.lines import Line
from release_state.model.target import Target

_LONGEST = 120
"""Characters of a value that are shown."""
_NAMES = ("repository", "workflow_ref", "job_workflow_ref", "ref", "environment", "sub")
_CLAIM = re.compile(
    r"[\s*+-]{0,8}[`\"']?(sub|repository|repository_owner|workflow_ref|job_workflow_ref|ref|environment)[`\"']?:\s{0,4}"
    r"(?:Some\()?[`\"']?([^\s`\"',()]{1,300})"
)
_FILE = re.compile(r"([^/]+/[^/]+)/\.github/workflows/([^@/]+)@")
_MISSING = ("MISSING", "None")


def find_claims(lines: Iterable[Line]) -> dict[str, str]:
    """Return the claims by name, of the last token that the log shows; a claim that it calls missing is empty."""
    claims: dict[str, str] = {}
    for line in lines:
        if not line.is_script and (found := _CLAIM.match(line.text)):
            claims[found[1]] = "" if found[2] in _MISSING else found[2]
    return claims if "repository" in claims or "sub" in claims else {}


def find_difference(claims: Mapping[str, str], target: Target | None) -> KnownFailure | None:
    """
    Return the known cause for which the index refuses a token of these claims; None if they show none.

    Without a target, only what the claims show by themselves: nobody knows what the index expects.
    """
    environment = _find_environment(claims)
    started, own = _FILE.match(claims.get("workflow_ref", "")), _FILE.match(claims.get("job_workflow_ref", ""))
    if claims.get("ref", "").startswith("refs/pull/") or claims.get("sub", "").endswith(":pull_request"):
        return PULL_REQUEST
    repository = claims.get("repository", "")
    if own and (own[1].lower() != repository.lower() if repository else False):
        return REUSABLE
    if started and own and started.groups() != own.groups():
        return REUSABLE
    if target is not None:
        wanted = _find_wanted(target)
        if repository and repository.lower() != target.repository.lower():
            return OTHER_REPOSITORY
        if own and target.workflows and own[2] not in target.workflows:
            return OTHER_WORKFLOW
        if wanted is not None and environment is not None and environment.lower() != wanted.lower():
            return ENVIRONMENT
    return NO_ENVIRONMENT if environment == "" else None


def describe_claims(claims: Mapping[str, str], target: Target | None) -> str:
    """Return what the token says, claim by claim, and beside it what is configured where that differs."""
    wanted = {} if target is None else {"repository": target.repository, "environment": _find_wanted(target)}
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
    if not (subject := claims.get("sub")):
        return None
    _, found, environment = subject.partition(":environment:")
    return environment if found else ""


def _find_wanted(target: Target) -> str | None:
    """The environment that the configuration, or the workflow, names; None if neither is known."""
    if target.channel.environment is not None:
        return target.channel.environment
    named = {publisher.environment for publisher in target.process.publishers}
    return named.pop() if len(named) == 1 else None
