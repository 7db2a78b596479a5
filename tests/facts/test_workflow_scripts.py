"""The commands of a step's script, and the rights that they and the usual actions need."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.needs import CONTENTS, ID_TOKEN, PULLS, Need, find_needs
from release_state.facts.workflow.script import split_commands

SCRIPTS = {
    "git push": [("git", "push")],
    "# git push": [],
    "echo 'git push'": [("echo", "git push")],
    'echo "git push"': [("echo", "git push")],
    "a && b || c; d & e | f": [("a",), ("b",), ("c",), ("d",), ("e",), ("f",)],
    "git \\\n  push": [("git", "push")],
    "cat <<EOF\ngit push\nEOF\nls": [("cat",), ("ls",)],
    "cat <<-'X' > f\n git push\n X\nls": [("cat", ">", "f"), ("ls",)],
    "if ! git push; then exit 1; fi": [("git", "push"), ("exit", "1"), ("fi",)],
    "for x in a; do git push; done": [("for", "x", "in", "a"), ("git", "push"), ("done",)],
    'url="$(gh pr create --title "a b")"': [("gh", "pr", "create", "--title", "a b")],
    "url=`gh pr create`": [("gh", "pr", "create")],
    "(cd x && git push)": [("cd", "x"), ("git", "push")],
    'x="$( (git a); git b )"; git c': [("git", "a"), ("git", "b"), ("git", "c")],
    "x 2>&1 | y": [("x", "2>&1"), ("y",)],
    "echo a#b # git push": [("echo", "a#b")],
    "uv run --with x git push": [("git", "push")],
    "python -m build --wheel": [("build", "--wheel")],
    "uvx --from build pyproject-build": [("pyproject-build",)],
    "uv run python -m semantic_release -v version": [("semantic-release", "-v", "version")],
    "/usr/bin/git push": [("git", "push")],
    "echo ${{ github.ref == 'refs/heads/x y' && 'a' || 'b' }}": [
        ("echo", "${{ github.ref == 'refs/heads/x y' && 'a' || 'b' }}")
    ],
    "echo ${x:-git push}": [("echo", "${x:-git push}")],
    "echo 'never closed\ngit push": [("echo", "never closed\ngit push")],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_commands_of_a_script(script: str) -> None:
    assert [words for words, _ in split_commands(script)] == SCRIPTS[script]


def test_variables_that_a_command_is_given() -> None:
    assert split_commands("A=1 B='2 3' git push") == [(("git", "push"), {"A": "1", "B": "2 3"})]


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="a \n'\"`$(){};&|\\<#=E", max_size=200))
def test_every_script_ends(script: str) -> None:
    for words, _ in split_commands(script):
        assert words and words[0]


def test_a_script_without_end_ends() -> None:
    for piece in ("$(", "`", "(", '"$(', "<<E\n", "${", "'"):
        split_commands(piece * 20_000)


def needs(run: str = "", uses: str = "", *, own: bool = True, **more: object) -> list[Need]:
    step = JobStep(number=1, run=run, uses=uses, **more)  # type: ignore[arg-type]
    return list(find_needs(step, step.env, pushes_with_own=own))


OF_COMMANDS = {
    "git push origin v1": {CONTENTS},
    "git -C x -c a=b push": {CONTENTS},
    "git push --dry-run": set(),
    "git stash push": set(),
    "gh release create v1": {CONTENTS},
    "gh release view v1": set(),
    "gh pr create --fill": {PULLS},
    "gh pr list": set(),
    "gh pr merge 1": {PULLS, CONTENTS},
    "semantic-release version": {CONTENTS},
    "semantic-release -v version --print": set(),
    "semantic-release --noop version": set(),
    "semantic-release version --no-commit --no-tag --no-push --no-vcs-release": set(),
    "semantic-release version --no-push": {CONTENTS},  # it still makes the GitHub Release
    "semantic-release publish": {CONTENTS},
    "mkdocs gh-deploy --force": {CONTENTS},
    "mkdocs build": set(),
    "mike deploy --push 1.0": {CONTENTS},
    "mike deploy 1.0": set(),
    "uv publish": {ID_TOKEN},
    "uv publish --trusted-publishing always": {ID_TOKEN},
    "uv publish --trusted-publishing=never": set(),
    "uv publish --token x": set(),
    "uv publish -t x --trusted-publishing=always": {ID_TOKEN},
    "pdm publish": {ID_TOKEN},
    "twine upload dist/*": {ID_TOKEN},
    "twine upload -p x dist/*": set(),
    "twine check dist/*": set(),
    "poetry publish": set(),
    "python -m twine upload dist/*": {ID_TOKEN},
}


@pytest.mark.parametrize("run", OF_COMMANDS)
def test_rights_that_a_command_needs(run: str) -> None:
    assert {need.right for need in needs(run)} == OF_COMMANDS[run]


OF_ACTIONS = {
    "pypa/gh-action-pypi-publish": {ID_TOKEN},
    "softprops/action-gh-release": {CONTENTS},
    "Peter-Evans/Create-Pull-Request": {CONTENTS, PULLS},
    "googleapis/release-please-action": {CONTENTS, PULLS},
    "python-semantic-release/python-semantic-release": {CONTENTS},
    "sigstore/gh-action-sigstore-python": {ID_TOKEN},
    "actions/checkout": set(),
}


@pytest.mark.parametrize("action", OF_ACTIONS)
def test_rights_that_an_action_needs(action: str) -> None:
    assert {need.right for need in needs(uses=f"{action}@v1")} == OF_ACTIONS[action]


def test_a_password_is_no_trusted_publishing() -> None:
    assert not needs(uses="pypa/gh-action-pypi-publish@v1", inputs={"password": "${{ secrets.P }}"})
    assert not needs("uv publish", env={"UV_PUBLISH_TOKEN": "${{ secrets.P }}"})
    assert not needs("twine upload dist/*", env={"TWINE_PASSWORD": "${{ secrets.P }}"})
    assert not needs("UV_PUBLISH_TOKEN=$P uv publish")
    [upload] = needs("twine upload dist/*")
    assert not upload.certain, "a file may hold its password"


def test_maturin_signs_in_to_upload_alone() -> None:
    for command, count in (("upload", 1), ("publish", 1), ("build", 0), ("", 0)):
        assert len(needs(uses="PyO3/maturin-action@v1", inputs={"command": command})) == count
    assert not needs(uses="PyO3/maturin-action@v1", inputs={"command": "upload"}, env={"MATURIN_PASSWORD": "x"})


def test_an_action_that_is_told_not_to_push_needs_nothing() -> None:
    action = "python-semantic-release/python-semantic-release@v1"
    for inputs in ({"push": "false", "vcs_release": "false"}, {"root_options": "-vv --noop"}):
        assert not needs(uses=action, inputs=inputs)
    assert needs(uses=action, inputs={"push": "false"})


@pytest.mark.parametrize(
    ("token", "own"),
    [("${{ github.token }}", True), ("${{ secrets.GITHUB_TOKEN }}", True), ("", True), ("${{ secrets.PAT }}", False),
     ("${{ steps.app.outputs.token }}", False), ("${{ secrets.PAT || github.token }}", False)],
)  # fmt: skip
def test_whose_token_it_is(token: str, own: bool) -> None:
    [by_gh] = needs("gh pr create", env={"GH_TOKEN": token})
    [by_action] = needs(uses="softprops/action-gh-release@v2", inputs={"token": token})
    assert (by_gh.own_token, by_action.own_token) == (own, own)
    [push] = needs("git push", own=own)
    assert push.own_token is own


def test_another_shell_is_not_read() -> None:
    assert not needs("git push", shell="python")
    assert needs("git push", shell="bash -e {0}")
