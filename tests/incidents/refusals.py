"""What the index answers where it refuses, each with the scenario that explains it: `refusals.txt`.

A row has the scenario, the status and the reason with its placeholders filled. Every refusal of the upload API has one.

Source: pypi/warehouse in August 2026: warehouse/forklift, warehouse/macaroons, warehouse/attestations/services.py,
warehouse/packaging/services.py and warehouse/utils/zipfiles.py; and what `packaging` says of metadata and file names.
Those of warehouse/oidc have rows in `tools.txt`.
"""

from __future__ import annotations

from pathlib import Path

_ROWS = Path(__file__).with_name("refusals.txt").read_text(encoding="utf-8").splitlines()

REFUSALS: tuple[tuple[str, str, str], ...] = tuple(
    (scenario, status, reason) for scenario, status, reason in (row.split(" | ", 2) for row in _ROWS)
)
