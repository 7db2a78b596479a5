"""The installation check meets the faults of the index: `python -m tests.proofs.faults.install` runs every cell.

What breaks on the way to pip never makes a version bad: unknown with its cause, or installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from release_state.demo.scenarios import VERSION
from release_state.model.observation import Observation
from release_state.model.snapshot import Installation
from release_state.observe.http.client import HttpClient
from release_state.observe.index.index import observe_index
from release_state.observe.install.installation import observe_installation
from tests.proofs.faults.gateway import Gateway
from tests.proofs.faults.kinds import FAULTS, Fault
from tests.proofs.faults.rows import RELEASED, Row, RowOf
from tests.proofs.faults.states import STATES, Stage

PAGE = Row("pip: page", RELEASED, "page", "installation", ("index", "/pypi/simple/[^/]+/", ""), begins="pypi")
WHEEL = Row("pip: wheel", RELEASED, "file", "installation", ("index", r"/pypi/files/.*\.whl", ""))


ROWS = (PAGE, WHEEL)
_SECONDS = 60.0


def installed(gateway: Gateway, stage: Stage, row: Row, fault: Fault) -> Observation[Installation]:
    """What the installation check says where each of pip's questions of this row meets the fault."""
    plain = stage.config(gateway.visit(stage.services, RowOf(ROWS)), _SECONDS)
    package = plain.targets[0].package
    page = observe_index(HttpClient(_SECONDS), plain.channels["pypi"], package, VERSION).present()
    visit = gateway.visit(stage.services, RowOf(ROWS), {row.name: (0, fault.play)})
    channel = stage.config(visit, _SECONDS).channels["pypi"]
    return observe_installation(channel, package, VERSION, page.files, _SECONDS, os.environ)


def wrong(found: Observation[Installation]) -> Iterator[str]:
    """What is wrong with a cell."""
    if found.unavailable is None and not found.present().succeeded:
        yield f"it says of the version: {found.present().detail.splitlines()[0]}"
    if found.unavailable is not None and len(found.unavailable.why) < 20:
        yield f"no cause: {found.unavailable.why}"


def main() -> int:
    """Run every cell; exit code 1 where one is wrong."""
    cells = [(row, fault) for row in ROWS for fault in FAULTS.values()]
    count = 0
    with Gateway() as gateway, Stage(STATES[RELEASED]) as stage, ThreadPoolExecutor(max_workers=3) as pool:
        outcomes = pool.map(lambda cell: installed(gateway, stage, *cell), cells)
        for (row, fault), found in zip(cells, outcomes, strict=True):
            lines = list(wrong(found))
            count += bool(lines)
            said = "; ".join(lines) or (found.unavailable.why if found.unavailable else "installed")
            sys.stdout.write(f"{'WRONG' if lines else 'ok':5} {row.name:10} {fault.name:46} {said[:200]}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(cells)} cells, {count} wrong\n")
    return min(count, 1)


if __name__ == "__main__":
    raise SystemExit(main())
