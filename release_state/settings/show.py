"""What `--show-config` prints: each setting and its origin, without secrets."""

from __future__ import annotations

from collections.abc import Mapping

from release_state.common.addresses import strip_credentials
from release_state.model.target import Channel
from release_state.settings import validate
from release_state.settings.config import PLACEHOLDER, RunConfig
from release_state.settings.options import SETTINGS
from release_state.settings.sources import Value

_FOUND_OUT, _FROM_FILES = Value("", "found out from the repository"), Value("", "found out from earlier versions")


def show(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines of `--show-config`: each value and its origin, without secrets."""
    rows = [(key, _shown(key, value)) for key, value in config.values.items()]
    if "reports-dir" not in config.values:
        rows.append(("reports-dir", Value(str(config.reports_dir), "default")))
    target = config.targets[0]
    for each in target.channels:
        rows += [(f"channels.{each.name}.{key}", value) for key, value in _channel_rows(each, config.channel_values)]
    versions = config.audit or ", ".join(dict.fromkeys(t.version for t in config.targets))
    rows += [
        ("repo", Value(target.clone, "clone") if target.clone else Value("", "no clone is looked at")),
        ("version", Value(versions, "command line") if versions != PLACEHOLDER else Value("", "not given")),
        ("phase", Value(config.phase, "command line" if config.phase != "auto" else "default")),
        ("token", Value("yes" if token_source else "no", token_source or "none found")),
    ]
    rows += [("checks", value) for value in config.own_checks.values()]
    if config.waivers:
        rows.append(("waivers", Value(str(len(config.waivers)), "[[tool.release-state.waiver]]")))
    return [
        f"{key} = {'...' if value in (_FOUND_OUT, _FROM_FILES) else validate.shown(value.text)}  # {value.origin}"
        for key, value in sorted(rows, key=lambda row: row[0])
    ]


def _shown(key: str, value: Value) -> Value:
    """A setting without secrets; one that nobody gave and that a run finds out says so."""
    is_found = any(setting.key == key and setting.is_found for setting in SETTINGS)
    if not is_found or value.origin != "default":
        return _without_secrets(value)
    return _FROM_FILES if key == "expected-files" else _FOUND_OUT


def _without_secrets(value: Value) -> Value:
    return Value(strip_credentials(value.text), value.origin)


def _channel_rows(channel: Channel, given: Mapping[tuple[str, str], Value]) -> list[tuple[str, Value]]:
    """The keys of a channel with their values and origins."""
    known = {
        "index-url": channel.index_url,
        "leaves": ",".join(channel.leaves),
        "dependencies-index-url": channel.dependencies_index_url,
    }
    rows = []
    for key, text in known.items():
        value = given.get((channel.name, key))
        if value is not None:
            rows.append((key, _without_secrets(value)))
        elif key == "leaves" and channel.leaves:
            rows.append((key, _FOUND_OUT))
        elif text is not None:
            rows.append((key, Value(text, "default")))
    return rows
