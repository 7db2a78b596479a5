"""Read a workflow file, or that of a composite action, into its parts (pure).

Values of an undocumented form are left out or read as text: GitHub and actionlint judge the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from release_state.facts.workflow.document import read_yaml
from release_state.facts.workflow.model import (
    Concurrency,
    Input,
    JobStep,
    Permissions,
    Workflow,
    WorkflowJob,
    find_expressions,
)


@lru_cache(maxsize=64)
def parse_workflow(text: str) -> Workflow:
    """Parse a workflow or a composite action. Raises NotReadable if it is not YAML within the limits."""
    data = read_yaml(text)
    events = _object(data.get("on"))
    triggers = [data["on"]] if isinstance(data.get("on"), str) else data.get("on")
    names = _list_texts(triggers) if isinstance(triggers, list) else tuple(events)
    inputs = _object(_object(events.get("workflow_dispatch")).get("inputs"))
    push = _object(events.get("push"))
    by_tag = {"release", *(["push"] if "tags" in push and "branches" not in push else [])}
    return Workflow(
        triggers=names,
        by_tag=bool(names) and by_tag.issuperset(names),
        inputs=tuple(_parse_input(name, _object(block)) for name, block in inputs.items()),
        permissions=_parse_permissions(data),
        concurrency=_parse_concurrency(data),
        env=_texts(data.get("env")),
        jobs=tuple(_parse_job(name, _object(block)) for name, block in _object(data.get("jobs")).items()),
        steps=_parse_steps(_object(data.get("runs"))),
    )


def _parse_job(name: str, block: Mapping[str, Any]) -> WorkflowJob:
    needs = block.get("needs")
    return WorkflowJob(
        id=name,
        name=_text(block.get("name")),
        uses=_text(block.get("uses")),
        inputs=_texts(block.get("with")),
        secrets=_texts(block.get("secrets")),
        permissions=_parse_permissions(block),
        minutes=_text(block.get("timeout-minutes")),
        concurrency=_parse_concurrency(block),
        needs=_list_texts(needs) or tuple(filter(None, [_text(needs)])),
        env=_texts(block.get("env")),
        condition=_text(block.get("if")),
        may_fail=_may_fail(block),
        runs_on=_text(block.get("runs-on")),
        runners=_list_runners(_text(block.get("runs-on")), _object(_object(block.get("strategy")).get("matrix"))),
        has_matrix=_has_several(_object(block.get("strategy")).get("matrix")),
        environment=_text(block.get("environment")) or _text(_object(block.get("environment")).get("name")),
        steps=_parse_steps(block),
    )


def _has_several(matrix: object) -> bool:
    """Whether a matrix may make more than one job; an expression may."""
    if not isinstance(matrix, dict):
        return bool(matrix)
    axes = [values for name, values in matrix.items() if name != "exclude"]
    is_added_to = "include" in matrix and len(axes) > 1
    return is_added_to or not all(isinstance(values, list) and len(values) == 1 for values in axes)


def _list_runners(runs_on: str, matrix: Mapping[str, Any]) -> tuple[str, ...]:
    expressions = find_expressions(runs_on)
    if not expressions:
        return (runs_on,) if runs_on else ()
    _, dot, axis = expressions[0].partition("matrix.")
    if not dot or len(expressions) > 1 or not runs_on.startswith("${{") or not runs_on.endswith("}}"):
        return ()
    included = matrix.get("include")
    extra = [_text(_object(each).get(axis)) for each in (included if isinstance(included, list) else [])]
    return tuple(dict.fromkeys(filter(None, (*_list_texts(matrix.get(axis)), *extra))))


def _parse_steps(block: Mapping[str, Any]) -> tuple[JobStep, ...]:
    steps = block.get("steps")
    return tuple(
        JobStep(
            number=number,
            name=_text(step.get("name")),
            uses=_text(step.get("uses")).strip(),
            run=_text(step.get("run")),
            shell=_text(step.get("shell")),
            inputs=_texts(step.get("with")),
            env=_texts(step.get("env")),
            condition=_text(step.get("if")),
            may_fail=_may_fail(step),
            folder=_text(step.get("working-directory")),
        )
        for number, step in enumerate(map(_object, steps if isinstance(steps, list) else []), 1)
    )


def _parse_input(name: str, block: Mapping[str, Any]) -> Input:
    is_asked = _text(block.get("required")) == "true" and "default" not in block and block.get("type") != "boolean"
    return Input(name, _list_options(block), is_asked)


def _list_options(block: Mapping[str, Any]) -> tuple[str, ...]:
    return ("true", "false") if block.get("type") == "boolean" else _list_texts(block.get("options"))


def _may_fail(block: Mapping[str, Any]) -> bool:
    return _text(block.get("continue-on-error")) not in ("", "false")


def _parse_permissions(block: Mapping[str, Any]) -> Permissions | None:
    if "permissions" not in block:
        return None
    value = block["permissions"]
    if value in ("write-all", "read-all"):
        return Permissions(other=str(value).removesuffix("-all"))
    return Permissions(_texts(value))


def _parse_concurrency(block: Mapping[str, Any]) -> Concurrency | None:
    value = block.get("concurrency")
    fields = _object(value)
    group = _text(fields.get("group")) if fields else _text(value)
    return Concurrency(group, _text(fields.get("cancel-in-progress")) or "false") if group else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list_texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _texts(value: object) -> dict[str, str]:
    return {str(name): _text(text) for name, text in _object(value).items()}


def _text(value: object) -> str:
    """A scalar about as the file spells it; empty for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else ""
