"""What every fact of a release is worked out from."""

from __future__ import annotations

from packaging.version import Version

from release_state.snapshot import Snapshot
from release_state.target import Channel, Target


class Facts:
    """One version on one channel, as observed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.target: Target = snapshot.target
        self.channel: Channel = snapshot.target.channel
        self.version: Version = snapshot.target.parsed_version
