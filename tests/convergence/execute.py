"""Executes a plan as a person would who types what is printed, in a world that answers as the real services do.

What a plan leaves to a person is decided always alike:

- a yank step yanks every file that is still offered;
- "if the yank is a mistake" is taken to be so, and the alternative beside it, the next version, is then left;
- where the next version is the only way, its pre-release check is run, as printed, and nothing more is done;
- a tag that the clone alone has is taken to be on the commit that was published;
- a look at another version's release ends in following the plan that is printed for it, once;
- a step that is only a sentence, to look at something, changes nothing.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release_state.plan import Plan, Step, Wanted
from release_state.verdict import TargetVerdict
from tests.convergence.bench import Bench


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

    def follow(self) -> list[Ran]:
        """Observe, and execute what is printed."""
        plan = self.bench.observe(self.version, self.channel, self.wanted).plan
        return self.execute(plan)

    def execute(self, plan: Plan) -> list[Ran]:
        """Do a plan's steps from the first to the last, and stop at the first command that fails."""
        programs = self.bench.programs
        programs.wanted, programs.followed = self.wanted, (self.version, self.channel)
        programs.answers.clear()
        ran: list[Ran] = []
        taken_back = any(_is_unyank(step) for step in plan.steps)
        for step in plan.steps:
            if (step.advice and not self.follows_advice) or (taken_back and _is_next_version(step)):
                continue
            self._do_by_hand(step)
            with self._folder(step, plan) as folder:
                for line in (*step.lines(), *step.verify_lines()):
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
            programs.followed, programs.answers[:] = followed, answers

    @contextmanager
    def _folder(self, step: Step, plan: Plan) -> Iterator[Path]:
        """Where a step's commands are typed: the plan's folder; an empty one for a step that says so."""
        clones = any(command[:2] == ("git", "clone") for command in step.commands)
        if plan.folder and not clones and "empty folder" not in step.title:
            yield Path(plan.folder)
            return
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
        """What only a person can do, in a web interface."""
        index = self.bench.world.index
        if step.title.startswith("Yank "):
            for file in index.files(self.channel, self.version):
                if not file.yanked:
                    index.yank(self.channel, file.filename, "withdrawn")
        elif _is_unyank(step):
            index.unyank(self.channel, self.version)
        else:
            return
        self.yanked = True
        self.bench.changed()


def _is_unyank(step: Step) -> bool:
    return "take it back" in step.title


def _is_next_version(step: Step) -> bool:
    return step.title.startswith("Release ") and step.title.endswith(" instead")
