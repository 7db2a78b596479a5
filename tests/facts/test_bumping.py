"""Which step of a workflow sets the version, and which only looks like it."""

from __future__ import annotations

import pytest

from release_state.facts.process import resolve
from release_state.facts.workflow.bumping import find_version_writer
from release_state.facts.workflow.document import FOLDER
from tests.facts.test_process import ON_TAG, snapshot

PATH = f"{FOLDER}/ship.yml"


def find(step: str, *, publishes: bool = True, more: str = "") -> str | None:
    """What sets the version in a workflow of this step, and of one that tags."""
    text = f"on: {{push: {{tags: ['v*']}}}}\njobs: {{up: {{steps: [{step}{more}]}}}}\n"
    found = find_version_writer({PATH: text}, [PATH] if publishes else [])
    return found.how if found else None


@pytest.mark.parametrize(
    ("step", "how"),
    [
        ("{run: poetry version $TAG}", "poetry version"),
        ("{run: hatch version minor}", "hatch version"),
        ("{run: uv version --bump patch}", "uv version"),
        ("{run: uv run pdm bump patch}", "pdm bump"),
        ("{run: cz bump --yes}", "cz bump"),
        ("{run: semantic-release version}", "semantic-release version"),
        ("{run: python -m semantic_release version --no-push}", "semantic-release version"),
        ("{run: bump-my-version bump patch}", "bump-my-version bump"),
        ("{run: 'sed -i \"s/^version = .*/version = 1/\" pyproject.toml'}", "sed -i"),
        ("{run: python scripts/set_version.py $TAG}", "python scripts/set_version.py"),
        ("{run: make bump-version}", "make bump-version"),
        ("{run: 'echo \"$TAG\" > src/orbit/VERSION'}", "echo $TAG"),
        ("{run: 'echo \"__version__ = 1\" > orbit/_version.py'}", "echo __version__ = 1"),
        ("{run: cargo set-version 1.0}", "cargo set-version"),
        (
            "{uses: python-semantic-release/python-semantic-release@v10}",
            "python-semantic-release/python-semantic-release",
        ),
        ("{uses: commitizen-tools/commitizen-action@master}", "commitizen-tools/commitizen-action"),
        ("{run: poetry version}", None),
        ("{run: poetry version -s}", None),
        ("{run: hatch version}", None),
        ("{run: cz bump --dry-run}", None),
        ("{run: cz version}", None),
        ("{run: semantic-release version --print}", None),
        ("{run: semantic-release --noop version}", None),
        ("{run: python --version}", None),
        ("{run: npm version 1.0}", None),
        ("{run: 'sed \"s/version//\" README.md'}", None),
        ("{run: 'sed -i s/a/b/ README.md'}", None),
        ("{run: 'echo \"version=1\" >> $GITHUB_OUTPUT'}", None),
        ("{run: 'echo 1 > dist/VERSION'}", None),
        ("{run: 'echo poetry version 1.0'}", None),
        ("{run: '# poetry version 1.0'}", None),
    ],
)
def test_a_step_that_sets_the_version(step: str, how: str | None) -> None:
    assert find(step) == how


def test_another_workflow_counts_only_if_it_tags_what_it_set() -> None:
    bump, tag, pull = "{run: poetry version $V}", ", {run: git tag v$V}", ", {uses: peter-evans/create-pull-request@v7}"
    assert find(bump, publishes=False, more=tag) == "poetry version"
    assert find(bump, publishes=False, more=pull) is None, "it is committed by merging, before the tag"
    assert find(bump, publishes=False) is None


def test_the_process_has_what_sets_the_version() -> None:
    plain = resolve(snapshot({"ship.yml": ON_TAG})).target.process
    assert plain.version_writer is None and not any("version:" in line for line in plain.evidence)
    bumping = ON_TAG.replace("[{run: uv publish}]", "[{run: uv version 1.0}, {run: uv publish}]")
    found = resolve(snapshot({"ship.yml": bumping})).target.process
    assert found.version_writer and found.version_writer.workflow == "ship.yml"
    assert "version: ship.yml sets it, by uv version" in found.evidence
