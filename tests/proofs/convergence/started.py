"""What events start in a project that releases by a tag, a GitHub Release or release-please: its workflow's run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from release_state.demo import flows
from release_state.demo.flows import Flow
from release_state.demo.github.model import Run
from tests.standins.world import World


class Started:
    """Hears what happens to a world, and runs the project's workflow as GitHub does.

    What a workflow makes with its own token starts nothing: it goes past the API.
    """

    def __init__(self, world: World, flow: Flow) -> None:
        self.world, self.flow = world, flow
        self.events: list[tuple[str, str]] = []
        """What happened since the last run: the event, and a tag or the id of a run."""
        self.begin()

    def begin(self) -> None:
        """Take what is there as what was there before."""
        self.events.clear()
        self._tags = self._list_tags()

    def _list_tags(self) -> dict[str, str]:
        return {name: sha for name, sha in self.world.remote_git.refs().items() if name.startswith("refs/tags/")}

    def dispatch(self, file: str, ref: str, inputs: Mapping[str, Any]) -> None:
        """Hear of a start by hand."""
        assert file == self.flow.publisher and not inputs
        self.events.append(("workflow_dispatch", ref))

    def hear(self, event: str, what: str) -> None:
        """Hear of a GitHub Release that was published, or of a run that is repeated."""
        self.events.append((event, what))

    def run(self) -> bool:
        """Run what was started, and return whether anything was."""
        now = self._list_tags()
        pushed = [name.removeprefix("refs/tags/") for name, sha in now.items() if self._tags.get(name) != sha]
        heard = [*(("push", tag) for tag in pushed), *self.events]
        self.begin()
        for event, what in heard:
            if event.startswith("rerun"):
                self._repeat(self.world.github.workflow_runs[int(what)], everything=event == "rerun")
            elif event == self.flow.event or event == "workflow_dispatch":
                self._begin(event, what)
        return bool(heard)

    def _begin(self, event: str, tag: str) -> None:
        version = self._version_of(tag)
        if version is None or not self.flow.starts_at_tag:
            return
        failed = None if self._can_upload(version) else "pypi"
        flow = replace(self.flow, event=event)
        flows.run(self.world, flow, version, failed, "400 File already exists\n", started=self.world.github.now())

    def _repeat(self, run: Run, *, everything: bool) -> None:
        """The failed jobs again, with those that need them; release-please finds its tag, and makes nothing again."""
        assert run.conclusion == "failure", "only failed runs are repeated here"
        version = re.findall(r"\d+(?:\.\d+)+", run.title)[0]
        jobs = [job.name for job in run.jobs if everything or job.conclusion != "success"]
        if "release-please" in jobs or not self._can_upload(version):
            return
        flows.do_jobs(self.world, self.flow, version, jobs)
        run.conclusion, run.attempt = "success", run.attempt + 1
        for job in run.jobs:
            job.conclusion = "success"

    def _version_of(self, tag: str) -> str | None:
        found = re.fullmatch(re.escape(self.flow.tags).replace(r"\{version\}", "(.+)"), tag)
        return found[1] if found else None

    def _can_upload(self, version: str) -> bool:
        return not self.world.index.files("pypi", version) or "skip-existing" in self.flow.files[self.flow.publisher]
