"""The public module is a contract: `api.txt` holds its names and signatures, and what its types offer.

A line that is removed or changed there breaks people's own checks: it raises `API_VERSION`. A line can be added.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release_state import api

PROMISED = Path(__file__).with_name("api.txt").read_text(encoding="utf-8").splitlines()


def functions_and_classes() -> Iterator[str]:
    """Every name of the module, functions and exceptions with their signature."""
    yield f"API_VERSION = {api.API_VERSION}"
    for name in sorted(set(api.__all__) - {"API_VERSION"}):
        value = getattr(api, name)
        has_signature = not inspect.isclass(value) or issubclass(value, Exception)
        yield f"{name}{_plain(inspect.signature(value))}" if has_signature else f"class {name}"


def members() -> Iterator[str]:
    """The public fields, properties and methods of the types, also those of their bases in this package."""
    for name in api.__all__:
        value = getattr(api, name)
        for base in value.__mro__ if inspect.isclass(value) else ():
            if base.__module__.startswith("release_state."):
                yield from (f"{name}.{member}: {_plain(of)}" for member, of in inspect.get_annotations(base).items())
                yield from (f"{name}.{member}{_describe(of)}" for member, of in vars(base).items())


def _describe(value: Any) -> str:
    if isinstance(value, (property, functools.cached_property)):
        function: Any = value.fget if isinstance(value, property) else value.func
        return f": {_plain(inspect.signature(function).return_annotation)}"
    return _plain(inspect.signature(value)) if inspect.isfunction(value) else ""


def _plain(annotation: object) -> str:
    return re.sub(r"'([^']+)'", r"\1", str(annotation))


def test_names_and_signatures_are_those_that_are_promised() -> None:
    assert [line for line in PROMISED if not re.match(r"\w+\.", line)] == sorted(functions_and_classes())


def test_types_offer_what_is_promised() -> None:
    offered = {*functions_and_classes(), *members()}
    assert [line for line in PROMISED if line not in offered] == []
    assert sorted(PROMISED) == PROMISED


def test_every_name_has_a_docstring() -> None:
    assert all(inspect.getdoc(getattr(api, name)) for name in api.__all__ if name != "API_VERSION")


def test_a_command_of_a_step_is_a_list() -> None:
    assert api.step("Look", ["git", "log"]).commands == (("git", "log"),)
    for wrong in ("git log", ["git", 1]):
        with pytest.raises(TypeError, match="a command is a list of texts"):
            api.step("Look", wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="steps are made with step"):
        api.ActionNeeded(steps=["look"])  # type: ignore[list-item]
