"""GitHub's API and web address: from the command line or the environment, never from a file of the project."""

from __future__ import annotations

from collections.abc import Mapping

from release_state.common.addresses import (
    derive_api_address,
    derive_web_address,
    is_github_api,
    parse_host,
    strip_credentials,
)
from release_state.common.errors import UsageProblem
from release_state.settings import validate
from release_state.settings.channels import GITHUB_API
from release_state.settings.sources import COMMAND_LINE, Arguments, Value, find_given


def find_servers(arguments: Arguments, environ: Mapping[str, str]) -> dict[str, Value]:
    """GitHub's API and web address; never from a file of the inspected repository, since the token is sent there.

    One follows from the other: a plan must not change one server because of facts from another.
    """
    api = find_given(arguments.github_api_url, environ, "GITHUB_API_URL")
    web = find_given(arguments.github_server_url, environ, "GITHUB_SERVER_URL")
    for name, value in (("github-api-url", api), ("github-server-url", web)):
        if value and strip_credentials(validate.http_url(name, value.text)) != value.text:
            raise UsageProblem(f"{name} {validate.shown(value.text)} held credentials: give a token in GITHUB_TOKEN")
    if api and web:
        _assert_one_server(api, web)
    elif web:
        api = Value(derive_api_address(web.text), "the API of github-server-url")
    else:
        origin = "the server of github-api-url" if api else "default"
        api = api or Value(GITHUB_API, "default")
        web = Value(derive_web_address(api.text), origin)
    return {"github-api-url": api, "github-server-url": web}


def _assert_one_server(api: Value, web: Value) -> None:
    """Refuse two different servers; if the API's address does not tell, allow them only if given together."""
    belongs = derive_web_address(api.text)
    given_together = (api.origin == COMMAND_LINE) == (web.origin == COMMAND_LINE)
    if parse_host(belongs) != parse_host(web.text) and (is_github_api(api.text) or not given_together):
        raise UsageProblem(
            f"github-server-url {validate.shown(web.text)} ({web.origin}) is not the server of github-api-url "
            f"{validate.shown(api.text)} ({api.origin}): give --github-server-url {belongs}"
        )
