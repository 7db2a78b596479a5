"""What was there before a journey, and is there after it or was named as given up."""

from __future__ import annotations

import re

from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.execute import Follower


class Remains:
    """The commits and the published files of a world, at one moment."""

    def __init__(self, bench: Bench, channel: str) -> None:
        self._bench, self._channel = bench, channel
        self._commits, self._files = self._reachable(), self._published()

    def _reachable(self) -> set[str]:
        """Every commit that a ref of the remote leads to, recorded heads of pull requests too."""
        return set(self._bench.world.remote_git.run("rev-list", "--all").split())

    def _published(self) -> dict[str, tuple[bytes, bool]]:
        """The files of the index: content, and whether it is yanked."""
        files = self._bench.world.index.files(self._channel)
        return {file.filename: (file.content, bool(file.yanked)) for file in files}

    def _held_by(self, named: str) -> set[str]:
        """The commits that were named as discarded, with those behind them."""
        git = self._bench.world.remote_git
        names = "".join(f"{name}\n" for name in re.findall(r"\b[0-9a-f]{40}\b", named))
        # Tags of the clone are named, too: the remote need not have what they hold.
        kinds = git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=names.encode()).splitlines()
        tips = [kind.split()[1] for kind in kinds if kind.startswith("commit ")]
        return set(git.run("rev-list", *tips).split()) if tips else set()

    def assert_nothing_is_lost(self, follower: Follower, told: str) -> None:
        """Every commit is reachable or was named as discarded; every file is there; none was yanked but by a step."""
        if lost := self._commits - self._reachable():
            assert lost <= self._held_by(follower.named), f"lost: {lost}\n{told}"
        now = self._published()
        if not follower.yanked:
            assert self._files.items() <= now.items(), told
        before = {name: content for name, (content, _) in self._files.items()}
        assert before.items() <= {name: content for name, (content, _) in now.items()}.items(), told
