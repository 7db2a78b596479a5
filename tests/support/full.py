"""A plugin for the run under test (`-p full`): the folder through which its workers are told things takes no file.

Python's audit events come before what they tell of. Loaded by its file name, beside no package.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from typing import Any

_OF_EXCHANGE = re.compile(r"(/release-state-[^/]+){2}/\.release-state-")


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _OF_EXCHANGE.search(str(arguments[0])):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), arguments[0])


sys.addaudithook(_refuse)
