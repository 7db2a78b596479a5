"""What changed since the last run of the same version and channel."""

from __future__ import annotations

from html import escape

from release_state.changes import Changes
from release_state.report.page.parts import moment, text


def changes_block(changes: Changes) -> str:
    """The verdict then, and each thing that came, went or is still missing."""
    lists = {"Mended": changes.mended, "New": changes.arisen, "Still not right": changes.remaining}
    lines = [text(words) for words in changes.traces]
    lines += [f"{name}: {escape(', '.join(ids))}" for name, ids in lists.items() if ids]
    same = "nothing changed" if changes.is_empty else "this is different now"
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<p>The last run was at {moment(changes.since)} UTC: {text(changes.verdict_then)}. Since then {same}" + (
        f":</p><ul>{items}</ul>" if items else ".</p>"
    )
