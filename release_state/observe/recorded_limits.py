"""Refuse recorded snapshots with malformed values: anybody may write one, and commands and links quote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath

from pydantic import BaseModel

from release_state.common.errors import UsageProblem
from release_state.common.strict import is_sane
from release_state.model.observation import Observation
from release_state.model.snapshot import Snapshot
from release_state.model.target import Target, parse_version
from release_state.settings import validate
from release_state.settings.options import RUN_OPTIONS, SETTINGS

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HASHES = {
    *("sha", "object", "commit", "head", "head_sha", "base_head", "merge_commit", "provenance_commit", "nearest"),
    *("ancestors", "missing", "before"),
}
_BRANCHES = {"head_branch", "base_branch", "default_branch", "tag"}
"""Names that stand alone in commands; those of a `Branch` follow `refs/heads/`."""
_REFS = {"Branch", "Tag"}
"""Models whose `name` is the name of a ref."""
_VERSIONS = {"version", "listed_without_files"}
_PLACEHOLDERS = ("version", "semver", "channel", "package")


def check_snapshot(snapshot: Snapshot) -> None:
    """Raise UsageProblem, in one line, unless every name, hash and address is well-formed."""
    _check_target(snapshot.target)
    for model, field, text in _leaves(snapshot):
        if isinstance(text, datetime):
            if not is_sane(text):
                raise UsageProblem(f"{model}.{field} {text.isoformat()} is not a plausible time")
            continue
        if field in _HASHES and not _HASH.fullmatch(text):
            raise UsageProblem(f"{model}.{field} {validate.shown(text)} is not a git hash")
        if field in _VERSIONS and parse_version(text) is None:
            raise UsageProblem(f"{model}.{field} {validate.shown(text)} is not a PEP 440 version")
        if field.endswith("url") and field != "remote_url" and model != "Remote" and text:
            validate.link(f"{model}.{field}", text)
        if field == "ref" and not text.startswith("refs/"):
            raise UsageProblem(f"{model}.ref {validate.shown(text)} is not a git ref")
        named = field in _BRANCHES or (field == "name" and model in _REFS)
        if (named and re.search(r"[\x00-\x20\x7f]", text)) or (field in _BRANCHES and text.startswith("-")):
            raise UsageProblem(f"{model}.{field} {validate.shown(text)} is not a name that git allows")


def _check_target(target: Target) -> None:
    validate.package(target.package)
    validate.repository(target.repository)
    if validate.version(target.version) != target.version:
        raise UsageProblem(f"version {validate.shown(target.version)} is not in its normal form")
    for channel in (target.channel, *target.channels):
        validate.channel_name(channel.name)
        validate.http_url("index_url", channel.index_url)
    validate.ref_name("remote", target.remote)
    validate.git_url("remote_url", target.remote_url)
    validate.ref_template("tag_template", target.tag_template, ("version", "semver", "package"))
    validate.ref_template("branch_template", target.branch_template, _PLACEHOLDERS)
    validate.text_template("title_template", target.title_template, _PLACEHOLDERS)
    validate.workflow_file("workflow", target.workflow)
    validate.relative_path("changelog", target.changelog)
    validate.http_url("github_api", target.github_api)
    validate.http_url("github_web", target.github_web)
    known = {each.key for each in (*SETTINGS, *RUN_OPTIONS)} | {"index-url"}
    for key, text in target.settings:
        if key not in known or re.search(r"[\x00-\x1f\x7f]", text):
            raise UsageProblem(f"{validate.shown(key)}: {validate.shown(text)} is not a setting")
    for path in filter(None, (target.clone, target.reports_dir)):
        if not PurePath(path).is_absolute() or "\0" in path:
            raise UsageProblem(f"{validate.shown(path)} is not an absolute path")


def _leaves(value: object, model: str = "", field: str = "") -> Iterator[tuple[str, str, str | datetime]]:
    """Yield every text and time with the model and field that hold it."""
    if isinstance(value, (str, datetime)):
        yield model, field, value
    elif isinstance(value, BaseModel):
        inside = model if isinstance(value, Observation) else type(value).__name__
        for name, held in value:
            yield from _leaves(held, inside, name)
    elif isinstance(value, dict):
        for held in value.values():
            yield from _leaves(held, model, field)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from _leaves(held, model, field)
