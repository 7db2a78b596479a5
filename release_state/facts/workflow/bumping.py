"""Find the step of a workflow that sets the version, so that a commit need not declare it before a release (pure).

Sources: the commands' and the actions' own pages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from release_state.facts.workflow.calls import LocatedStep, ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.making import find_made
from release_state.facts.workflow.script import split_commands
from release_state.model.process import VersionWriter

_ACTIONS = frozenset({
    "python-semantic-release/python-semantic-release",
    "relekang/python-semantic-release",
    "cycjimmy/semantic-release-action",
    "codfish/semantic-release-action",
    "commitizen-tools/commitizen-action",
    "phips28/gh-action-bump-version",
    "callowayproject/bump-my-version",
})  # fmt: skip
_BUMPERS = (
    "bump2version",
    "bumpversion",
    "bump-my-version",
    "tbump",
    "bumpver",
    "punch",
    "autopub",
    "semantic-release",
)
_GIVEN = ("poetry", "hatch", "pdm", "uv", "rye", "cargo")
"""Programs that set the version only if they are given one; without, they print it."""
_ONLY_SHOWN = frozenset(
    {"--dry-run", "--noop", "--help", "--get-next", "--print", "--print-tag", "--short", "-s", "-n"}
)
_RUNNERS = ("python", "python3", "bash", "sh", "make", "just", "nox", "tox", "invoke", "inv", "poe", "task")
_EDITORS = ("sed", "gsed", "perl", "awk", "dasel", "toml", "tomlq", "yq", "jq")
_IN_PLACE = re.compile(r"-\w*i\S*|--in-place\S*|put|set")
_VERSION = re.compile(r"version", re.IGNORECASE)
_SCRIPT = re.compile(r"(bump|set|update|write|inc|increment)[-_.]?versions?\b|\bversions?[-_.]?(bump|set|update)", re.I)
_FILE = re.compile(r"(?!/|\$|(\./)?dist/)([^$]*/)?_*version_*(\.(py|txt|toml|cfg|json))?", re.IGNORECASE)


def find_version_writer(texts: Mapping[str, str], publishing: Collection[str]) -> VersionWriter | None:
    """
    Return the step that sets the version in a run; None if no step is seen to.

    `texts` holds workflow files and local actions by their paths, `publishing` the paths of those that publish. Another
    workflow counts only if it tags or releases what it set: one that opens a pull request has it committed before.
    """
    for path in sorted(
        (path for path in texts if path.startswith(f"{FOLDER}/")), key=lambda path: path not in publishing
    ):
        workflow = ReleaseWorkflow(path, texts)
        if workflow.problem or set(workflow.file.triggers) <= {"workflow_call"}:
            continue
        if path not in publishing and not {"tag", "release"} & set(find_made(workflow)):
            continue
        for at in workflow.steps:
            if how := _find_bump(at):
                return VersionWriter(workflow=path.removeprefix(f"{FOLDER}/"), how=how[:200])
    return None


def _find_bump(at: LocatedStep) -> str:
    action = at.step.uses.partition("@")[0]
    if action.lower() in _ACTIONS:
        return action
    return next((" ".join(words[:2]) for words, _ in split_commands(at.step.run) if _sets_version(words)), "")


def _sets_version(words: Sequence[str]) -> bool:
    program, rest = words[0], words[1:]
    spoken = [word for word in rest if not word.startswith("-")]
    if _ONLY_SHOWN & set(rest):
        return False
    if program == "cz" and spoken[:1] == ["bump"]:
        return True
    if program in _BUMPERS:
        return program != "semantic-release" or not {"version", "publish"}.isdisjoint(spoken)
    if program in _GIVEN and (
        verb := next((word for word in spoken[:2] if word in ("version", "bump", "set-version")), "")
    ):
        return verb != "version" or "--bump" in rest or len(spoken) > spoken.index(verb) + 1
    if program in _EDITORS and any(map(_IN_PLACE.fullmatch, rest)):
        return any(map(_VERSION.search, rest))
    if program in _RUNNERS and any(map(_SCRIPT.search, spoken[:2])):
        return True
    targets = [rest[at + 1] for at in range(len(rest) - 1) if rest[at] in (">", ">>")]
    targets += [word.lstrip(">") for word in rest if re.match(r">>?[^>&]", word)] + (spoken if program == "tee" else [])
    return any(map(_FILE.fullmatch, targets))
