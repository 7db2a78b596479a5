"""The waivers of a project: known exceptions in its history, which only an audit reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from release_state.common.errors import UsageProblem
from release_state.common.text import sanitize
from release_state.model.observation import Model
from release_state.settings import validate
from release_state.settings.options import DEFAULT_CHANNEL
from release_state.settings.sources import refuse_unknown

KEY = "waiver"
_TEXTS = ("kind", "version", "found", "reason", "channel")
_LONGEST = 1000


class Waiver(Model):
    """One finding of an audit that the project accepts, with the reason, until a day."""

    channel: str
    kind: str
    """ID of the kind of disagreement."""
    version: str
    """Normalized by PEP 440."""
    found: str
    """The finding's own words; another finding is not waived."""
    reason: str
    until: date
    """The last day (UTC) on which it counts."""


def read_waivers(table: Mapping[str, Any], origin: str, channels: Sequence[str]) -> tuple[Waiver, ...]:
    """The waivers in a table of settings. Raises UsageProblem with one line on anything wrong, missing or unknown."""
    listed = table.get(KEY, [])
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise UsageProblem(f"{origin}: {KEY} is no list of tables: begin each with [[tool.release-state.{KEY}]]")
    found: dict[tuple[str, ...], Waiver] = {}
    for number, entry in enumerate(listed, 1):
        where = f"{origin}: {KEY} {number}"
        waiver = _read(entry, where, channels)
        key = (waiver.channel, waiver.kind, waiver.version, waiver.found)
        if key in found:
            raise UsageProblem(f"{where} repeats another one: {waiver.kind} of {waiver.version}")
        found[key] = waiver
    return tuple(found.values())


def _read(entry: Mapping[str, Any], where: str, channels: Sequence[str]) -> Waiver:
    refuse_unknown(entry, (*_TEXTS, "until"), where)
    texts = {"channel": DEFAULT_CHANNEL, **{key: entry[key] for key in _TEXTS if key in entry}}
    for key in _TEXTS:
        text = texts.get(key)
        if text is None:
            raise UsageProblem(f"{where} has no {key}")
        if not isinstance(text, str) or not text.strip() or sanitize(text, _LONGEST) != text:
            raise UsageProblem(f"{where}: {key} is not a text of one line, with 1 to {_LONGEST} characters")
    until = entry.get("until")
    if not isinstance(until, date) or isinstance(until, datetime):
        raise UsageProblem(f"{where}: until is not a date like 2027-01-31, without quotes")
    validate.one_of(f"{where}: channel", texts["channel"], channels)
    try:
        version = validate.version(texts["version"])
    except UsageProblem:
        raise UsageProblem(f"{where}: version {validate.shown(texts['version'])} is not one PEP 440 version") from None
    return Waiver(**{**texts, "version": version}, until=until)
