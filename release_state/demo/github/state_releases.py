"""GitHub Releases, and which of them is the latest."""

from __future__ import annotations

import re
from collections.abc import Mapping

from release_state.demo.github.model import Asset, Release, When, moment
from release_state.demo.github.state_base import Ground


class ReleaseState(Ground):
    """The part of the state with the releases."""

    def add_release(
        self,
        tag: str,
        *,
        name: str | None = None,
        body: str | None = "notes",
        draft: bool = False,
        prerelease: bool = False,
        immutable: bool = False,
        target: str = "",
        created_at: When = None,
        published_at: When = None,
        author: str | None = "octo-dev",
        make_latest: str = "legacy",
        assets: Mapping[str, bytes] | None = None,
    ) -> int:
        """Add a GitHub Release without touching the tag; returns its id.

        ``name`` defaults to the tag and ``target`` to the default branch. ``created_at`` defaults to the date of the
        commit, as on GitHub; ``published_at`` to now. ``author`` None is a deleted account. ``make_latest`` is
        GitHub's parameter: ``true`` marks the release, ``legacy`` leaves it to date and version, ``false`` excludes it.
        """
        with self.lock:
            target = target or self.default_branch
            commit = self.git.resolve(f"tags/{tag}") or self.git.resolve(target)
            made = self.git.commit(commit).committer.date if commit else moment(self.now())
            files = [Asset(next(self._ids), file, data) for file, data in (assets or {}).items()]
            made = moment(created_at or made)
            published = None if draft else moment(published_at or self.now())
            release = Release(
                id=next(self._ids), tag=tag, name=tag if name is None else name, body=body, draft=draft,
                prerelease=prerelease, immutable=immutable, target=target, author=author, created_at=made,
                updated_at=published or made, published_at=published, make_latest=make_latest, assets=files,
            )  # fmt: skip
            self.releases[release.id] = release
            self.refresh_releases()
            if make_latest == "true" and not (draft or prerelease):
                self.latest_release = release.id
            return release.id

    def refresh_releases(self) -> None:
        """Turn published releases whose tag was deleted back into drafts, as GitHub does."""
        with self.lock:
            tags = {ref.name.removeprefix("refs/tags/") for ref in self.git.refs("refs/tags/")}
            for release in self.releases.values():
                if release.tag in tags:
                    release.tagged = True
                elif release.tagged and not release.draft:
                    release.draft, release.published_at, release.tagged = True, None, False

    def find_latest_release(self) -> Release | None:
        """The release that carries the mark *Latest*: the marked one, else the newest by date and then version."""
        self.refresh_releases()
        able = [r for r in self.releases.values() if not r.draft and not r.prerelease]
        marked = next((r for r in able if r.id == self.latest_release), None)
        able = [r for r in able if r.make_latest != "false"]
        return marked or max(able, key=lambda r: (r.created_at, _numbers_of(r.tag)), default=None)


def _numbers_of(tag: str) -> tuple[int, ...]:
    """A version's numbers, enough to order final releases of one date."""
    return tuple(int(number) for number in re.findall(r"\d+", tag))
