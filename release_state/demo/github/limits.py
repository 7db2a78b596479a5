"""Who is calling, and how many requests the caller has left.

Source: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

from release_state.demo.github.model import Json, moment

ANONYMOUS_LIMIT = 60
TOKEN_LIMIT = 5000


@dataclass
class Budget:
    """One caller's requests in the present hour."""

    limit: int
    remaining: int
    reset: datetime

    @property
    def used(self) -> int:
        """How many were spent."""
        return self.limit - self.remaining

    def headers(self) -> dict[str, str]:
        """The rate-limit headers; the reset in seconds since 1970."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(int(self.reset.timestamp())),
            "X-RateLimit-Resource": "core",
        }

    def show(self) -> Json:
        """The budget as ``/rate_limit`` shows it."""
        reset = int(self.reset.timestamp())
        return {"limit": self.limit, "used": self.used, "remaining": self.remaining, "reset": reset}


class Limits:
    """The budgets of all callers; None is the anonymous one."""

    def __init__(self) -> None:
        self._budgets: dict[str | None, Budget] = {}

    def of(self, token: str | None, now: datetime) -> Budget:
        """The caller's budget, a fresh one when its hour is over."""
        budget = self._budgets.get(token)
        if budget is None or moment(now) >= budget.reset:
            limit = ANONYMOUS_LIMIT if token is None else TOKEN_LIMIT
            budget = self._budgets[token] = Budget(limit, limit, moment(now) + timedelta(hours=1))
        return budget


def token_of(authorization: str | None) -> str | None:
    """The token of an ``Authorization`` header: ``Bearer T``, ``token T`` or Basic with T as the password."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
