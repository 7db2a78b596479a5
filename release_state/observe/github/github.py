"""Look-ups of one repository on GitHub: itself, pull requests, releases, CI and runs.

Sources: https://docs.github.com/rest/repos/repos, /rest/pulls/pulls, /rest/releases/releases
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from release_state.model.observation import Observation, known
from release_state.model.snapshot import (
    Asset,
    CommitChecks,
    GitHubRelease,
    PullRequest,
    RateLimit,
    Repository,
    WorkflowRuns,
)
from release_state.observe.git.command import GitFailed
from release_state.observe.git.history import SOURCE as HISTORY
from release_state.observe.git.workflow_files import CommitReader
from release_state.observe.github.ancestors import ANCESTORS
from release_state.observe.github.api import (
    Fields,
    GitHubApi,
    failure,
    is_named,
    parse_name,
    require_address,
    require_repository,
)
from release_state.observe.github.ci import Exclusions, look_up_checks, look_up_workflow_runs, merge_runs
from release_state.observe.github.expected_ci import ExpectedCILookup
from release_state.observe.github.lists import GitHubList
from release_state.observe.http.client import HttpClient, LookupFailed, observe
from release_state.observe.http.response import get_header, get_number, read_reset

T = TypeVar("T")

_FULL_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_MOST_ASSETS = 100
_PUSH = "give a token with the permission contents=write: GitHub lists drafts only to users who can push"


class GitHub:
    """Observes one repository on GitHub; each method is one look-up, never raises, and may run beside the others.

    `api_url` is the API's root; `own_run_id` is this very workflow run, which is excluded from CI and runs; `now`
    replaces the service's clock. The present name of a renamed repository is used.
    """

    def __init__(
        self,
        client: HttpClient,
        api_url: str,
        repository: str,
        own_run_id: int | None = None,
        now: datetime | None = None,
    ) -> None:
        self._api = GitHubApi(client, api_url)
        self._name = repository
        self._own_run_id = own_run_id
        self._now = now
        self._answered = False

    def forget(self) -> None:
        """Drop all shared results but the repository itself, so that they are looked up again."""
        self._api.forget("repository")

    def repository(self) -> Observation[Repository]:
        """The repository; never absent, since a 404 also hides what the token may not see."""
        return observe(self.visible_repository)

    def pulls(self, head_branch: str) -> Observation[tuple[PullRequest, ...]]:
        """Every pull request from exactly this branch of this repository, in any state; newest first."""

        def ask(api: GitHubApi, place: str) -> tuple[PullRequest, ...]:
            owner = parse_name(place).split("/")[0]
            params = {"state": "all", "head": f"{owner}:{head_branch}"}
            items = GitHubList(api, f"{place}/pulls", "pull requests", params=params).read()
            return _select_pulls(place, head_branch, parse_pulls(items, place))

        return self.observe(ask)

    def pulls_of_all(self, head_branches: Collection[str]) -> dict[str, Observation[tuple[PullRequest, ...]]]:
        """The result of `pulls` for each of these branches, from one list of all pull requests of the repository."""

        def ask(api: GitHubApi, place: str) -> dict[str, tuple[PullRequest, ...]]:
            # The oldest first: pull requests that are opened meanwhile come last, and move no other between pages.
            path = f"{place}/pulls?state=all&sort=created&direction=asc"
            pulls = parse_pulls(GitHubList(api, path, "pull requests", at_once=True).read(), place)
            return {branch: _select_pulls(place, branch, pulls) for branch in head_branches}

        pulls_of = self.observe(ask)
        if pulls_of.unavailable:
            failed: Observation[Any] = Observation(value=None, unavailable=pulls_of.unavailable)
            return dict.fromkeys(head_branches, failed)
        return {branch: known(pulls) for branch, pulls in pulls_of.present().items()}

    def open_release_pulls(self, parse: Callable[[str], object]) -> Observation[tuple[PullRequest, ...]]:
        """Every open pull request whose head or base branch `parse` accepts, those of forks among them."""

        def ask(api: GitHubApi, place: str) -> tuple[PullRequest, ...]:
            items = GitHubList(api, f"{place}/pulls", "pull requests", params={"state": "open"}).read()
            # GitHub ignores a filter that it cannot parse.
            pulls = [pull for pull in parse_pulls(items, place) if pull.is_open]
            return tuple(pull for pull in pulls if parse(pull.head_branch) or parse(pull.base_branch))

        return self.observe(ask)

    def release_by_tag(self, tag: str) -> Observation[GitHubRelease]:
        """The published release of exactly this tag; drafts do not count."""

        def ask(api: GitHubApi, place: str) -> GitHubRelease | None:
            item = api.one(f"{place}/releases/tags/{quote(tag, safe='')}", "release", absent=True)
            if item is None:
                return None
            release = parse_release(item, place)
            if release.tag != tag:
                raise failure(f"requested the release of the tag {tag}, GitHub gave that of {release.tag}")
            if release.draft:
                raise failure(f"requested the published release of the tag {tag}, GitHub gave a draft")
            return release

        return self.observe(ask)

    def latest_release(self) -> Observation[GitHubRelease]:
        """The release that GitHub marks as the latest; absent if no full release is published."""

        def ask(api: GitHubApi, place: str) -> GitHubRelease | None:
            item = api.one(f"{place}/releases/latest", "release", absent=True)
            release = parse_release(item, place) if item is not None else None
            if release and (release.draft or release.prerelease):
                kind = "draft" if release.draft else "pre-release"
                raise failure(f"requested the latest release, GitHub gave a {kind}, {release.tag}")
            return release

        return self.observe(ask)

    def drafts(self, is_wanted: Callable[[str], bool] = lambda tag: True) -> Observation[tuple[GitHubRelease, ...]]:
        """The drafts of the accepted tags; unavailable to a token without push access, to which GitHub lists none."""
        return self.observe(lambda api, place: tuple(draft for draft in self._drafts(place) if is_wanted(draft.tag)))

    def releases(self) -> Observation[tuple[GitHubRelease, ...]]:
        """Every published release, of whatever tag; from the same requests as `drafts`."""
        return self.observe(lambda api, place: tuple(each for each in self._all_releases(place) if not each.draft))

    def _drafts(self, place: str) -> tuple[GitHubRelease, ...]:
        repository = self.visible_repository()
        if not self._api.has_token or repository.can_push is False:
            raise failure("GitHub lists drafts only to a token with push access", _PUSH)
        drafts = tuple(release for release in self._all_releases(place) if release.draft)
        # GitHub does not say whether an app's token can push: only a listed draft shows that it sees them.
        if repository.can_push is None and not drafts:
            raise failure("no draft is listed, and GitHub does not say whether the token may see any", _PUSH)
        return drafts

    def checks(
        self, sha: str, workflows: tuple[str, ...] = (), base: str = "", needed: frozenset[str] = frozenset()
    ) -> Observation[CommitChecks]:
        """CI of the commit: its check runs, statuses and runs, without expectations.

        Release runs of the workflow file are excluded; runs of it that test the base branch count, and so do the
        `needed` jobs of this very run.
        """
        excluded = Exclusions(self._own_run_id, workflows, base, needed)
        return self.observe(lambda api, place: look_up_checks(api, place, sha, excluded))

    def expected_ci(
        self,
        checks: CommitChecks,
        reader: CommitReader,
        required: Sequence[str],
        workflows: tuple[str, ...] = (),
        base: str = "",
    ) -> Observation[CommitChecks]:
        """The checks of the head of the base branch with what is expected of it, and with an ancestor's CI where none
        of its own started; unavailable where that is not known.
        """
        excluded = Exclusions(self._own_run_id, workflows, base)

        def ask(api: GitHubApi, place: str) -> CommitChecks:
            try:
                lookup = ExpectedCILookup(api, place, excluded, reader.workflows(ANCESTORS), reader)
                return lookup.complete(checks, required)
            except GitFailed as failed:
                raise LookupFailed(failed.as_problem(HISTORY)) from None

        return self.observe(ask)

    def runs(self, workflow: str, filters: Sequence[Mapping[str, str]] = ({},)) -> Observation[WorkflowRuns]:
        """The runs of the workflow file that can still be unfinished: those of the last 70 days, newest first.

        `filters` are GitHub's own, each for one request: of a workflow that tests and releases, not all runs are read.
        """

        def ask(api: GitHubApi, place: str) -> WorkflowRuns:
            asked = [look_up_workflow_runs(api, place, workflow, self._own_run_id, self._now, each) for each in filters]
            return asked[0] if len(asked) == 1 else merge_runs(asked)

        return self.observe(ask)

    def runs_of(self, workflows: Mapping[str, Sequence[Mapping[str, str]]]) -> Observation[WorkflowRuns]:
        """The runs of several workflow files, each with its filters; unknown if those of one are."""
        asked = [self.runs(name, filters) for name, filters in workflows.items()] or [self.runs("")]
        unknown = next((each for each in asked if each.value is None), None)
        return unknown or known(merge_runs([each.present() for each in asked]))

    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of GitHub's; None if unknown. Sends no request."""
        return self._api.client.service(self._api.root).clock_ahead

    def rate_limit(self) -> Observation[RateLimit]:
        """The rate limit in the last response; absent if GitHub answers without one. Sends no request."""

        def read() -> RateLimit | None:
            service = self._api.client.service(self._api.root)
            limit, left = (get_number(service.limit, f"X-RateLimit-{name}") for name in ("Limit", "Remaining"))
            reset = read_reset(service.limit)
            if limit is not None and left is not None and reset:
                resets_at = reset.astimezone()
                return RateLimit(limit=limit, remaining=left, resets_at=resets_at, spent=service.responses)
            if self._answered:
                return None  # a GitHub Enterprise Server may have no limit
            raise failure("no response named a rate limit")

        return observe(read)

    def observe(self, ask: Callable[[GitHubApi, str], T | None]) -> Observation[T]:
        """Ask the API below the repository's present place, `/repos/{owner}/{name}`.

        A 404 means absent only if the repository is visible. That is looked up at the same time, and the result counts
        only once it is known.
        """

        def look() -> T | None:
            name = self._api.read_shared("repository", lambda repository: repository.full_name) or self._name
            result, error = None, None
            try:
                result = ask(self._api, f"/repos/{quote(name)}")
            except LookupFailed as failed:
                error = failed
            repository = self.visible_repository()
            if repository.full_name != name:  # it has moved: a redirect may have led elsewhere
                return ask(self._api, f"/repos/{quote(repository.full_name)}")
            if error is not None:
                raise error
            return result

        return observe(look)

    def visible_repository(self) -> Repository:
        """The repository. Raises LookupFailed where it is not visible."""
        return self._api.once("repository", self._ask_repository)

    def _ask_repository(self) -> Repository:
        place = f"/repos/{quote(self._name)}"
        data, response = self._api.get(self._api.root + place, absent=True)
        if response.status == 404:
            remedy = "check the name" if self._api.has_token else "check the name, or give a token that may see it"
            raise failure(f"the repository {self._name} is not found, or the token may not see it (404)", remedy)
        item = Fields(data, "repository")
        self._answered = True
        full_name = item.text("full_name")
        if not _FULL_NAME.fullmatch(full_name):
            raise failure(f"unexpected shape of the answer: the repository is called {full_name!r:.60}")
        # GitHub redirects a renamed repository to an address with its number.
        if not is_named(full_name, place) and urlsplit(response.url).path.endswith(place):
            raise failure(f"requested the repository {self._name}, GitHub answered for {full_name}", "try again")
        parent = item.optional_child("source") or item.optional_child("parent")  # of a fork of a fork, the first one
        return Repository(
            full_name=full_name,
            default_branch=item.text("default_branch"),
            archived=bool(item.optional_flag("archived")),
            private=item.flag("private"),
            can_push=has_right(item, "push") if self._api.has_token else None,
            can_administer=has_right(item, "admin") if self._api.has_token else None,
            token_scopes=parse_scopes(response.headers) if self._api.has_token else None,
            html_url=item.text("html_url"),
            fork_of=parent.text("full_name") if parent and item.optional_flag("fork") else None,
            pushed_at=item.nullable_moment("pushed_at") if item.has("pushed_at") else None,
        )

    def _all_releases(self, place: str) -> tuple[GitHubRelease, ...]:
        def ask() -> tuple[GitHubRelease, ...]:
            items = GitHubList(self._api, f"{place}/releases", "releases", at_once=True).read()
            return tuple({release.id: release for release in (parse_release(item, place) for item in items)}.values())

        return self._api.once(f"releases of {place}", ask)


def has_right(repository: Fields, right: str) -> bool | None:
    """Whether the token has a right on the repository; None if GitHub does not say."""
    permissions = repository.optional_child("permissions")
    # GitHub shows an app's own token every permission as false, even the permission to read what it just read.
    if permissions is None or permissions.optional_flag("pull") is False:
        return None
    return permissions.optional_flag(right)


def parse_scopes(headers: Mapping[str, str]) -> tuple[str, ...] | None:
    """The scopes of a classic token, maybe none; None for other tokens, which have no such header."""
    scopes = get_header(headers, "X-OAuth-Scopes")
    return None if scopes is None else tuple(filter(None, (scope.strip() for scope in scopes.split(","))))


def _select_pulls(place: str, branch: str, pulls: Iterable[PullRequest]) -> tuple[PullRequest, ...]:
    # GitHub ignores a filter that it cannot parse, and also lists those of forks of the same owner.
    return tuple(pull for pull in pulls if pull.head_branch == branch and is_named(pull.head_repository, place))


def parse_pulls(items: Sequence[Fields], place: str) -> list[PullRequest]:
    """The pull requests of a list, each once. Raises LookupFailed for one into another repository."""
    for pull in items:
        require_repository(pull.child("base").child("repo"), place, "pull requests")
    # One that is opened while the pages are read pushes another onto the next page, where it is listed again.
    return list({pull.number: pull for pull in map(parse_pull, items)}.values())


def parse_pull(item: Fields) -> PullRequest:
    """A pull request."""
    head, merged_at = item.child("head"), item.nullable_moment("merged_at")
    repository = head.optional_child("repo")
    state = item.text("state")
    if state not in ("open", "closed"):
        raise failure(f"unexpected shape of the answer: a pull request is {state!r:.40}")
    return PullRequest(
        number=item.number("number"),
        title=item.text("title"),
        state=state,
        merged=merged_at is not None,
        draft=bool(item.optional_flag("draft")),
        head_branch=head.text("ref"),
        head_sha=head.sha("sha"),
        head_repository=None if repository is None else repository.text("full_name"),
        base_branch=item.child("base").text("ref"),
        # If it is not merged, this is GitHub's trial merge, which is on no branch.
        merge_commit=item.optional_text("merge_commit_sha") if merged_at else None,
        created_at=item.moment("created_at"),
        closed_at=item.nullable_moment("closed_at"),
        merged_at=merged_at,
        author=item.login("user"),
        html_url=item.text("html_url"),
    )


def parse_release(item: Fields, place: str) -> GitHubRelease:
    """A GitHub Release or a draft. Raises LookupFailed for one of another repository."""
    require_address(item, place, "a release")
    return GitHubRelease(
        id=item.number("id"),
        tag=item.text("tag_name"),
        name=item.optional_text("name"),
        draft=item.flag("draft"),
        prerelease=item.flag("prerelease"),
        immutable=item.optional_flag("immutable"),
        has_notes=bool((item.optional_text("body") or "").strip()),
        assets=len(item.objects("assets")) if item.has("assets") else None,
        attached=tuple(_parse_asset(each) for each in item.optional_objects("assets")[:_MOST_ASSETS]),
        created_at=item.moment("created_at"),
        published_at=item.nullable_moment("published_at"),
        author=item.login("author"),
        html_url=item.text("html_url"),
    )


def _parse_asset(item: Fields) -> Asset:
    digest = (item.optional_text("digest") or "").removeprefix("sha256:")
    return Asset(
        name=item.text("name"),
        sha256=digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None,
        is_uploaded=item.optional_text("state") in (None, "uploaded"),
    )
