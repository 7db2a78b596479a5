"""Ask python-semantic-release for the next version, safely: its configuration is not to be trusted.

It runs in its own process, in a bare repository of our own that borrows commits and holds the tags of the history: no
work tree, no hooks, no remote, no network, no token, none of the user's settings. It gets only the settings that
determine the version, and only a parser of its own: it would import any other.
"""

from __future__ import annotations

import hashlib
import json
import os
import site
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Literal

from msgspec import ValidationError, convert
from packaging.specifiers import SpecifierSet

from release_state.common.strict import decode_json, describe_invalid
from release_state.model.observation import Model, Problem
from release_state.model.snapshot.published import Level
from release_state.observe.git.command import Git
from release_state.observe.git.environment import add_settings
from release_state.observe.git.store import Store, create_bare, quote_alternate
from release_state.observe.next_version.rules import Configuration
from release_state.observe.process import run_bounded

SOURCE = "version calculation"
BUILT_IN = ("angular", "conventional", "conventional-monorepo", "emoji", "scipy", "tag")
"""The parsers that python-semantic-release brings."""
SUPPORTED = SpecifierSet(">=10,<11")

_CHILD = Path(__file__).with_name("semantic_release_child.py")
_KEYS = (
    "add_partial_tags",
    "allow_zero_version",
    "branches",
    "commit_parser",
    "commit_parser_options",
    "major_on_zero",
    "tag_format",
)
"""The settings that determine the next version."""
_KEPT = ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_EXEC_PATH", "LD_LIBRARY_PATH", "TMPDIR")
"""Where commits are borrowed from, and what this Python and this git may need to run."""


class NotCalculated(Exception):  # noqa: N818 - a look-up without an answer; what it means is the caller's to say
    """The tool was not asked or gave no answer; holds the problem."""

    def __init__(self, why: str, remedy: str | None = None) -> None:
        super().__init__(why)
        self.problem = Problem(source=SOURCE, why=why, remedy=remedy)


def find_installed_version() -> str | None:
    """Return the version of the tool installed beside this suite; None if it is missing. Imports nothing."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    if site.ENABLE_USER_SITE:
        places.add(site.getusersitepackages())
    found = metadata.distributions(name="python-semantic-release", path=sorted(places))
    return next((str(distribution.version) for distribution in found), None)


def find_usable_version(configuration: Configuration) -> str:
    """Return the tool's version. Raises NotCalculated if it is missing, or unfit for what the project configures."""
    parser = configuration.table.get("commit_parser", "conventional")
    if parser not in BUILT_IN:
        raise NotCalculated(
            f"commit_parser {str(parser)[:100]!r} is none of {', '.join(BUILT_IN)}: it would be imported and run",
            "run semantic-release version --print yourself, where you trust the project",
        )
    version = find_installed_version()
    if version is None:
        # Not by an extra of this suite: an index may have nothing, or something of a stranger, under the suite's name.
        install = f"install it beside this suite: pip install 'python-semantic-release{SUPPORTED}'"
        raise NotCalculated("the project uses python-semantic-release, which is not installed here", install)
    for specifier in (str(SUPPORTED), *configuration.pins):
        if not SpecifierSet(specifier).contains(version, prereleases=True):
            whose = "this suite" if specifier == str(SUPPORTED) else "the project"
            raise NotCalculated(
                f"python-semantic-release {version} is installed here, but {whose} asks for {specifier}",
                f"install python-semantic-release{specifier} beside this suite"
                if whose == "the project"
                else f"let the project use a version {specifier}, or calculate with its own",
            )
    return version


class NoRelease(Model):
    """The rules never release from this branch."""

    no_release: str
    """Why."""


class Answer(Model):
    """What the tool answers, as `semantic_release_child.calculate` writes it: every key is there."""

    version: str
    last_tag: str | None
    is_new: bool
    commits: tuple[tuple[str, Level | Literal["left out"] | None], ...]
    """Each commit since the last version, with its level; None: it does not follow the convention."""


def read_answer(answer: Mapping[str, Any]) -> Answer | NoRelease:
    """Read an answer, a kept one too. Raises NotCalculated if it is not of that shape."""
    try:
        return convert(answer, NoRelease) if "no_release" in answer else convert(answer, Answer)
    except ValidationError as error:
        raise NotCalculated(f"python-semantic-release answered something else: {describe_invalid(error)}") from None


def list_inputs(
    version: str, branch: str, head: str, tags: Sequence[tuple[str, str]], table: Mapping[str, Any]
) -> object:
    """Return everything that determines the answer, as plain data."""
    config = {key: table[key] for key in _KEYS if key in table}
    return [version, hashlib.sha256(_CHILD.read_bytes()).hexdigest(), branch, head, sorted(tags), config]


def calculate(
    store: Store,
    branch: str,
    head: str,
    tags: Sequence[tuple[str, str]],
    table: Mapping[str, Any],
    cancel: Event | None,
) -> dict[str, Any]:
    """Return the tool's answer for a branch at `head`, as `semantic_release_child.calculate` returns it.

    `tags` are (name, commit) of the history; `store` holds the commits. Raises NotCalculated, and GitFailed.
    """
    with TemporaryDirectory(prefix="release-state-calculation-", ignore_cleanup_errors=True) as folder:
        scratch, given, result = (Path(folder) / name for name in ("scratch.git", "given.json", "result.json"))
        env = _environment(store)
        _repository(store.git, env, scratch, store.path / "objects", branch, head, tags)
        config = {key: table[key] for key in _KEYS if key in table}
        # The tool requires an address and never uses it.
        config["remote"] = {"url": "https://github.com/owner/name.git"}
        try:
            text = json.dumps({"config": config, "user_site": bool(site.ENABLE_USER_SITE)})
        except (TypeError, ValueError):
            raise NotCalculated("the configuration holds values that python-semantic-release does not accept") from None
        given.write_text(text, encoding="utf-8")
        seconds = max(0.1, store.git.left)
        command = [sys.executable, "-I", str(_CHILD), str(given), str(result)]
        done = run_bounded(command, env=env, cwd=scratch, seconds=seconds, cancel=cancel)
        if done.stopped:
            raise NotCalculated(f"python-semantic-release gave no answer within {store.git.seconds:g} s")
        return _answer(result, done.text)


def _answer(result: Path, output: str) -> dict[str, Any]:
    try:
        answer = decode_json(result.read_bytes())
    except (OSError, ValueError):
        last = (output.strip().splitlines() or ["nothing"])[-1]
        raise NotCalculated(f"python-semantic-release stopped early: {last[:300]}") from None
    if not isinstance(answer, dict) or "error" in answer:
        why = " ".join(str(answer.get("error") if isinstance(answer, dict) else answer).split())
        raise NotCalculated(f"python-semantic-release refuses: {why[:300]}", "run it in the project to see more")
    return answer


def _environment(store: Store) -> dict[str, str]:
    env = {name: store.env[name] for name in _KEPT if name in store.env}
    env |= {
        "PATH": os.pathsep.join([str(Path(store.git.program).parent), os.defpath]),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_PYTHON_GIT_EXECUTABLE": store.git.program,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }
    return add_settings(env, [("core.hooksPath", os.devnull), ("gc.auto", "0"), ("maintenance.auto", "false")])


def _repository(
    git: Git, env: Mapping[str, str], path: Path, objects: Path, branch: str, head: str, tags: Sequence[tuple[str, str]]
) -> None:
    create_bare(path, sha256=len(head) == 64)
    (path / "objects" / "info" / "alternates").write_text(f"{quote_alternate(objects)}\n", encoding="utf-8")
    # A name that is not UTF-8 is shown with escapes, which git refuses; no version is spelt so.
    named = [(f"refs/tags/{name}", commit) for name, commit in tags if "\\" not in name]
    refs = [(f"refs/heads/{branch}", head), *named]
    lines = b"".join(os.fsencode(f"create {ref}\0{sha}\0") for ref, sha in refs)
    git.run(f"--git-dir={path}", "update-ref", "--stdin", "-z", cwd=path, env=env, stdin=lines)
    git.run(f"--git-dir={path}", "symbolic-ref", "HEAD", f"refs/heads/{branch}", cwd=path, env=env)
