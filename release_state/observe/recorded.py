"""Snapshot files: attach them to a bug report, or judge them again offline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from release_state.common import disk
from release_state.common.errors import UsageProblem
from release_state.common.strict import decode_json
from release_state.common.text import sanitize
from release_state.facts.release import Release
from release_state.model.outcome import Phase
from release_state.model.plan import Wanted
from release_state.model.snapshot import FORMAT, Snapshot
from release_state.observe import recorded_limits as foreign
from release_state.plan.diagnosis import choose_phase
from release_state.settings import validate
from release_state.settings.config import RunConfig
from release_state.settings.options import PHASES, PLANS, setting
from release_state.settings.sources import COMMAND_LINE, ENVIRONMENT, Arguments, Value, reports_folder

LARGEST = 256 * 2**20
"""The most bytes of a file."""


def make_document(snapshots: Sequence[Snapshot]) -> dict[str, Any]:
    """Return the content of a file: its format, the snapshots, and a digest over them.

    The digest reveals damage and edits; it is not a signature. A snapshot holds no secret: addresses have no
    credentials, and only the source of the token is recorded.
    """
    content = [snapshot.model_dump(mode="json") for snapshot in snapshots]
    return {"release_state_snapshot": FORMAT, "sha256": _digest(content), "snapshots": content}


def save(path: Path, snapshots: Sequence[Snapshot]) -> None:
    """Write a file that `load` reads. Raises OSError."""
    disk.write_atomically(path, json.dumps(make_document(snapshots), indent=1, ensure_ascii=False) + "\n")


def load(path: Path) -> list[Snapshot]:
    """Return the snapshots of a file.

    Raises UsageProblem if it cannot be read, has another format, or was truncated or edited.
    """
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
        found = [Snapshot.model_validate(snapshot) for snapshot in snapshots]
        for snapshot in found:
            foreign.check_snapshot(snapshot)
        return found
    except UsageProblem as problem:
        raise UsageProblem(f"--snapshot {path}: {problem}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageProblem(f"--snapshot {path}: {sanitize(where, 80)}: {first['msg']}") from None


def update_phases(snapshots: Sequence[Snapshot], fixed_phase: Phase | None, wanted: Wanted = "auto") -> list[Snapshot]:
    """Return the snapshots with the phase that applies now: the given one, else the one from their facts."""
    again = []
    for snapshot in snapshots:
        phase, reason = choose_phase(Release(snapshot), wanted)
        if fixed_phase:
            phase, reason = fixed_phase, f"given ({reason})"
        again.append(snapshot.model_copy(update={"phase": phase.value, "phase_reason": reason}))
    return again


def make_config(
    snapshots: Sequence[Snapshot], arguments: Arguments, environ: Mapping[str, str], cwd: Path
) -> RunConfig:
    """Return the configuration of a run on recorded snapshots, which contacts and installs nothing.

    Raises UsageProblem for a version or channel that was not recorded.
    """
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
    folder = Value(reports.default or "reports", "default")
    for text, origin in (
        (environ.get(reports.variable), ENVIRONMENT),
        (arguments.settings.get(reports.key), COMMAND_LINE),
    ):
        folder = Value(text, origin) if text else folder
    first = chosen[0]
    return RunConfig(
        targets=tuple(chosen),
        phase=arguments.phase,
        values={},
        lookup_timeout=1.0,
        install_timeout=1.0,
        reports_dir=reports_folder(folder, cwd),
        clone=None,
        remote_url=first.remote_url,
        channels={channel.name: channel for channel in first.channels},
        install=False,
        block_on_advice=arguments.block_on_advice,
        plan=cast("Wanted", arguments.plan),
    )


def make_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file (draft 2020-12)."""
    snapshot = Snapshot.model_json_schema(mode="serialization")
    definitions = snapshot.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "release-state snapshot file",
        "type": "object",
        "required": ["release_state_snapshot", "sha256", "snapshots"],
        "additionalProperties": False,
        "properties": {
            "release_state_snapshot": {"const": FORMAT},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "snapshots": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Snapshot"}},
        },
        "$defs": {**definitions, "Snapshot": snapshot},
    }


def _digest(content: object) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
