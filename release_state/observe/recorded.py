"""Snapshot files: attach them to a bug report, or judge them again offline."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any, cast

from msgspec import ValidationError, convert, structs, to_builtins

from release_state.common import disk
from release_state.common.errors import UsageProblem
from release_state.common.strict import OBJECT_NAME, decode_json, describe_invalid, is_sane
from release_state.common.text import sanitize
from release_state.facts.release import Release
from release_state.model.observation import Model, Observation
from release_state.model.outcome import Phase
from release_state.model.plan import Wanted
from release_state.model.snapshot import FORMAT, Snapshot
from release_state.model.target import Target, parse_version
from release_state.plan.diagnosis import choose_phase
from release_state.settings import validate
from release_state.settings.config import TAG_PLACEHOLDERS, RunConfig
from release_state.settings.options import CHANNEL_SETTINGS, OWN_CHECKS, PHASES, PLANS, RUN_OPTIONS, SETTINGS, setting
from release_state.settings.own_checks import OwnChecks
from release_state.settings.reports import find_reports_folder
from release_state.settings.sources import COMMAND_LINE, ENVIRONMENT, Arguments, Value

LARGEST = 256 * 2**20
"""The most bytes of a file."""


def make_document(snapshots: Sequence[Snapshot]) -> dict[str, Any]:
    """Return the content of a file: its format, the snapshots, and a digest over them.

    The digest reveals damage and edits; it is not a signature. A snapshot holds no secret: addresses have no
    credentials, and only the source of the token is recorded.
    """
    content = [to_builtins(snapshot) for snapshot in snapshots]
    return {"release_state_snapshot": FORMAT, "sha256": _digest(content), "snapshots": content}


def save(path: Path, snapshots: Sequence[Snapshot]) -> None:
    """Write a file that `load` reads. Raises OSError."""
    disk.write_atomically(path, json.dumps(make_document(snapshots), indent=1, ensure_ascii=False) + "\n")


def load(path: Path) -> list[Snapshot]:
    """Return the snapshots of a file. Raises UsageProblem for another format, and a truncated or edited file."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageProblem(f"--snapshot {path}: larger than {LARGEST} bytes")
        content = decode_json(path.read_bytes())
    except OSError as error:
        raise UsageProblem(f"--snapshot {path}: {error.strerror}") from None
    except ValueError:
        raise UsageProblem(f"--snapshot {path}: not a whole JSON document; was it truncated?") from None
    if not isinstance(content, dict) or "release_state_snapshot" not in content:
        raise UsageProblem(f"--snapshot {path}: not a snapshot that --save-snapshot wrote")
    if content["release_state_snapshot"] != FORMAT:
        shown = sanitize(repr(content["release_state_snapshot"]), 40)
        raise UsageProblem(f"--snapshot {path}: format {shown}, this version of release-state reads {FORMAT}")
    snapshots = content.get("snapshots")
    if not isinstance(snapshots, list) or not snapshots or content.get("sha256") != _digest(snapshots):
        raise UsageProblem(f"--snapshot {path}: edited or damaged, its digest does not fit; record it again")
    try:
        found = [convert(snapshot, Snapshot) for snapshot in snapshots]
        for snapshot in found:
            check_snapshot(snapshot)
        return found
    except UsageProblem as problem:
        raise UsageProblem(f"--snapshot {path}: {problem}") from None
    except ValidationError as error:
        raise UsageProblem(f"--snapshot {path}: {describe_invalid(error)}") from None


def update_phases(snapshots: Sequence[Snapshot], fixed_phase: Phase | None, wanted: Wanted = "auto") -> list[Snapshot]:
    """Return the snapshots with the phase that applies now: the given one, else the one from their facts."""
    again = []
    for snapshot in snapshots:
        phase, reason = choose_phase(Release(snapshot), wanted)
        if fixed_phase:
            phase, reason = fixed_phase, f"given ({reason})"
        again.append(structs.replace(snapshot, phase=phase.value, phase_reason=reason))
    return again


def name_own_checks(snapshots: Sequence[Snapshot], own: Iterable[OwnChecks]) -> list[Snapshot]:
    """Return the snapshots with the own checks of this run: a printed command never names those that a file names."""
    options = list(dict.fromkeys((OWN_CHECKS, each.option) for each in own))
    again = []
    for snapshot in snapshots:
        kept = (pair for pair in snapshot.target.settings if pair[0] != OWN_CHECKS)
        target = structs.replace(snapshot.target, settings=(*kept, *options))
        again.append(structs.replace(snapshot, target=target))
    return again


def make_config(
    snapshots: Sequence[Snapshot], arguments: Arguments, environ: Mapping[str, str], cwd: Path
) -> RunConfig:
    """Return the configuration of an offline run. Raises UsageProblem for a version or channel not recorded."""
    validate.one_of("--phase", arguments.phase, PHASES)
    validate.one_of("--plan", arguments.plan, PLANS)
    versions = [validate.version(text) for text in arguments.versions]
    targets = [snapshot.target for snapshot in snapshots]
    for version in versions:
        validate.one_of("--version", version, {target.version for target in targets})
    for channel in arguments.channels:
        validate.one_of("--channel", channel, {target.channel.name for target in targets} | {"all"})
    chosen = [
        target
        for target in targets
        if (not versions or target.version in versions)
        and (not arguments.channels or "all" in arguments.channels or target.channel.name in arguments.channels)
    ]
    if not chosen:
        raise UsageProblem("the snapshot holds no such version on such a channel")
    reports = setting("reports-dir")
    text, origin = arguments.settings.get(reports.key), COMMAND_LINE
    if not text:
        text, origin = environ.get(reports.variable), ENVIRONMENT
    first = chosen[0]
    return RunConfig(
        targets=tuple(chosen),
        phase=arguments.phase,
        values={},
        lookup_timeout=1.0,
        install_timeout=1.0,
        reports_dir=find_reports_folder(
            {reports.key: Value(text, origin)} if text else {}, cwd, environ, first.github_web, first.repository
        ),
        clone=None,
        remote_url=first.remote_url,
        channels={channel.name: channel for channel in first.channels},
        install=False,
        block_on_advice=arguments.block_on_advice,
        plan=cast("Wanted", arguments.plan),
    )


def _digest(content: object) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


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
        if field in _HASHES and not OBJECT_NAME.fullmatch(text):
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
    validate.ref_template("tag_template", target.tag_template, TAG_PLACEHOLDERS)
    validate.ref_template("branch_template", target.branch_template, _PLACEHOLDERS)
    validate.text_template("title_template", target.title_template, _PLACEHOLDERS)
    _check_process(target)
    validate.relative_path("changelog", target.changelog)
    validate.http_url("github_api", target.github_api)
    validate.http_url("github_web", target.github_web)
    known = {OWN_CHECKS, *(each.key for each in (*SETTINGS, *RUN_OPTIONS, *CHANNEL_SETTINGS))}
    for key, text in target.settings:
        if key not in known or re.search(r"[\x00-\x1f\x7f]", text):
            raise UsageProblem(f"{validate.shown(key)}: {validate.shown(text)} is not a setting")
    for path in filter(None, (target.clone, target.reports_dir)):
        if not PurePath(path).is_absolute() or "\0" in path:
            raise UsageProblem(f"{validate.shown(path)} is not an absolute path")


def _check_process(target: Target) -> None:
    """What was found out stands in commands and in lines of text."""
    process = target.process
    files = [target.workflow, *process.candidates, *(each.workflow for each in process.publishers)]
    for name in filter(None, files):
        # A file of the repository can have more characters than one that is configured.
        if not re.fullmatch(r"[^-/\x00-\x1f\x7f][^/\x00-\x1f\x7f]*\.ya?ml", name):
            raise UsageProblem(f"workflow {validate.shown(name)} is not the file name of a workflow")
    lines = [
        *process.evidence,
        *(word for pair in process.unsure for word in pair),
        *target.given,
        *(where for _, where in target.origins),
    ]
    lines += [text for each in process.publishers for text in (each.job, each.job_name, each.how)]
    lines += [each.environment or "" for each in process.publishers]
    lines += [each.environment or "" for each in (target.channel, *target.channels)]
    for line in lines:
        if line != sanitize(line):
            raise UsageProblem(f"target: {validate.shown(line)} holds a control character")


def _leaves(value: object, model: str = "", field: str = "") -> Iterator[tuple[str, str, str | datetime]]:
    """Yield every text and time with the model and field that hold it."""
    if isinstance(value, (str, datetime)):
        yield model, field, value
    elif isinstance(value, Model):
        inside = model if isinstance(value, Observation) else type(value).__name__
        for name in value.__struct_fields__:
            yield from _leaves(getattr(value, name), inside, name)
    elif isinstance(value, dict):
        for held in value.values():
            yield from _leaves(held, model, field)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from _leaves(held, model, field)
