"""The paths of workflow files, and their YAML as plain data within limits: the files are untrusted.

Only text, numbers, true, false, null, lists and objects come out, whatever tags the file has. As on GitHub, words
such as `on` and `yes` are text (YAML 1.2), a duplicate key in an object is an error, and `<<` merges nothing.
Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import yaml

LARGEST = 512 * 2**10
"""The largest file that is read, in bytes; a usual release workflow has 10 KiB, a generated one 140 or 320."""
_DEEPEST = 40
_MOST_VALUES = 50_000
"""Values, with each use of an alias counted: a few lines of nested aliases can stand for billions."""
_TOO_MANY = f"more than {_MOST_VALUES} values, with each use of an alias counted"

FOLDER = ".github/workflows"


def is_local(uses: str) -> bool:
    """Whether a workflow or action is in the same repository, at the same commit."""
    return uses.startswith(("./", "$/"))


def find_called_path(uses: str) -> str:
    """The path of a local reusable workflow; empty for any other."""
    path = _path(uses)
    return path if path.startswith(f"{FOLDER}/") else ""


def list_action_paths(uses: str) -> tuple[str, ...]:
    """The possible paths of a local action's file; empty for any other action."""
    path = _path(uses)
    return tuple(posixpath.normpath(f"{path}/{name}") for name in ("action.yml", "action.yaml")) if path else ()


def _path(uses: str) -> str:
    """The path inside the repository; empty if it leads out of it."""
    if not is_local(uses):
        return ""
    path = posixpath.normpath(uses[2:] or ".")
    return "" if path.startswith(("..", "/")) or any(ord(char) < 32 for char in path) else path


class NotReadable(Exception):  # noqa: N818 - a statement about the file, not an error of ours
    """GitHub would refuse this YAML; the text says why, with the line if known."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the types of YAML 1.2, a limited depth, and no duplicate keys."""

    # Filled below with the types of YAML 1.2: no date, set or bytes.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute
    yaml_constructors = {  # noqa: RUF012 - as above
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "bool", "int", "float", "str", "seq", "map")
    }
    depth = composed = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One value; the limit comes before Python's own, and that of values before the time that they take."""
        self.depth += 1
        self.composed += 1
        if self.composed > _MOST_VALUES:
            raise NotReadable(_TOO_MANY)
        if self.depth > _DEEPEST:
            raise NotReadable(f"nested deeper than {_DEEPEST}")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """An object; every key is text and unique."""
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise NotReadable(f"line {line}: a key that is not text")
            if key in result:
                raise NotReadable(f"line {line}: duplicate key {key!r:.60}")
            result[key] = self.construct_object(value_node, deep=deep)
        return result


_RESOLVERS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
)
for _tag, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})$"), _first)


def _construct_decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """A whole number: YAML 1.2 has no unmarked octal or sexagesimal numbers."""
    return int(str(loader.construct_scalar(node)))


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_decimal)


@lru_cache(maxsize=64)
def read_yaml(text: str) -> dict[str, Any]:
    """The object that the text holds, the same for each reader, who changes nothing in it. Raises NotReadable."""
    if len(text.encode("utf-8", errors="replace")) > LARGEST:
        raise NotReadable(f"larger than {LARGEST >> 10} KiB")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise NotReadable("empty")
        _count_values(node, {}, set())
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise NotReadable(f"{where}{error.problem or error.context or 'not valid YAML'}") from None
    except yaml.reader.ReaderError as error:
        raise NotReadable(f"the character {error.character!r:.20} is not allowed") from None
    except (yaml.YAMLError, LookupError, ValueError, RecursionError) as error:
        raise NotReadable(f"not valid YAML ({type(error).__name__})") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(data, dict):
        raise NotReadable("not an object at the top")
    return data


def _count_values(node: yaml.Node, counted: dict[yaml.Node, int], above: set[yaml.Node]) -> int:
    """The number of values of a node, with its aliases written out."""
    if node in counted:
        return counted[node]
    if node in above:
        raise NotReadable("an alias inside its own value")
    above.add(node)
    children = list(node.value) if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    total = 1 + sum(_count_values(child, counted, above) for child in children)
    above.remove(node)
    if total > _MOST_VALUES:
        raise NotReadable(_TOO_MANY)
    counted[node] = total
    return total
