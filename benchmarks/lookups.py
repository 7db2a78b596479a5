"""How long each look-up takes alone, with what has to be known before it: `python -m benchmarks.lookups OPTIONS…`.

A process of its own, so that what it imports is there before the first one is timed. Prints seconds by look-up, JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from release_state.model.outcome import Phase
from release_state.model.snapshot import LOOKUPS
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.settings.config import Arguments, load


def main() -> None:
    """Time every look-up once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--index-url", action="append")
    for name in ("phase", "repo", "remote-url", "github-api-url", "package", "repository"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--only", action="append", choices=LOOKUPS)
    given = parser.parse_args()
    arguments = Arguments(
        versions=("0.2.0",),
        channels=("pypi",),
        phase=given.phase,
        repo=given.repo,
        settings={"package": given.package, "repository": given.repository, "remote-url": given.remote_url},
        index_urls=tuple(given.index_url),
        github_api_url=given.github_api_url,
        install=not given.no_install,
    )
    environ = dict(os.environ)
    config = load(arguments, environ, Path.cwd(), find_repository)
    seconds = {}
    for name in given.only or LOOKUPS:
        began = time.perf_counter()
        collect(
            config,
            frozenset({name}),
            fixed_phase=Phase(given.phase),
            token=environ.get("GITHUB_TOKEN"),
            token_source="GITHUB_TOKEN",  # noqa: S106 - the name of the variable
            own_run_id=None,
            environ=environ,
        )
        seconds[name] = time.perf_counter() - began
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
