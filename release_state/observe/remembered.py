"""Answers to questions that have but one, kept in the cache: what was worked out from the same facts is not again."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_MOST = 200
"""Answers that are kept; the oldest go first."""


def remember(folder: Path, question: object, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer to a question (plain data), asked for where it is not in the folder yet.

    Best effort: a folder that cannot be written to, or a file that cannot be read, only costs the time to ask.
    """
    digest = hashlib.sha256(json.dumps(question, sort_keys=True, default=str).encode()).hexdigest()
    path = folder / f"{digest}.json"
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    answer = ask()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for old in kept[: -_MOST + 1] if len(kept) >= _MOST else []:
            old.unlink(missing_ok=True)
        # Whole or not at all, and nobody else's half.
        part = folder / f"{digest}.{uuid.uuid4().hex}.part"
        part.write_text(json.dumps(answer), encoding="utf-8")
        part.replace(path)
    return answer
