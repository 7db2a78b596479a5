"""Answers that are kept under their ETag: asked for again each time, and never used unasked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from release_state.demo.loopback import Request
from release_state.model.target import Channel
from release_state.observe.github.github import GitHub
from release_state.observe.http.cache import ResponseCache, is_revalidated
from release_state.observe.http.client import HttpClient, LookupFailed
from release_state.observe.index.index import observe_index
from tests.observe.test_github import BRANCH, WRITE, server
from tests.standins.github import GitHubServer
from tests.standins.index import IndexServer
from tests.standins.services import Reply

__all__ = ["server"]
TAG = "v0.2.0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "answers"


def github(server: GitHubServer, folder: Path, token: str = WRITE) -> GitHub:
    """What asks in a new run."""
    client = HttpClient(5, token=token, token_host=server.url, cache=ResponseCache(folder))
    return GitHub(client, server.url, "example-org/orbit")


def statuses(server: GitHubServer, path: str) -> list[int]:
    found = [request.status for request in server.requests if request.path.endswith(path)]
    server.requests.clear()
    return found


def test_an_answer_that_still_holds_is_not_sent_again(server: GitHubServer, folder: Path) -> None:
    server.add_release(TAG, body="notes")
    first = github(server, folder).release_by_tag(TAG)
    again = github(server, folder)
    assert again.release_by_tag(TAG) == first
    limit = again.rate_limit().present()
    assert limit.remaining == limit.limit - 3, "the repository is asked for in full, and a 304 is not counted"
    assert statuses(server, TAG) == [200, 304]


def test_what_has_changed_takes_the_place_of_what_was_kept(server: GitHubServer, folder: Path) -> None:
    server.add_pull(BRANCH, title="one")
    assert len(github(server, folder).pulls(BRANCH).present()) == 1
    server.add_pull(BRANCH, title="two", merged=True)
    for _ in range(2):
        assert len(github(server, folder).pulls(BRANCH).present()) == 2
    assert statuses(server, "/pulls") == [200, 200, 304]


def test_another_caller_does_not_ask_with_it(server: GitHubServer, folder: Path) -> None:
    server.add_release(TAG, body="notes")
    server.tokens["another-token"] = "read"
    github(server, folder).release_by_tag(TAG)
    github(server, folder, "another-token").release_by_tag(TAG)
    assert statuses(server, TAG) == [200, 200]
    held = [path.name + path.read_text(encoding="utf-8") for path in folder.iterdir()]
    assert len(held) == 2
    assert not [text for text in held if "another-token" in text or "Bearer" in text]


def test_a_full_page_is_not_kept(server: GitHubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there are more pages by now is not in the ETag of one."""
    monkeypatch.setattr("release_state.observe.github.lists.PAGE_SIZE", 2)
    for title in "ab":
        server.add_pull("conflict", title=title)
    for _ in range(2):
        assert len(github(server, folder).open_release_pulls(lambda _: True).present()) == 2
    assert set(statuses(server, "/pulls")) == {200}
    assert not folder.exists()


def test_a_list_that_has_grown_is_followed(server: GitHubServer, folder: Path) -> None:
    """The links are those of the 304, never those of the answer that was kept."""
    server.add_pull(BRANCH, title="one")
    assert len(github(server, folder).pulls(BRANCH).present()) == 1
    more = f'<{server.url}/repos/example-org/orbit/pulls?page=2>; rel="next"'

    def intercept(request: Request) -> Reply | None:
        if request.query.get("page") == "2":
            return Reply(500)
        tag = request.headers.get("if-none-match")
        return Reply(304, {"Link": more, "ETag": tag}) if tag else None

    server.intercept = intercept
    assert not github(server, folder).pulls(BRANCH).is_known


@pytest.mark.parametrize("trouble", ["cut", "garbled", "of another question", "empty", "readable by others", "a link"])
def test_what_cannot_be_relied_on_is_asked_for_in_full(trouble: str, server: GitHubServer, folder: Path) -> None:
    server.add_release(TAG, body="notes")
    first = github(server, folder).release_by_tag(TAG)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    if trouble == "readable by others":
        folder.chmod(0o755)
    elif trouble == "a link":
        folder.rename(folder.with_name("elsewhere")).chmod(0o700)
        folder.symlink_to("elsewhere")
    else:
        other = whole.replace(path.stem.encode(), b"0" * 64)
        garbled = whole.replace(b'"notes"', b'"votes"')
        text = {"cut": whole[:-1], "garbled": garbled, "of another question": other, "empty": b""}[trouble]
        assert text != whole
        path.write_bytes(text)
    assert github(server, folder).release_by_tag(TAG) == first
    assert statuses(server, TAG) == [200, 200]


def test_a_304_that_was_not_asked_for_is_no_answer(server: GitHubServer, folder: Path) -> None:
    server.intercept = lambda request: Reply(304)
    with pytest.raises(LookupFailed, match="304"):
        HttpClient(5, cache=ResponseCache(folder)).get(f"{server.url}/x", may_keep=True)


def test_what_leads_elsewhere_is_not_kept(server: GitHubServer, folder: Path) -> None:
    server.renamed_from.add("old-org/orbit")
    server.add_release(TAG, body="notes")
    client = HttpClient(5, token=WRITE, token_host=server.url, cache=ResponseCache(folder))
    answer = client.get(f"{server.url}/repos/old-org/orbit/releases/tags/{TAG}", may_keep=True)
    client.keep(answer)
    assert answer.status == 200
    assert not folder.exists()


def test_only_the_owner_can_read_them_and_they_are_few(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_state.observe.http.cache._MOST", 3)
    kept = ResponseCache(folder)
    for number in range(5):
        kept.put((str(number),), {"ETag": '"x"', "Content-Type": "text/plain"}, b"body")
    kept.put(("no tag",), {"Content-Type": "text/plain"}, b"body")
    files = list(folder.iterdir())
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in (folder, *files)} == {0o700, 0o600}
    assert kept.get(("4",)) is not None
    assert kept.get(("no tag",)) is None


def test_a_folder_that_cannot_be_made_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = ResponseCache(tmp_path / "file" / "answers")
    kept.put(("x",), {"ETag": '"x"', "Content-Type": "text/plain"}, b"body")
    assert kept.get(("x",)) is None


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer() as started:
        yield started


def test_the_page_of_an_index_is_kept_too(index: IndexServer, folder: Path) -> None:
    index.upload("pypi", "orbit_demo-0.2.0.tar.gz", b"sdist", datetime(2026, 1, 1, tzinfo=timezone.utc))
    channel = Channel(name="pypi", index_url=index.index_url("pypi"))
    first, second = (
        observe_index(HttpClient(5, cache=ResponseCache(folder)), channel, "orbit-demo", "0.2.0") for _ in range(2)
    )
    assert first.present().files
    assert first == second
    assert [request.status for request in index.requests] == [200, 304]


def _long_ago(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) - timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": '"another"'},
        {"ETag": "{sent}", "Age": "86400"},
        {"ETag": "{sent}", "Date": _long_ago(7200)},
        {"ETag": "{sent}", "Warning": '110 proxy "Response is Stale"'},
    ],
    ids=["no tag", "another tag", "kept for a day", "of two hours ago", "stale"],
)
def test_a_304_of_something_else_is_not_believed(headers: dict[str, str], server: GitHubServer, folder: Path) -> None:
    """As a proxy says that answers 304 to whoever asks with a condition: the release is gone meanwhile."""
    number = server.add_release(TAG, body="notes")
    assert github(server, folder).release_by_tag(TAG).present()
    del server.releases[number]
    sent = []

    def intercept(request: Request) -> Reply | None:
        if "if-none-match" not in request.headers:
            return None
        sent.append(request.headers["if-none-match"])
        return Reply(304, {name: text.format(sent=sent[-1]) for name, text in headers.items()})

    server.intercept = intercept
    found = github(server, folder).release_by_tag(TAG)
    assert found.is_known and found.value is None
    assert sent, "it was asked with the condition first"


def test_a_304_to_everything_is_no_answer(server: GitHubServer, folder: Path) -> None:
    server.add_release(TAG, body="notes")
    assert github(server, folder).release_by_tag(TAG).present()
    server.intercept = lambda request: Reply(304)
    assert not github(server, folder).release_by_tag(TAG).is_known


@pytest.mark.parametrize(
    "headers",
    [{"Age": "86400"}, {"Warning": '112 proxy "Disconnected Operation"'}],
    ids=["kept for a day", "disconnected"],
)
def test_an_old_answer_of_a_cache_is_no_answer(headers: dict[str, str], server: GitHubServer, folder: Path) -> None:
    old = Reply(200, {"Content-Type": "application/json", **headers}, b"[]")
    server.intercept = lambda request: old if request.path.endswith("/pulls") else None
    asker = github(server, folder)
    assert asker.repository().present()
    found = asker.pulls(BRANCH)
    assert found.unavailable and found.unavailable.is_temporary
    assert "from a cache" in found.unavailable.why
    assert {request.headers["cache-control"] for request in server.requests} == {"no-cache"}


def test_a_weak_tag_is_compared_weakly() -> None:
    assert is_revalidated({"ETag": '"a"'}, 'W/"a"')
    assert not is_revalidated({"ETag": 'W/"a"'}, '"b"')
