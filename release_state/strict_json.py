"""JSON of a stranger's, read as RFC 8259 has it and no wider."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(data: bytes | str) -> Any:
    """
    The value that the text holds.

    Half of a surrogate pair, which an escape can spell and no UTF-8 can hold, becomes a question mark: a report could
    not be written with it. Raises ValueError for everything that is no JSON in UTF-8, as NaN and too deep nesting.
    """
    text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    try:
        found = json.loads(text, parse_constant=_refuse)
        if _SURROGATE.search(text):
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
