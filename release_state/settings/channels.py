"""The channels of a project: their indexes, the traces that a release leaves on each, and the status pages."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct

from release_state.common.errors import UsageProblem
from release_state.model.target import Channel
from release_state.settings import validate
from release_state.settings.options import CHANNEL_SETTINGS, ChannelSetting
from release_state.settings.sources import COMMAND_LINE, ENVIRONMENT, Arguments, Value

TRACES = ("tag", "release", "pull-request")
GITHUB_API, GITHUB_WEB = "https://api.github.com", "https://github.com"


class DefinedChannels(Struct, frozen=True):
    """The project's channels, and what somebody gave of them."""

    channels: tuple[Channel, ...]
    values: Mapping[tuple[str, str], Value]
    """By name and key, with its origin; keys that have their default are missing."""


def defined_channels(
    table: Mapping[str, Any], origin: str, arguments: Arguments, environ: Mapping[str, str]
) -> DefinedChannels:
    """The project's channels: PyPI and TestPyPI, as its configuration changes them, and those it adds.

    TestPyPI's host is PyPI's with `test.` before it. Raises UsageProblem on anything unknown or of the wrong type.
    """
    index = pypi()
    test_index = index.replace("://", "://test.")
    defined: dict[str, dict[str, Any]] = {
        "pypi": {"index-url": index, "leaves": list(TRACES)},
        "testpypi": {"index-url": test_index, "leaves": []},
    }
    values: dict[tuple[str, str], Value] = {}
    more = table.get("channels", {})
    if not isinstance(more, dict):
        raise UsageProblem(f"{origin}: channels is not a table")
    for name, keys in more.items():
        validate.channel_name(name)
        if not isinstance(keys, dict):
            raise UsageProblem(f"{origin}: channels.{name} is not a table")
        for key, given in keys.items():
            if key not in (known := [each.key for each in CHANNEL_SETTINGS]):
                near = validate.nearest(key, known)
                raise UsageProblem(f"{origin}: channels.{name}.{validate.shown(key)} is not known{near}")
            values[name, key] = Value(",".join(map(str, given)) if isinstance(given, list) else str(given), origin)
        defined[name] = {**defined.get(name, {}), **keys}
    for name in _find_new_names(arguments, defined):
        defined[validate.channel_name(name)] = {}
    for each in CHANNEL_SETTINGS:
        for name, value in _given(each, arguments, environ, defined).items():
            values[name, each.key] = value
            text = value.text
            defined[name][each.key] = list(validate.words(each.option, text, TRACES)) if each.key == "leaves" else text
    # A rehearsal on TestPyPI installs its dependencies from the pypi channel, wherever that points.
    defined["testpypi"].setdefault("dependencies-index-url", defined["pypi"]["index-url"])
    public = (index, test_index)
    return DefinedChannels(tuple(_channel(name, keys, public, origin) for name, keys in defined.items()), values)


def _find_new_names(arguments: Arguments, known: Collection[str]) -> list[str]:
    """The channels that the command line alone defines, by their index: none unless it chooses one of them.

    A run of a project list prints its commands so, with all of its channels: they do not find that list again.
    """
    given = (text.partition("=") for text in arguments.index_urls)
    new = list(dict.fromkeys(name for name, is_given, _ in given if is_given and name not in known))
    if set(new).isdisjoint(arguments.channels):
        return []
    return [name for name in new if name in arguments.channels or not validate.nearest(name, known)]


def _given(
    setting: ChannelSetting, arguments: Arguments, environ: Mapping[str, str], names: Collection[str]
) -> dict[str, Value]:
    """The values of a channel's key that the user gave, by channel: the command line before the environment."""
    typed = {
        "index-url": arguments.index_urls,
        "leaves": arguments.leaves,
        "environment": arguments.environments,
        "dependencies-index-url": arguments.dependencies_index_urls,
    }
    variables = {name: setting.variable(name) for name in names}
    found = {
        name: Value(environ[variable], f"{ENVIRONMENT}{variable}")
        for name, variable in variables.items()
        if variable in environ
    }
    for text in typed[setting.key]:
        name, is_given, value = text.partition("=")
        if not is_given:
            raise UsageProblem(f"{setting.option} {validate.shown(text)} is not of the form {setting.metavar}")
        validate.one_of(setting.option, name, names)
        found[name] = Value(value, COMMAND_LINE)
    return found


@cache
def pypi() -> str:
    """The root of PyPI's Simple API, as pypi-simple names it."""
    # Read from its source: importing it takes 0.3 s of CPU time, before the first request.
    spec = find_spec("pypi_simple")
    source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    if found := re.search(r'^PYPI_SIMPLE_ENDPOINT\b.*= "(\S+)"$', source, re.MULTILINE):
        return found[1]
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return PYPI_SIMPLE_ENDPOINT


def _channel(name: str, keys: Mapping[str, Any], public: Sequence[str], origin: str) -> Channel:
    where = f"channels.{name}"
    if "index-url" not in keys:
        raise UsageProblem(f"{origin}: {where} has no index-url")
    for key in ("index-url", "environment", "dependencies-index-url"):
        if not isinstance(keys.get(key, ""), str):
            raise UsageProblem(f"{origin}: {where}.{key} is {type(keys[key]).__name__}, expected a text")
    url = validate.http_url(f"{where}.index-url", keys["index-url"])
    dependencies = keys.get("dependencies-index-url")
    if dependencies is not None:
        validate.http_url(f"{where}.dependencies-index-url", dependencies)
    environment = keys.get("environment")
    if environment is not None:
        validate.environment(f"{where}.environment", environment)
    leaves = keys.get("leaves", [])
    if not isinstance(leaves, list):
        raise UsageProblem(f"{origin}: {where}.leaves is not a list")
    for word in leaves:
        validate.one_of(f"{where}.leaves", str(word), TRACES)
    return Channel(
        name=name,
        index_url=url,
        leaves=tuple(leaves),
        environment=environment,
        dependencies_index_url=dependencies,
        is_public_index=url.rstrip("/") in [address.rstrip("/") for address in public],
    )


def status_pages(api: str, channels: Sequence[Channel]) -> dict[str, str]:
    """The status pages of GitHub and of the channels' indexes, by setting; empty for a private service."""
    public = any(channel.is_public_index for channel in channels)
    return {
        "github-status-url": "https://www.githubstatus.com" if api == GITHUB_API else "",
        "index-status-url": "https://status.python.org" if public else "",
    }
