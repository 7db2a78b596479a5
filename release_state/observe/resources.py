"""What the look-ups of a run share: clients, time, fetched commits, logs and downloads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from release_state.model.observation import NotObserved, Observation, Problem
from release_state.model.snapshot import Remote
from release_state.observe.call import View
from release_state.observe.git.commits import Stores
from release_state.observe.git.history import SOURCE as HISTORY
from release_state.observe.git.remote import observe_remote
from release_state.observe.github.github import GitHub
from release_state.observe.github.run_log import RunLogs
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import SharedLimit, TimeLeft
from release_state.settings.config import RunConfig

_STATUS_SECONDS = 10.0
"""The longest wait for a status page: it only explains."""


class Resources:
    """The base of every group of look-ups; safe to use from many threads."""

    def __init__(
        self,
        config: RunConfig,
        *,
        token: str | None,
        own_run_id: int | None,
        environ: Mapping[str, str],
        cancel: threading.Event,
        shared_limit: SharedLimit | None,
        time: TimeLeft,
    ) -> None:
        target = config.targets[0]
        self.config, self.environ, self.cancel, self.time = config, environ, cancel, time
        self.client = HttpClient(
            time.seconds,
            token=token,
            token_host=target.github_api,
            cancel=cancel,
            shared_limit=shared_limit,
            time_left=time,
            kept=ResponseCache() if config.keep_answers else None,
        )
        # Without a token, whatever the address of the page.
        self.token_free = HttpClient(min(time.seconds, _STATUS_SECONDS), cancel=cancel, time_left=time)
        self.github = GitHub(self.client, target.github_api, target.repository, own_run_id=own_run_id)
        self.settings = GitHubSettings(self.github)
        self.run_logs = RunLogs(self.client, target.github_api)
        clone = Path(target.clone) if target.clone else None
        self.stores = Stores(config.remote_url, lambda: time.left, clone_path=clone, cancel=cancel)
        self.downloaded: dict[str, bytes] = {}
        """Files by address that one look-up downloaded and another needs, too."""

    def remote(self) -> Observation[Remote]:
        """Return the remote's refs."""
        return observe_remote(self.config.remote_url, self.time.left, cancel=self.cancel)

    def forget(self) -> None:
        """Begin a round: ask anew for logs and downloads, with the whole time; not while a look-up runs."""
        self.github.forget()
        self.run_logs.forget()
        self.downloaded.clear()
        self.stores.close()
        self.time.begin()

    def close(self) -> None:
        """Remove what was fetched for this run alone."""
        self.stores.close()

    @staticmethod
    def history_problem(view: View) -> Problem | None:
        """Return why the history of the base could not be fetched: no second look-up waits for it."""
        problem = view.snapshot.history.unavailable
        return problem if problem and problem.source == HISTORY else None

    def require_history(self, view: View) -> None:
        """Raise NotObserved if the history of the base could not be fetched."""
        if problem := self.history_problem(view):
            raise NotObserved(problem)
