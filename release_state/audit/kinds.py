"""The kinds of disagreement that an audit finds, with their level and why they matter."""

from __future__ import annotations

from msgspec import Struct


class Kind(Struct, frozen=True):
    """One kind of disagreement; `check` is the ID of the same check for a single version."""

    id: str
    title: str
    why: str
    blocking: bool = True
    check: str = ""

    @property
    def heading(self) -> str:
        """The ID, level and title: `odd-tag (advice): a tag that …`."""
        return f"{self.id}{'' if self.blocking else ' (advice)'}: {self.title}"


NOT_PUBLISHED = Kind(
    "not-published",
    "tagged or released, but not published",
    "the tag or the GitHub Release promises a version that nobody can install",
    check="INDEX-11",
)
FILES_MISSING = Kind(
    "files-missing", "published without an expected kind of file", "the upload stopped half-way", check="INDEX-12"
)
TAG_MISSING = Kind("tag-missing", "published, but not tagged", "nobody can tell what was published", check="TAG-11")
RELEASE_MISSING = Kind(
    "release-missing",
    "published without a GitHub Release",
    "people who follow the releases on GitHub miss it",
    check="RELEASE-11",
)
RELEASE_WITHOUT_TAG = Kind(
    "release-without-tag",
    "a GitHub Release whose tag is missing on the remote",
    "its source archives are broken, and GitHub will turn it into a draft",
    check="RELEASE-11",
)
PRERELEASE_FLAG = Kind(
    "prerelease-flag",
    "pre-release flag on GitHub differs from PEP 440",
    "GitHub chooses the latest release by this flag",
    check="RELEASE-12",
)
BRANCH_LEFT = Kind(
    "branch-left",
    "published, but its release branch still exists without an open pull request",
    "the next run cannot create the branch again, and it looks like work in progress",
    check="BRANCH-11",
)
BRANCH_ORPHANED = Kind(
    "branch-orphaned",
    "a release branch without an open pull request, of a version neither published nor tagged",
    "an interrupted run left it, and the next run cannot create it",
    check="BRANCH-2",
)
CLONE_TAG = Kind(
    "clone-tag",
    "the clone's tag differs from the remote's, or exists only in the clone",
    "a push of tags would fail, or add a tag that the remote lacks",
    check="TAG-13",
)
TAGS_DIFFER = Kind(
    "tags-differ",
    "several tags for it, on different commits",
    "each tag names different sources for the same version",
    blocking=False,
    check="TAG-15",
)
ODD_TAG = Kind(
    "odd-tag",
    "a tag that PEP 440 reads as an unpublished version",
    "a post-release, development or local version in a tag often means something else",
    blocking=False,
    check="TAG-15",
)
YANKED = Kind(
    "yanked",
    "yanked, but still shown as a GitHub Release",
    "installers skip it, but its GitHub Release does not say so",
    blocking=False,
    check="INDEX-13",
)
YANKED_IN_PART = Kind(
    "yanked-in-part",
    "only some of its files are yanked",
    "which file an installer takes depends on the platform",
    blocking=False,
    check="INDEX-13",
)
PULL_OPEN = Kind(
    "pull-open",
    "published, but its release pull request is still open",
    "the base branch may lack what was released",
    blocking=False,
    check="PULL-11",
)
DRAFT_LEFT = Kind(
    "draft-left",
    "a draft beside the published GitHub Release",
    "publishing the draft would announce the version twice",
    blocking=False,
    check="RELEASE-15",
)
LISTED_EMPTY = Kind(
    "listed-empty",
    "listed by the index without files, neither tagged nor released",
    "the version was deleted, or its upload never finished",
    blocking=False,
    check="INDEX-11",
)

KINDS = tuple(kind for kind in globals().values() if isinstance(kind, Kind))
"""In display order: blocking kinds first."""
