"""What `semantic-release version --print` prints at several points of a history, all in one process.

`python THIS_FILE CLONE POINTS`: a JSON list of branch, commit, and tags (name to commit); prints a list of outputs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from semantic_release.cli.commands.main import main


def git(*arguments: str) -> str:
    """Run git in the current folder."""
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def printed(branch: str, commit: str, tags: dict[str, str]) -> str:
    """The standard output with this branch and these tags."""
    git("checkout", "--quiet", "--detach", commit)
    for ref in git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags").split("\n"):
        if ref:
            git("update-ref", "-d", ref)
    for name, target in tags.items():
        git("update-ref", f"refs/tags/{name}", target)
    git("checkout", "--quiet", "-B", branch, commit)
    config = [] if Path("pyproject.toml").exists() else ["--config", "releaserc.toml"]
    return CliRunner().invoke(main, [*config, "version", "--print"]).stdout.strip()


if __name__ == "__main__":
    folder, points = sys.argv[1:]
    os.chdir(folder)
    print(json.dumps([printed(*point) for point in json.loads(points)]))
