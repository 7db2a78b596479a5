"""Find the step of a workflow that sets the version, so that a commit need not declare it before a release (pure).

Sources: the commands' and the actions' own pages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import structs

from release_state.facts.workflow.calls import LocatedStep, ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.making import find_made
from release_state.model.process import VersionWriter

_ACTIONS = frozenset({
    "python-semantic-release/python-semantic-release", "relekang/python-semantic-release",
    "cycjimmy/semantic-release-action", "codfish/semantic-release-action", "commitizen-tools/commitizen-action",
    "phips28/gh-action-bump-version", "callowayproject/bump-my-version",
    "jupyter-server/jupyter_releaser/.github/actions/populate-release",
    "jupyter-server/jupyter-releaser/.github/actions/populate-release",
})  # fmt: skip
_BUMPERS = ("bump2version", "bumpversion", "bump-my-version", "tbump", "bumpver", "punch", "autopub",
            "semantic-release")  # fmt: skip
_GIVEN = ("poetry", "hatch", "pdm", "uv", "rye", "cargo")
"""Programs that set the version only if they are given one; without, they print it."""
_ONLY_SHOWN = frozenset(
    {"--dry-run", "--noop", "--help", "--get-next", "--print", "--print-tag", "--short", "--check", "-s", "-n"}
)
_MOST_FILES = 20
_SHOWING = ("show", "show-bump", "sample-config", "current-version", "init", "test")
"""What tools that set versions do besides."""
_VALUED = ("--output-format", "--package", "--project", "--directory", "--python", "-p")
"""Options of uv that take a value."""
_RUNNERS = ("python", "python3", "bash", "sh", "make", "just", "nox", "tox", "invoke", "inv", "poe", "task")
_EDITORS = ("sed", "gsed", "perl", "awk", "dasel", "toml", "tomlq", "yq", "jq")
_IN_PLACE = re.compile(r"-\w*i\S*|--in-place\S*|put|set")
_VERSION = re.compile(r"(?<!python[-_])(?<!target[-_])version", re.IGNORECASE)
_SCRIPT = re.compile(
    r"(bump|set|update|write|inc|increment)[-_.]?versions?(?![A-Za-z])|\bversions?[-_.]?(bump|set|update)", re.I
)
_PATH = re.compile(r"(?!s\W|-|\.(?!\.?/))[\w./@~-]*(?:/[\w.@-]+|[\w@-]\.\w+|VERSION)")
_COMPUTED = re.compile(r"[$*{`]")
_REDIRECTION = re.compile(r"\d*>>?(?!&)(.*)", re.DOTALL)
_FILE = re.compile(r"(?!/|\$|(\./)?dist/)([^$]*/)?_*version_*(\.(py|txt|toml|cfg|json))?", re.IGNORECASE)


def find_version_writer(texts: Mapping[str, str], publishing: Collection[str]) -> VersionWriter | None:
    """Return the step that sets the version in a run, with all files that such steps write; None if no step is seen to.

    `texts` holds workflow files and local actions by their paths, `publishing` the paths of those that publish. Another
    workflow counts only if it tags or releases what it set: one that opens a pull request has it committed before.
    """
    found: list[VersionWriter] = []
    for path in sorted(
        (path for path in texts if path.startswith(f"{FOLDER}/")), key=lambda path: path not in publishing
    ):
        workflow = ReleaseWorkflow(path, texts)
        if workflow.problem or set(workflow.file.triggers) <= {"workflow_call"}:
            continue
        if path not in publishing and not {"tag", "release"} & set(find_made(workflow)):
            continue
        for how, files in (each for at in workflow.steps for each in _find_bumps(at)):
            writer = VersionWriter(workflow=path.removeprefix(f"{FOLDER}/"), how=how[:200], files=files[:_MOST_FILES])
            if not files:
                return writer
            found.append(writer)
    files = tuple(dict.fromkeys(file for writer in found for file in writer.files))
    return structs.replace(found[0], files=files[:_MOST_FILES]) if found else None


def _find_bumps(at: LocatedStep) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What sets the version in a step, each with the files that it writes."""
    if at.step.action in _ACTIONS:
        yield at.step.uses.partition("@")[0], ()
    for words, _ in at.step.commands:
        if (files := _find_set(words)) is not None:
            yield " ".join(words[:2]), files


def _find_set(words: Sequence[str]) -> tuple[str, ...] | None:
    """The files in which a command sets the version; empty if it finds them itself, None if it sets none."""
    end = next((at for at, word in enumerate(words) if at and _REDIRECTION.fullmatch(word)), len(words))
    told, sent = words[:end], " ".join(words[end:])
    if _sets_version(told):
        return ()
    program, rest = told[0], told[1:]
    if program in _EDITORS and not _ONLY_SHOWN & set(rest) and any(map(_IN_PLACE.fullmatch, rest)):
        if not any(map(_VERSION.search, rest)):
            return None
        return () if any(map(_COMPUTED.search, rest[-1:])) else tuple(filter(_PATH.fullmatch, rest))
    targets = [found[1].strip().partition(" ")[0] for found in [_REDIRECTION.fullmatch(sent)] if found]
    files = tuple(filter(_FILE.fullmatch, [*targets, *(rest if program == "tee" else ())]))
    return files or None


def _sets_version(words: Sequence[str]) -> bool:
    """Whether a command is one of a tool that finds by itself what declares the version."""
    program, rest = words[0], words[1:]
    spoken = [word for before, word in pairwise(words) if not word.startswith("-") and before not in _VALUED]
    if _ONLY_SHOWN & set(rest):
        return False
    if program == "cz" and spoken[:1] == ["bump"]:
        return True
    if program in _BUMPERS:
        if program == "semantic-release":
            return not {"version", "publish"}.isdisjoint(spoken)
        return not spoken or spoken[0] not in _SHOWING
    if program in _GIVEN and (
        verb := next((word for word in spoken[:2] if word in ("version", "bump", "set-version")), "")
    ):
        return verb != "version" or "--bump" in rest or len(spoken) > spoken.index(verb) + 1
    return program in _RUNNERS and any(map(_SCRIPT.search, spoken[:2]))
