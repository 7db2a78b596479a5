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
        (
            "{uses: jupyter-server/jupyter-releaser/.github/actions/populate-release@v2}",
            "jupyter-server/jupyter-releaser/.github/actions/populate-release",
        ),
        ("{run: python update_version_from_git.py $TAG}", "python update_version_from_git.py"),
        ("{run: make bump-version}", "make bump-version"),
        ("{run: 'echo \"$TAG\" > src/orbit/VERSION'}", "echo $TAG"),
        ("{run: 'echo \"__version__ = 1\" > orbit/_version.py'}", "echo __version__ = 1"),
        ("{run: cargo set-version 1.0}", "cargo set-version"),
        (
            "{uses: python-semantic-release/python-semantic-release@v10}",
            "python-semantic-release/python-semantic-release",
        ),
        ("{uses: commitizen-tools/commitizen-action@master}", "commitizen-tools/commitizen-action"),
        ("{run: bump2version patch}", "bump2version patch"),
        ("{run: bump-my-version show current_version}", None),
        ("{run: bumpver show}", None),
        ("{run: tbump current-version}", None),
        ("{run: uv version --output-format json}", None),
        ("{run: hatch version > out.txt}", None),
        ("{run: python scripts/update_version.py --check}", None),
        ("{run: 'sed -i s/python_version.*/x/ tox.ini'}", None),
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


@pytest.mark.parametrize(
    ("step", "files"),
    [
        ("{run: poetry version $TAG}", ()),
        ("{run: 'hatch version > version.txt'}", ("version.txt",)),
        ("{run: 'git describe | tee ./src/orbit/_version.py'}", ("./src/orbit/_version.py",)),
        (
            "{run: 'sed -i \"s/^version = .*/version = 1/\" pyproject.toml docs/conf.py'}",
            ("pyproject.toml", "docs/conf.py"),
        ),
        ("{run: \"sed -i '' -e s/version/x/ setup.py\"}", ("setup.py",)),
        ("{run: \"yq -i '.version = 1' package.json\"}", ("package.json",)),
        ("{run: 'sed -i s/version/x/ $FILE'}", ()),
        ("{run: 'echo 1 > VERSION'}, {run: 'echo 1 > a/_version.py'}", ("VERSION", "a/_version.py")),
        ("{run: 'echo 1 > VERSION'}, {run: poetry version 1}", ()),
    ],
)
def test_the_files_in_which_a_step_sets_the_version(step: str, files: tuple[str, ...]) -> None:
    text = f"on: {{push: {{tags: ['v*']}}}}\njobs: {{up: {{steps: [{step}]}}}}\n"
    found = find_version_writer({PATH: text}, [PATH])
    assert found and found.files == files


def test_the_files_of_every_workflow_that_counts_are_known() -> None:
    text = "on: {push: {tags: ['v*']}}\njobs: {up: {steps: [{run: 'sed -i s/version/1/ docs/conf.py'}]}}\n"
    bumps = text.replace("docs/conf.py", "setup.py'}, {run: 'git tag v$V")
    found = find_version_writer({PATH: text, f"{FOLDER}/bump.yml": bumps}, [PATH])
    assert found and (found.workflow, found.files) == ("ship.yml", ("docs/conf.py", "setup.py"))


def test_what_another_publisher_sets_is_not_set_for_a_tag() -> None:
    """A workflow for nightly versions, started by hand, sets theirs; the tag of a release starts another one."""
    nightly = ON_TAG.replace("{push: {tags: ['v*']}}", "workflow_dispatch")
    nightly = nightly.replace("[{run: uv publish}]", "[{run: uv version 1.0}, {run: uv publish}]")
    both = resolve(snapshot({"ship.yml": ON_TAG, "weekly.yml": nightly})).target.process
    assert {each.workflow for each in both.publishers} == {"ship.yml", "weekly.yml"}
    assert both.version_writer is None
    assert resolve(snapshot({"weekly.yml": nightly})).target.process.version_writer


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
