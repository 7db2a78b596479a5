"""Executes a plan as a person would who types what is printed, in a world that answers as the real services do.

What a plan leaves to a person is decided always alike:

- a yank step yanks every file that is still offered; one that takes a yank back does so;
- a run that is waited for ends; a dirty clone is stashed away;
- a tag that the clone alone has is taken to be on the commit that was published;
- a look at another version's release ends in following the plan that is printed for it, once;
- a step that is only a sentence, to look at something, changes nothing.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from release_state.demo.simple_pages import StoredFile
from release_state.model.plan import Plan, Step, Wanted
from release_state.verdict.verdict import TargetVerdict
from tests.proofs.convergence.bench import Bench


@dataclass
class Ran:
    """A printed command that was run."""

    step: str
    line: str
    code: int
    output: str

    @property
    def failed(self) -> bool:
        """Whether it did not do what it was printed for; the suite's own codes are verdicts, not failures."""
        own = self.line.startswith("release-state ")
        return self.code not in (0, 1, 6, 8) if own else self.code != 0


class Follower:
    """Follows the plans of one version's release on one channel."""

    def __init__(self, bench: Bench, version: str, channel: str, wanted: Wanted = "auto") -> None:
        self.bench, self.version, self.channel, self.wanted = bench, version, channel, wanted
        self.follows_advice = True
        self.yanked = False
        """Whether a step changed which files are yanked."""
        self.named = ""
        """What the steps named as destroyed."""

    def execute(self, plan: Plan) -> list[Ran]:
        """Do a plan's steps from the first to the last, and stop at the first command that fails."""
        programs = self.bench.programs
        programs.wanted, programs.followed = self.wanted, (self.version, self.channel)
        programs.answers.clear()
        ran: list[Ran] = []
        with ExitStack() as exits:
            usual = Path(plan.folder) if plan.folder else exits.enter_context(self._empty())
            for step in plan.steps:
                if step.advice and not self.follows_advice:
                    continue
                self.named += f" {step.destroys or ''}"
                self._do_by_hand(step)
                folder = exits.enter_context(self._empty()) if step.in_empty_folder else usual
                for line in (*step.lines(), *step.verify_lines()):
                    if line.startswith("cd "):
                        usual = folder = folder / shlex.split(line)[1]
                        continue
                    ran.append(self._run(step, line, folder))
                    if ran[-1].failed:
                        return ran
                if step.mends == "other-branches" and step.lines()[:1] and step.lines()[0].startswith("release-state "):
                    ran += self._follow_other(programs.answers[-1])
        return ran

    def _follow_other(self, found: TargetVerdict) -> list[Ran]:
        """Follow the plan of another version's release."""
        programs = self.bench.programs
        followed, answers = programs.followed, list(programs.answers)
        other = Follower(self.bench, found.target.version, found.target.channel.name, self.wanted)
        other.follows_advice = self.follows_advice
        try:
            return other.execute(found.plan)
        finally:
            self.named += other.named
            programs.followed, programs.answers[:] = followed, answers

    @contextmanager
    def _empty(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.bench.world.root, prefix="scratch-") as scratch:
            yield Path(scratch)

    def _run(self, step: Step, line: str, folder: Path) -> Ran:
        done = subprocess.run(
            ["bash", "-e", "-c", line],
            cwd=folder,
            env=self.bench.programs.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        if not line.startswith("release-state "):
            self.bench.changed()
        self.bench.run_what_was_started()
        return Ran(step.title, line, done.returncode, done.stdout)

    def _do_by_hand(self, step: Step) -> None:
        """What only a person can do, in a web interface or with the clone."""
        world = self.bench.world
        if step.title.startswith("Yank "):
            for file in self._files():
                if not file.yanked:
                    world.index.yank(self.channel, file.filename, "withdrawn")
            self.yanked = True
        elif step.title.startswith("Un-yank"):
            for file in self._files():
                world.index.unyank(self.channel, file.filename)
            self.yanked = True
        elif step.title.startswith("Wait for release run"):
            for run in world.github.workflow_runs.values():
                if run.status != "completed":
                    run.status, run.conclusion = "completed", "cancelled"
        elif any("status" in command for command in step.commands):
            world.clone_git.run("stash", "--quiet", "--include-untracked")
        else:
            return
        self.bench.changed()

    def _files(self) -> list[StoredFile]:
        files = self.bench.world.index.files(self.channel)
        return [file for file in files if Version(file.version) == Version(self.version)]
