"""What says that a version was published which its index does not have now."""

from __future__ import annotations

from pydantic import AwareDatetime

from release_state.model import Model


class Witness(Model):
    """A trace of a publication that lies outside the index; never a tag or a GitHub Release, which come without one."""

    what: str
    """In words: "release run #12 published it", "the report x.json saw it on the index"."""
    at: AwareDatetime
    html_url: str | None = None
