"""A workflow file as its keys say: triggers, permissions, concurrency, jobs and steps.

What is not of the documented form is left out or taken as text; judging the form is GitHub's and actionlint's.
Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from release_state.facts.workflow.document import read_yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

DEFAULT_MINUTES = 360
"""GitHub's limit of a job that names none."""


@dataclass(frozen=True)
class Permissions:
    """A `permissions` block; what it does not name is `other`."""

    levels: Mapping[str, str] = field(default_factory=dict)
    other: str = "none"

    def of(self, right: str) -> str:
        """The level: "none", "read" or "write"; `read-all` is none of `id-token`, which nobody reads."""
        level = self.levels.get(right, self.other)
        return "none" if right == "id-token" and level == "read" else level


@dataclass(frozen=True)
class Concurrency:
    """A `concurrency` block; `cancels` is the text of `cancel-in-progress`."""

    group: str
    cancels: str = "false"


@dataclass(frozen=True)
class Input:
    """An input of `workflow_dispatch`."""

    name: str
    type: str = "string"
    options: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True)
class JobStep:
    """One step: `uses` or `run`."""

    number: int
    name: str = ""
    uses: str = ""
    run: str = ""
    shell: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """Its `with`."""
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    may_fail: bool = False

    @property
    def label(self) -> str:
        """How a person finds it."""
        return f"step “{self.name}”" if self.name else f"step {self.number}"


@dataclass(frozen=True)
class WorkflowJob:
    """One job: its steps, or the reusable workflow that it `uses`."""

    id: str
    name: str = ""
    uses: str = ""
    permissions: Permissions | None = None
    """None: it has no block of its own."""
    minutes: str = ""
    """The text of `timeout-minutes`; empty: it has none."""
    concurrency: Concurrency | None = None
    needs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    may_fail: bool = False
    steps: tuple[JobStep, ...] = ()

    @property
    def limit(self) -> int | None:
        """Minutes; None where an expression decides. A reusable workflow's jobs have limits of their own."""
        if not self.minutes:
            return DEFAULT_MINUTES
        try:
            return max(1, int(float(self.minutes)))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Workflow:
    """One workflow file, or the steps of a composite action."""

    triggers: tuple[str, ...] = ()
    by_tag: bool = False
    """Whether nothing but a tag that is pushed, or a GitHub Release, starts it: its checkout then has that tag."""
    inputs: tuple[Input, ...] = ()
    permissions: Permissions | None = None
    concurrency: Concurrency | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    jobs: tuple[WorkflowJob, ...] = ()
    steps: tuple[JobStep, ...] = ()
    """Of a composite action."""


@lru_cache(maxsize=64)
def parse_workflow(text: str) -> Workflow:
    """The workflow (or composite action) that the text holds.

    Raises NotReadable where it is no YAML within the limits.
    """
    data = read_yaml(text)
    triggers = data.get("on")
    events = _object(triggers)
    names = tuple(events) or tuple(map(_text, triggers)) if isinstance(triggers, list) else tuple(events)
    if isinstance(triggers, str):
        names = (triggers,)
    dispatch = _object(events.get("workflow_dispatch"))
    return Workflow(
        triggers=names,
        by_tag=bool(names) and all(name == "release" or _is_of_tags(events, name) for name in names),
        inputs=tuple(_input(name, _object(given)) for name, given in _object(dispatch.get("inputs")).items()),
        permissions=_permissions(data),
        concurrency=_concurrency(data),
        env=_texts(data.get("env")),
        jobs=tuple(_job(name, _object(given)) for name, given in _object(data.get("jobs")).items()),
        steps=_steps(_object(data.get("runs"))),
    )


def find_expressions(text: str) -> list[str]:
    """What stands inside `${{ }}`."""
    return [found.strip() for found in _EXPRESSION.findall(text)]


def _is_of_tags(events: Mapping[str, Any], name: str) -> bool:
    push = _object(events.get(name))
    return name == "push" and "tags" in push and "branches" not in push


def _job(name: str, given: Mapping[str, Any]) -> WorkflowJob:
    needs = given.get("needs")
    return WorkflowJob(
        id=name,
        name=_text(given.get("name")),
        uses=_text(given.get("uses")),
        permissions=_permissions(given),
        minutes=_text(given.get("timeout-minutes")),
        concurrency=_concurrency(given),
        needs=tuple(map(_text, needs)) if isinstance(needs, list) else tuple(filter(None, [_text(needs)])),
        env=_texts(given.get("env")),
        condition=_text(given.get("if")),
        may_fail=_may_fail(given),
        steps=_steps(given),
    )


def _steps(given: Mapping[str, Any]) -> tuple[JobStep, ...]:
    listed = given.get("steps")
    found = []
    for number, item in enumerate(listed if isinstance(listed, list) else [], 1):
        step = _object(item)
        found.append(
            JobStep(
                number=number,
                name=_text(step.get("name")),
                uses=_text(step.get("uses")).strip(),
                run=_text(step.get("run")),
                shell=_text(step.get("shell")),
                given=_texts(step.get("with")),
                env=_texts(step.get("env")),
                condition=_text(step.get("if")),
                may_fail=_may_fail(step),
            )
        )
    return tuple(found)


def _may_fail(given: Mapping[str, Any]) -> bool:
    return _text(given.get("continue-on-error")) not in ("", "false")


def _permissions(given: Mapping[str, Any]) -> Permissions | None:
    if "permissions" not in given:
        return None
    value = given["permissions"]
    if value in ("write-all", "read-all"):
        return Permissions(other=str(value).removesuffix("-all"))
    return Permissions(_texts(value))


def _concurrency(given: Mapping[str, Any]) -> Concurrency | None:
    value = given.get("concurrency")
    block = _object(value)
    group = _text(block.get("group")) if block else _text(value)
    return Concurrency(group, _text(block.get("cancel-in-progress")) or "false") if group else None


def _input(name: str, given: Mapping[str, Any]) -> Input:
    options = given.get("options")
    return Input(
        name=name,
        type=_text(given.get("type")) or "string",
        options=tuple(map(_text, options)) if isinstance(options, list) else (),
        default=None if given.get("default") is None else _text(given["default"]),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> dict[str, str]:
    return {str(name): _text(text) for name, text in _object(value).items()}


def _text(value: object) -> str:
    """A scalar as the file spells it, near enough; empty for nothing and for what is no scalar."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else ""


FOLDER = ".github/workflows"


def is_local(uses: str) -> bool:
    """Whether it is of the same repository, at the same commit."""
    return uses.startswith(("./", "$/"))


def find_called_path(uses: str) -> str:
    """The path of a reusable workflow of the same repository; empty for any other."""
    path = _path(uses)
    return path if path.startswith(f"{FOLDER}/") else ""


def list_action_paths(uses: str) -> tuple[str, ...]:
    """Where the file of an action of the same repository can be; nothing for any other."""
    path = _path(uses)
    return tuple(posixpath.normpath(f"{path}/{name}") for name in ("action.yml", "action.yaml")) if path else ()


def _path(uses: str) -> str:
    """The path in the repository; empty where it leads elsewhere, or out of it."""
    if not is_local(uses):
        return ""
    path = posixpath.normpath(uses[2:] or ".")
    return "" if path.startswith(("..", "/")) or any(ord(char) < 32 for char in path) else path
