"""Whether what GitHub answers is of the repository that was asked for, by the names and addresses in it (pure).

`place` is where the repository is asked for: `/repos/{owner}/{name}`, quoted. GitHub does not tell upper from lower
case in names, and gives what was renamed its present name.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from release_state.observe.fields import Fields, failed


def name_at(place: str) -> str:
    """The name of the repository at a place: `owner/name`."""
    return unquote(place.removeprefix("/repos/"))


def is_named(name: str | None, place: str) -> bool:
    """Whether this is the name of the repository at a place."""
    return name is not None and name.lower() == name_at(place).lower()


def hold_by_name(repository: Fields, place: str, what: str) -> None:
    """Raise LookupFailed unless `repository`, as an answer names it, is the one at the place."""
    if not is_named(name := repository.text("full_name"), place):
        raise failed(f"asked {name_at(place)} for {what}, GitHub gave {name:.100} for it", "ask again")


def hold_by_address(found: Fields, place: str, what: str, end: str = "") -> None:
    """Raise LookupFailed unless the address of what was found is below that of the repository, and ends so."""
    path = unquote(urlsplit(found.text("url")).path)
    if f"/repos/{name_at(place)}/".lower() not in path.lower() or not path.endswith(end):
        raise failed(f"asked {name_at(place)} for {what}, GitHub gave what is at {path:.150}", "ask again")


def hold_by_commit(found: Fields, name: str, sha: str, what: str) -> None:
    """Raise LookupFailed unless the field of this name has the hash of the commit that was asked about."""
    if found.sha(name) != sha:
        raise failed(f"asked for {what} of {sha[:12]}, GitHub gave those of another commit, {found.sha(name)[:12]}")
