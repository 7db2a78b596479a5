"""The claims of a refused identity token: what they say, and the cause that they show."""

from __future__ import annotations

import pytest
from msgspec import structs

from release_state.facts.logs.claims import describe_claims, find_claims, find_difference
from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.lines import LONGEST_LINE, parse_log
from tests.incidents.claims import CLAIMS, TOKEN, action, own_target
from tests.incidents.forms import log, step


def uv(claims: dict[str, str]) -> str:
    """The log of uv, which prints them as Rust does."""
    said = [f"    {name}: {value}" for name, value in claims.items()]
    why = 'Response: {"errors":[{"code":"invalid-publisher","description":"valid token"}]}'
    lines = ["error: Failed to obtain token for trusted publishing", "  Caused by: Server returned error code 422", why]
    return log(step("uv publish", *lines, "Token claims: GitHubTokenClaims {", *said, "}", code=2))


@pytest.mark.parametrize(("changes", "knows_target", "cause"), CLAIMS)
def test_the_cause(changes: dict[str, str], knows_target: bool, cause: KnownFailure | None) -> None:
    target = own_target() if knows_target else None
    lines = parse_log(action({**TOKEN, **changes}))
    assert find_difference(find_claims(lines), target) is cause
    found = explain_log(lines, target=target)
    assert found.known is not None and found.known.scenario in ("trusted publisher", "reusable workflow")
    assert found.known is cause or cause is None
    assert found.lines[-1].startswith("the token's claims: ") and len(found.lines) <= 3


def test_older_and_other_tools_are_read() -> None:
    short = {name: value for name, value in TOKEN.items() if name not in ("environment", "workflow_ref")}
    assert find_claims(parse_log(action(short))) == short
    rust = {**{name: f'"{value}",' for name, value in short.items()}, "environment": 'Some("pypi"),'}
    assert find_claims(parse_log(uv(rust))) == {**short, "environment": "pypi"}
    assert find_claims(parse_log(uv({**rust, "environment": "None,"})))["environment"] == ""
    assert find_claims(parse_log("ref: main\nenvironment: pypi")) == {}, "no token: these words stand in many logs"


def test_what_differs_from_the_configuration_is_beside_it() -> None:
    claims = {**TOKEN, "repository": "old/project", "environment": ""}
    said = describe_claims(claims, own_target())
    assert "repository old/project (configured: example/project)" in said
    assert "environment none (configured: pypi)" in said
    assert "configured" not in describe_claims(claims, None)
    unset = own_target()
    unset = structs.replace(unset, channel=structs.replace(unset.channel, environment=""))
    assert "environment pypi (configured: none)" in describe_claims(TOKEN, unset)


def test_hostile_claims_stay_short() -> None:
    found = explain_log(parse_log(action({**TOKEN, "sub": "x" * 100_000, "ref": "y" * 100_000})))
    assert all(len(line) <= LONGEST_LINE for line in found.lines)
