"""Asking a remote again where trouble passes: git itself asks once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from release_state.observe.git_command import Answer, Git
from release_state.observe.git_messages import GitFailed
from release_state.observe.time_left import PAUSES

_PASSING = re.compile(
    # What the HTTP client asks again for, in the words of git, curl and ssh.
    r"""returned\ error:\ (?:429|50[234]) | HTTP\ (?:429|50[234])\b
    | Could\ not\ resolve\ host | Failed\ to\ connect | [Cc]onnection\ (?:refused|reset|timed\ out)
    | Recv\ failure | Empty\ reply | Connection\ closed\ by | kex_exchange_identification
    | early\ EOF | transfer\ closed | unexpected\ disconnect | hung\ up\ unexpectedly""",
    re.VERBOSE,
)


def patiently(git: Git, ask: Callable[[], Answer]) -> Answer:
    """
    What a command that asks a remote says, after three tries at most, within the time of `git`.

    Raises GitFailed with the last failure.
    """
    for pause in PAUSES:
        try:
            return ask()
        except GitFailed as failed:
            left = git.deadline - time.monotonic()
            if failed.stopped or not _PASSING.search(failed.stderr) or pause >= left:
                raise
        if git.cancel is None:
            time.sleep(pause)
        elif git.cancel.wait(pause):
            raise GitFailed("git was not asked again: the run was cancelled", stopped="cancelled")
    return ask()
