"""How a project releases, as far as its repository shows: who publishes, what starts it, how tags are spelled."""

from __future__ import annotations

from typing import Literal

from release_state.model.observation import Model

Made = Literal["tag", "release", "draft", "pull-request", "branch"]
StartKind = Literal["tag", "release", "dispatch", "branch", "pull-request", "schedule", "workflow"]
ProcessKind = Literal["tag", "release", "release-pull-request", "dispatch"]


class ProcessWord(Model):
    """What one word for a process stands for."""

    started_by: tuple[StartKind, ...] = ()
    """What starts the upload, where no file says it."""
    leaves: tuple[str, ...] = ()
    """What a release leaves at least, on a channel that asks for it by default."""


PROCESS_WORDS: dict[ProcessKind, ProcessWord] = {
    "tag": ProcessWord(started_by=("tag",)),
    "release": ProcessWord(started_by=("release",), leaves=("tag", "release")),
    "release-pull-request": ProcessWord(leaves=("tag", "release", "pull-request")),
    "dispatch": ProcessWord(started_by=("dispatch",)),
}
"""The words of the setting `process`. None of them takes away what was observed or is asked for."""


class Start(Model):
    """One way in which an upload is started."""

    kind: StartKind
    filters: tuple[str, ...] = ()
    """Patterns of tags or branches, types of `release`, names of workflows; empty: any."""
    surely: bool = True
    """Whether no condition on the way is unknown."""
    is_of_word: bool = False
    """Whether the setting `process` says so, and no file."""


class Publisher(Model):
    """A job that uploads to the channel's index."""

    workflow: str
    """File name of the workflow that a run is of."""
    job: str
    """Where the job is, in words."""
    job_name: str
    """What GitHub calls the job in a run; empty: not known."""
    how: str
    """The action or command."""
    is_guess: bool = False
    """Whether it uploads is a guess, from its name or from the credentials that it gets."""
    environment: str | None = None
    """The GitHub environment of the job; empty: none, None: not known, or chosen in the run."""
    starts: tuple[Start, ...] = ()
    """Empty: not known."""
    is_at_tag: bool = True
    """Whether a run of the version's tag is of it: False where the files at the tag have another publisher instead."""
    only_releases: bool = True
    """Whether every run of the workflow is a release run: it has no other triggers and uploads in each."""
    makes: tuple[Made, ...] = ()
    """What its workflow makes besides the upload."""
    tag_jobs: tuple[str, ...] = ()
    """What GitHub calls the jobs of its workflow that make the tag."""
    skips_existing: bool = False
    """Whether the upload leaves out files that the index has."""
    platform_wheels: bool = False
    """Whether the workflow builds wheels for several platforms."""


class VersionWriter(Model):
    """A step of a workflow that sets the version in a run."""

    workflow: str
    """File name of the workflow."""
    how: str
    """The action or command."""
    files: tuple[str, ...] = ()
    """The files that it writes; empty: it finds them itself."""


class Process(Model):
    """How a project releases, as far as it was found out. What is configured overrules it."""

    tag: str | None = None
    """The version's tag as the remote spells it; None: as the template does."""
    publishers: tuple[Publisher, ...] = ()
    version_writer: VersionWriter | None = None
    """What sets the version in a run; None: commits declare it, or it was not found out."""
    candidates: tuple[str, ...] = ()
    """The workflow files, if none of them is known to publish and the configuration names none."""
    unsure: tuple[tuple[str, str], ...] = ()
    """Traces that nothing but a default asks for, each with why it is not known whether releases leave it."""
    evidence: tuple[str, ...] = ()
    """What was found out and from what, one line each."""

    @property
    def starts(self) -> tuple[Start, ...]:
        """What starts the upload, each once."""
        return tuple(dict.fromkeys(start for publisher in self.publishers for start in publisher.starts))

    def is_started_by(self, *kinds: StartKind) -> bool:
        """Whether one of these starts the upload."""
        return any(start.kind in kinds for start in self.starts)

    def makes(self, trace: str) -> bool:
        """Whether a run that publishes makes this trace, too."""
        return any(trace in publisher.makes for publisher in self.publishers)
