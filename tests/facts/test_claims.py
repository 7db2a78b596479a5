"""The claims of a refused identity token: what they say, and the cause that they show."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from release_state.facts.logs.claims import describe_claims, expect_claims, find_claims, find_difference
from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.lines import LONGEST_LINE, parse_log
from tests.incidents.claims import CLAIMS, TOKEN, action, own_claims, own_target
from tests.incidents.forms import log, step


def uv(claims: dict[str, str]) -> str:
    """The log of uv, which prints them as Rust does."""
    said = [f"    {name}: {value}" for name, value in claims.items()]
    why = 'Response: {"errors":[{"code":"invalid-publisher","description":"valid token"}]}'
    lines = ["error: Failed to obtain token for trusted publishing", "  Caused by: Server returned error code 422", why]
    return log(step("uv publish", *lines, "Token claims: GitHubTokenClaims {", *said, "}", code=2))


@pytest.mark.parametrize(("changes", "knows_target", "cause"), CLAIMS)
def test_the_cause(changes: dict[str, str], knows_target: bool, cause: KnownFailure | None) -> None:
    expected = own_claims() if knows_target else None
    lines = parse_log(action({**TOKEN, **changes}))
    assert find_difference(find_claims(lines), expected) is cause
    found = explain_log(lines, expected=expected)
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


@pytest.mark.parametrize("name", ["PyPI release", "PyPI, (main)", "it's"])
def test_a_value_is_read_to_its_end(name: str) -> None:
    own = expect_claims(own_target(environment=name), "release.yml", "publish")
    rust = {**{name: f'"{value}",' for name, value in TOKEN.items()}, "environment": f'Some("{name}"),'}
    json = ",\n".join(f'  "{claim}": "{value}"' for claim, value in {**TOKEN, "environment": name}.items())
    for text in (action({**TOKEN, "environment": name}), uv(rust), uv({**rust, "environment": f'"{name}",'}), json):
        claims = find_claims(parse_log(text))
        assert claims["environment"] == name
        assert find_difference(claims, own) is None
        assert "configured" not in describe_claims(claims, own)


def test_a_value_without_an_end_is_none() -> None:
    """The subject says the environment, too; what another form of it leaves out is not known."""
    broken = {**{name: f'"{value}",' for name, value in TOKEN.items()}, "environment": "Some("}
    assert "environment" not in find_claims(parse_log(uv(broken)))
    assert find_difference(find_claims(parse_log(uv(broken))), own_claims()) is None
    ordered = {**broken, "sub": '"repository_owner:example:job:publish",'}
    assert find_difference(find_claims(parse_log(uv(ordered))), own_claims()) is None


def test_the_last_token_is_read_alone() -> None:
    first = action({**TOKEN, "environment": "testpypi"})
    second = {name: value for name, value in TOKEN.items() if name != "environment"}
    assert find_claims(parse_log(first + action(second))) == second
    later = "\n".join(["", *["calm"] * 9, "ref: refs/heads/other", "environment: staging"])
    assert find_claims(parse_log(action(second) + later)) == second


@pytest.mark.parametrize(
    ("changes", "job"),
    [
        ({}, "publish-testpypi"),
        ({"job_name": ""}, "publish"),
        ({"job_name": "${{ matrix.index }}"}, "testpypi"),
        ({"workflow": "rehearse.yml"}, "publish"),
        ({"environment": None}, "publish"),
    ],
)
def test_nothing_is_held_against_the_token_of_another_job(changes: dict[str, Any], job: str) -> None:
    claims = {**TOKEN, "environment": "testpypi", "sub": "repo:example/project:environment:testpypi"}
    target = own_target(**changes)
    given = structs.replace(target, channel=structs.replace(target.channel, environment="pypi"))
    for each in (target, given):
        expected = expect_claims(each, "release.yml", job)
        assert find_difference(claims, expected) is None
        assert "configured" not in describe_claims(claims, expected)


def test_the_job_may_be_a_part_of_its_matrix() -> None:
    assert expect_claims(own_target(), "release.yml", "publish (3.12)") == own_claims()


def test_what_differs_from_the_configuration_is_beside_it() -> None:
    claims = {**TOKEN, "repository": "old/project", "environment": ""}
    said = describe_claims(claims, own_claims())
    assert "repository old/project (configured: example/project)" in said
    assert "environment none (configured: pypi)" in said
    assert "configured" not in describe_claims(claims, None)
    unset = own_target()
    unset = structs.replace(unset, channel=structs.replace(unset.channel, environment=""))
    assert "environment pypi (configured: none)" in describe_claims(
        TOKEN, expect_claims(unset, "release.yml", "publish")
    )


def test_hostile_claims_stay_short() -> None:
    found = explain_log(parse_log(action({**TOKEN, "sub": "x" * 100_000, "ref": "y" * 100_000})))
    assert all(len(line) <= LONGEST_LINE for line in found.lines)


def test_the_environment_is_read_from_the_subject_where_no_claim_names_it() -> None:
    others = {name: value for name, value in TOKEN.items() if name != "environment"}
    said = describe_claims({**others, "sub": "repo:example/project:environment:live"}, None)
    assert "environment live" in said
    assert "environment " not in describe_claims({**others, "sub": "repository_owner:example"}, None)
