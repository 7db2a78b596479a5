"""Ask python-semantic-release for the next version of a repository, in a process of its own.

`python -I THIS_FILE GIVEN RESULT`, in a bare repository that holds only commits and tags: two JSON files, and no import
of the suite. It makes the same calls as `semantic-release version --print` and also reports the commits that counted.
`GIVEN` only ever names a parser that the tool itself brings.
"""

from __future__ import annotations

import json
import logging
import site
import sys
from pathlib import Path
from typing import Any


class Recorder:
    """A commit parser that records its results for each commit."""

    def __init__(self, parser: Any) -> None:
        self.parser = parser
        self.seen: list[tuple[Any, list[Any]]] = []

    def parse(self, commit: Any) -> Any:
        """Return the results of the parser."""
        results = self.parser.parse(commit)
        self.seen.append((commit, list(results) if type(results) in (list, tuple) else [results]))
        return results


def calculate(config: dict[str, Any]) -> dict[str, Any]:
    """Return the next version, the last one, and each commit since with its level."""
    from git import Repo
    from semantic_release.cli.config import GlobalCommandLineOptions, RawConfig, RuntimeContext
    from semantic_release.errors import NotAReleaseBranch
    from semantic_release.version.algorithm import next_version, tags_and_versions

    try:
        runtime = RuntimeContext.from_raw_config(
            RawConfig.model_validate(config), global_cli_options=GlobalCommandLineOptions(noop=True)
        )
    except NotAReleaseBranch as error:
        return {"no_release": str(error)}
    translator, recorder = runtime.version_translator, Recorder(runtime.commit_parser)
    with Repo(".") as repo:
        version = next_version(
            repo=repo,
            translator=translator,
            commit_parser=recorder,  # type: ignore[arg-type]
            prerelease=runtime.prerelease,
            major_on_zero=runtime.major_on_zero,
            allow_zero_version=runtime.allow_zero_version,
        )
        # Every tag here is in the history of the branch; a pre-release counts only for its own branch.
        tagged = [
            (tag.name, found)
            for tag, found in tags_and_versions(repo.tags, translator)
            if not found.is_prerelease or (runtime.prerelease and found.prerelease_token == translator.prerelease_token)
        ]
    tag, last = tagged[0] if tagged else (None, None)
    return {
        "version": str(version),
        "last_tag": tag,
        "is_new": str(version) != (str(last) if last else "0.0.0"),
        "commits": [[commit.hexsha, level(commit, results)] for commit, results in recorder.seen],
    }


def level(commit: Any, results: list[Any]) -> str | None:
    """`major`, `minor`, `patch` or `none`; None for a commit that does not follow the convention; `left out`."""
    from semantic_release.commit_parser import ParsedCommit

    bumps = [result.bump for result in results if isinstance(result, ParsedCommit)]
    if bumps:
        name = max(bumps).name.lower()
        return name if name in ("major", "minor", "patch") else "none"
    elsewhere = any("no changed files matching" in result.error for result in results)
    return "left out" if len(commit.parents) > 1 or elsewhere else None


def main(given_file: str, result_file: str) -> None:
    """Read what is asked from one file and write the answer to the other."""
    given = json.loads(Path(given_file).read_text(encoding="utf-8"))
    logging.disable(logging.CRITICAL)
    if given["user_site"]:
        site.addsitedir(site.getusersitepackages())  # -I leaves it out together with the current folder
    try:
        result = calculate(given["config"])
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
