"""The kinds of disagreement that an audit can find, each with its level and why it matters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind; the check of a single version that says the same is named in `check`."""

    id: str
    title: str
    why: str
    blocking: bool = True
    check: str = ""


NOT_PUBLISHED = Kind(
    "not-published",
    "tagged or released, and not published",
    "whoever reads the tag or the release cannot install it",
    check="INDEX-11",
)
FILES_MISSING = Kind(
    "files-missing", "published without an expected kind of file", "the upload stopped half-way", check="INDEX-12"
)
TAG_MISSING = Kind("tag-missing", "published, and not tagged", "nobody can tell what was published", check="TAG-11")
RELEASE_MISSING = Kind(
    "release-missing",
    "published, and without a GitHub Release",
    "whoever follows the releases on GitHub does not learn of it",
    check="RELEASE-11",
)
RELEASE_WITHOUT_TAG = Kind(
    "release-without-tag",
    "a GitHub Release whose tag the remote lacks",
    "its source archives lead nowhere, and GitHub will make it a draft",
    check="RELEASE-11",
)
PRERELEASE_FLAG = Kind(
    "prerelease-flag",
    "marked as a pre-release on GitHub and not by PEP 440, or the other way round",
    "GitHub's latest release is chosen by that mark",
    check="RELEASE-12",
)
BRANCH_LEFT = Kind(
    "branch-left",
    "published, its release branch is left and no pull request of it is open",
    "a run of the workflow cannot create it again, and it looks like work in progress",
    check="BRANCH-11",
)
BRANCH_ORPHANED = Kind(
    "branch-orphaned",
    "a release branch of a version that is neither published nor tagged, without an open pull request of its own",
    "an interrupted run left it; the next one cannot create it",
    check="BRANCH-2",
)
CLONE_TAG = Kind(
    "clone-tag",
    "the clone's tag is another one than the remote's, or the only one",
    "a push of tags would be refused, or bring the remote a tag that it lacks",
    check="TAG-13",
)
LISTED_EMPTY = Kind(
    "listed-empty",
    "listed by the index without a file, and neither tagged nor released",
    "it was deleted, or never finished",
    blocking=False,
    check="INDEX-11",
)
ODD_TAG = Kind(
    "odd-tag",
    "a tag that PEP 440 reads as a version nobody published",
    "a post-release, a development or a local version is often meant for something else",
    blocking=False,
    check="TAG-15",
)
YANKED = Kind(
    "yanked",
    "yanked, and still shown as a GitHub Release",
    "installers pass it over; its release does not say so by itself",
    blocking=False,
    check="INDEX-13",
)
YANKED_IN_PART = Kind(
    "yanked-in-part",
    "some of its files are yanked, others are offered",
    "what an installer takes depends on the platform",
    blocking=False,
    check="INDEX-13",
)
PULL_OPEN = Kind(
    "pull-open",
    "published, and its release pull request is still open",
    "the base branch may lack what was released",
    blocking=False,
    check="PULL-11",
)
DRAFT_LEFT = Kind(
    "draft-left",
    "a draft is left beside the published GitHub Release",
    "publishing it later would announce the version twice",
    blocking=False,
    check="RELEASE-15",
)
TAGS_DIFFER = Kind(
    "tags-differ",
    "several tags name it, on different commits",
    "what was released depends on which tag is read",
    blocking=False,
    check="TAG-15",
)
TAG_SPELLING = Kind(
    "tag-spelling",
    "tagged in another spelling than the project's template, which was in use by then",
    "tools that work out versions from tags may not see it",
    blocking=False,
    check="TAG-11",
)

KINDS = (
    NOT_PUBLISHED,
    FILES_MISSING,
    TAG_MISSING,
    RELEASE_MISSING,
    RELEASE_WITHOUT_TAG,
    PRERELEASE_FLAG,
    BRANCH_LEFT,
    BRANCH_ORPHANED,
    CLONE_TAG,
    TAGS_DIFFER,
    TAG_SPELLING,
    ODD_TAG,
    YANKED,
    YANKED_IN_PART,
    PULL_OPEN,
    DRAFT_LEFT,
    LISTED_EMPTY,
)
"""In the order in which they are shown: what decides first."""
