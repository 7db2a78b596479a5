"""The real GitHub CLI in front of the demo's GitHub: sent to a socket, from there to the world, without TLS or DNS.

The world speaks REST only. Four of gh's questions come as GraphQL and are answered here: the default branch, whether
the remote has a ref, a draft by its tag, and the open pull requests of a branch. Other `gh pr …` are out of reach.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from release_state.demo.github.model import Json
from release_state.demo.github.routing import ROUTES, Call, Result, Route
from tests.proofs.convergence.unix_to_port import UnixToPort
from tests.standins.github_writes import invalid, read_json
from tests.standins.world import World


@contextmanager
def real_gh(world: World, program: str) -> Iterator[dict[str, str]]:
    """What the environment needs besides for the real gh to find the world."""
    with graphql(), gh_at(program, int(world.github.url.rpartition(":")[2]), world.root) as env:
        yield env


@contextmanager
def gh_at(program: str, port: int, parent: Path) -> Iterator[dict[str, str]]:
    """What the environment needs besides for gh to ask at a port of this machine; its files go below `parent`."""
    with tempfile.TemporaryDirectory(dir=parent, prefix="gh-") as folder:
        socket = Path(folder, "socket")
        env = {"GH_CONFIG_DIR": folder, "GH_NO_UPDATE_NOTIFIER": "1", "GH_PROMPT_DISABLED": "1"}
        setting = [program, "config", "set", "http_unix_socket", str(socket)]
        subprocess.run(setting, env={**os.environ, **env}, check=True, timeout=20)
        with UnixToPort(socket, port):
            yield env


@contextmanager
def graphql() -> Iterator[None]:
    """The worlds of this process answer what gh asks as GraphQL."""
    added = Route("POST", re.compile("/graphql"), _graphql, "")
    ROUTES.insert(0, added)
    try:
        yield
    finally:
        ROUTES.remove(added)


def _graphql(call: Call) -> Result:
    body, state = read_json(call), call.state
    query, given = str(body["query"]), body["variables"]
    asked = re.search(r"query (\w+)", query)
    found: Json | None
    match asked[1] if asked else "":
        case "RepositoryInfo":
            name = state.repository.split("/")[1]
            found = {"id": "R_1", "name": name, "owner": {"login": state.owner}, "defaultBranchRef": {"name": "main"}}
        case "RepositoryFindRef":
            ref = state.git.ref(given["tagName"])
            found = {"ref": {"id": f"REF_{ref.sha}"} if ref else None}
        case "RepositoryReleaseByTag":
            release = next((r for r in state.releases.values() if r.tag == given["tagName"]), None)
            found = {"release": {"databaseId": release.id, "isDraft": release.draft} if release else None}
        case "PullRequestList":
            pulls = [pull for pull in state.pulls.values() if pull.head_ref == given["headBranch"]]
            nodes = [{"number": p.number, "title": p.title, "state": "OPEN"} for p in pulls if p.state == "open"]
            found = {"pullRequests": {"totalCount": len(nodes), "nodes": nodes, "pageInfo": {"hasNextPage": False}}}
        case other:
            raise invalid({"message": f"GraphQL is not part of this world: {other}"})
    return Result({"data": {"repository": found}})
