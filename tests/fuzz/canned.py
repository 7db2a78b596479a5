"""Services and a git that answer whatever they are told to: the parsers behind them are the ones of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from release_state.observe.answer import Answer
from release_state.observe.git_command import Answer as GitAnswer
from release_state.observe.git_command import Git
from release_state.observe.git_store import Store
from release_state.observe.http import HttpClient

API = "https://api.github.example"
JSON = {"Content-Type": "application/json; charset=utf-8"}


class CannedClient(HttpClient):
    """A client in front of no network: every GET is answered by a function of its URL, with status 200."""

    def __init__(self, body: Callable[[str], bytes], headers: dict[str, str] | None = None) -> None:
        super().__init__(5, token="t", token_host=API)
        self._body, self._sent = body, JSON if headers is None else headers

    def get(self, url: str, **options: Any) -> Answer:
        """The answer."""
        return Answer(200, self._sent, self._body(url), url)


@dataclass(frozen=True)
class CannedGit(Git):
    """A git that prints the same whatever it is asked."""

    output: bytes = b""

    def run(self, *arguments: str, **options: Any) -> GitAnswer:
        """The answer."""
        return GitAnswer(0, self.output, "")


@cache
def _git() -> Git:
    return Git(5)


def store(output: bytes) -> Store:
    """A repository whose git prints this."""
    return Store(CannedGit(5, output=output), Path("/nonexistent"), {}, persistent=False)
