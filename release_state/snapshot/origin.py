"""What says from which commit the version was published."""

from __future__ import annotations

from release_state.model import Model


class Candidate(Model):
    """A commit that the published files may have been built from, compared with the published sdist (or wheel)."""

    sha: str
    ref: str | None = None
    """A ref of the remote to fetch it by: `refs/pull/3/head`."""
    what: str
    """In words: "the tag v0.2.0", "the recorded head of pull request #3", "a commit of main that sets the version"."""
    on_base: bool
    equal: int
    """Files of the sdist that the commit's tree holds byte for byte."""
    differing: tuple[str, ...] = ()
    """Files of the sdist that the tree holds with other content; the first fifty."""
    absent: tuple[str, ...] = ()
    """Files of the sdist that the tree does not hold, generated ones (PKG-INFO) left out; the first fifty."""
    declared_version: str | None = None


class Published(Model):
    """What says from which commit the version was published."""

    sdist: str | None
    """Name of the sdist that was compared; None where the version has none."""
    wheel: str | None = None
    """Name of the wheel that was compared for lack of an sdist."""
    compared: int = 0
    """Files of it that were compared, generated ones left out."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    provenance_commit: str | None = None
    """The commit that a PEP 740 attestation names, where there is one."""
    provenance_repository: str | None = None

    @property
    def file(self) -> str | None:
        """Name of the file that was compared; None: there was nothing to compare."""
        return self.sdist or self.wheel

    @property
    def best(self) -> Candidate | None:
        """The one candidate that fits better than every other; None where none or several fit alike."""
        if not self.candidates or not self.candidates[0].equal:
            return None
        first = self.candidates[0]
        rank = (first.equal, -len(first.differing), -len(first.absent))
        others = [(c.equal, -len(c.differing), -len(c.absent)) for c in self.candidates[1:]]
        return first if all(rank > other for other in others) else None

    @property
    def is_exact(self) -> bool:
        """Whether the best candidate holds every file of the sdist byte for byte."""
        return bool(self.best and not self.best.differing and not self.best.absent)
