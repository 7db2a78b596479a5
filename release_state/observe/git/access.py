"""GitHub's token for git, where a private repository cannot be read without it, and for that address alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from release_state.common.addresses import derive_web_address, parse_host
from release_state.common.errors import hide
from release_state.observe.git.environment import add_settings
from release_state.settings.config import RunConfig


@dataclass
class TokenAccess:
    """The token for the repository at `address`. Git gets it once it was refused without, and keeps it for the run."""

    address: str
    header: str = field(repr=False)
    is_needed: bool = False

    def add_to(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with the token for this address; nobody else is asked for a password, and none sent.

        A redirect ends the command, and so does a certificate that is not trusted.
        """
        scope = f"http.{self.address}"
        settings = (
            (f"{scope}.extraHeader", ""),  # first: headers of the user's own add up
            (f"{scope}.extraHeader", self.header),
            (f"{scope}.followRedirects", "false"),
            (f"{scope}.sslVerify", "true"),
            ("credential.helper", ""),
        )
        kept = {name: value for name, value in env.items() if name != "GIT_SSL_NO_VERIFY"}
        # A setting of the user's (`trace2.*Target`) would have git write the header to a file.
        no_traces = dict.fromkeys(("GIT_TRACE2", "GIT_TRACE2_EVENT", "GIT_TRACE2_PERF"), "0")
        return add_settings({**kept, **no_traces}, settings)


def find_access(config: RunConfig, token: str | None) -> TokenAccess | None:
    """Return access to the remote by the token; None where git must not have it.

    The remote is the repository that the API is asked about, at the web address that belongs to the API's, by https. No
    file of the project and no `insteadOf` has named the address.
    """
    target, address = config.targets[0], config.remote_url
    web = target.github_web
    is_own = address.rstrip("/").removesuffix(".git").lower() == f"{web}/{target.repository}".lower()
    belongs = parse_host(derive_web_address(target.github_api)) == parse_host(web)
    if not token or not config.lends_token or urlsplit(web).scheme != "https" or not (is_own and belongs):
        return None
    encoded = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    hide(encoded)
    return TokenAccess(address, f"Authorization: Basic {encoded}")
