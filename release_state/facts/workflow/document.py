"""The YAML of a workflow file as plain data, within limits: the file is a stranger's.

Only text, numbers, true, false, null, lists and objects come out, whatever the tags of the file say. As for GitHub,
words such as `on` and `yes` are text (YAML 1.2), a key must not stand twice in one object, and `<<` merges nothing.
Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

LARGEST = 64 * 2**10
"""Bytes of a file that is read; release workflows have some 10 KiB."""
_DEEPEST = 40
_MOST_VALUES = 50_000
"""Values, an alias counted as often as it is used: what a few lines of nested aliases stand for has no end."""


class NotReadable(Exception):  # noqa: N818 - a statement about the file, not an error of ours
    """The text is no YAML that GitHub would take; says why, with the line where that is known."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the booleans of YAML 1.2, its depth limited, and without keys that stand twice."""

    # Emptied: filled below with what YAML 1.2 knows, and no date, set or bytes.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute
    yaml_constructors = {  # noqa: RUF012 - as above
        tag: made
        for tag, made in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "bool", "int", "float", "str", "seq", "map")
    }
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One value; the limit ends what would end in Python's own."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotReadable(f"nested deeper than {_DEEPEST}")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """An object; every key is text and stands once."""
        found: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise NotReadable(f"line {line}: a key that is no text")
            if key in found:
                raise NotReadable(f"line {line}: the key {key!r:.60} stands twice in one object")
            found[key] = self.construct_object(value_node, deep=deep)
        return found


_RESOLVERS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
)
for _tag, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})$"), _first)


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """YAML 1.2 knows no octal and no sexagesimal numbers without a mark."""
    return int(str(loader.construct_scalar(node)))


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def read_yaml(text: str) -> dict[str, Any]:
    """The object that the text holds.

    Raises NotReadable.
    """
    if len(text.encode("utf-8", errors="replace")) > LARGEST:
        raise NotReadable(f"larger than {LARGEST >> 10} KiB")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise NotReadable("empty")
        _count(node, {}, set())
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise NotReadable(f"{where}{error.problem or error.context or 'no valid YAML'}") from None
    except yaml.reader.ReaderError as error:
        raise NotReadable(f"the character {error.character!r:.20} is not allowed") from None
    except (yaml.YAMLError, LookupError, ValueError, RecursionError) as error:
        raise NotReadable(f"no valid YAML ({type(error).__name__})") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(data, dict):
        raise NotReadable("no object at its top")
    return data


def _count(node: yaml.Node, counted: dict[yaml.Node, int], above: set[yaml.Node]) -> int:
    """How many values the node stands for with its aliases written out."""
    if node in counted:
        return counted[node]
    if node in above:
        raise NotReadable("an alias leads back to what holds it")
    above.add(node)
    total = 1
    if isinstance(node, yaml.MappingNode):
        total += sum(_count(key, counted, above) + _count(value, counted, above) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        total += sum(_count(item, counted, above) for item in node.value)
    above.remove(node)
    if total > _MOST_VALUES:
        raise NotReadable(f"more than {_MOST_VALUES} values, aliases counted as often as they are used")
    counted[node] = total
    return total
