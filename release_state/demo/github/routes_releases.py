"""Routes of GitHub Releases.

Source: https://docs.github.com/rest/releases/releases, /rest/releases/assets
"""

from __future__ import annotations

from release_state.demo.github import render_pulls
from release_state.demo.github.gitstore import is_ref_name
from release_state.demo.github.model import Release, moment
from release_state.demo.github.routing import Call, Result, invalid, not_found, route


@route("GET", "/releases", permission="contents=read")
def releases(call: Call) -> Result:
    """The releases, newest first; drafts come first and only for callers who may push."""
    call.state.refresh_releases()
    found = [item for item in call.state.releases.values() if not item.draft or call.may("write")]
    found.sort(key=lambda item: (item.draft, item.created_at, item.id), reverse=True)
    return call.page(found, lambda item: render_pulls.release(call.render, item))


@route("GET", "/releases/latest", permission="contents=read")
def latest_release(call: Call) -> Result:
    """The release with the mark *Latest*; never a draft nor a pre-release."""
    found = call.state.find_latest_release()
    if found is None:
        raise not_found()
    return _shown(call, found)


@route("GET", "/releases/tags/{tag:path}", permission="contents=read")
def release_of_tag(call: Call) -> Result:
    """The published release of a tag. A draft is not found here, whoever asks."""
    call.state.refresh_releases()
    for item in call.state.releases.values():
        if item.tag == call["tag"] and not item.draft:
            return _shown(call, item)
    raise not_found()


@route("GET", "/releases/{id}", permission="contents=read")
def release(call: Call) -> Result:
    """One release by its id; a draft only for callers who may push."""
    return _shown(call, _find(call))


@route("GET", "/releases/assets/{id}", permission="contents=read")
def asset(call: Call) -> Result:
    """A file attached to a release: what it is, or a redirect to its bytes for who accepts these."""
    call.state.refresh_releases()
    for item in call.state.releases.values():
        for found in item.assets if call.may("write") or not item.draft else ():
            if found.id == call.number("id"):
                if call.request.headers.get("accept") != "application/octet-stream":
                    return Result(render_pulls.release_asset(call.render, item, found))
                place = f"{call.render.api}/_assets/{found.id}?sig=signed"
                return Result(b"", 302, {"Location": place, "Content-Type": "text/html"})
    raise not_found()


@route("GET", "/_assets/{id}", root=True)
def asset_bytes(call: Call) -> Result:
    """The bytes; the address is its own permission, as with GitHub's storage."""
    for item in call.state.releases.values():
        for found in item.assets:
            if found.id == call.number("id"):
                return Result(found.data, headers={"Content-Type": "application/octet-stream"})
    raise not_found()


@route("POST", "/releases", right="write", permission="contents=write")
def create_release(call: Call) -> Result:
    """Create a release, and when it is no draft also its tag, at the target, if there is none."""
    body, state = call.body, call.state
    tag = str(body.get("tag_name") or "")
    if not tag:
        raise invalid({"resource": "Release", "code": "missing_field", "field": "tag_name"})
    draft, prerelease = bool(body.get("draft")), bool(body.get("prerelease"))
    _check_tag(call, tag, None if draft else str(body.get("target_commitish") or state.default_branch))
    notes = f"**Full Changelog**: {call.render.repo_web}/commits/{tag}" if body.get("generate_release_notes") else ""
    # Over the API a new release is the latest one unless the request says otherwise.
    latest = str(body.get("make_latest", "true"))
    made = state.add_release(
        tag, name=body.get("name"), body=body.get("body") or notes, draft=draft, prerelease=prerelease,
        target=str(body.get("target_commitish") or ""), author=call.login, make_latest=latest,
    )  # fmt: skip
    shown = _shown(call, state.releases[made])
    return Result(shown.body, 201, {"Location": shown.body["url"]})


@route("PATCH", "/releases/{id}", right="write", permission="contents=write")
def update_release(call: Call) -> Result:
    """Change a release; a draft that is published gets its tag."""
    found, body, state = _find(call), call.body, call.state
    tag, draft = str(body.get("tag_name", found.tag)), bool(body.get("draft", found.draft))
    target = str(body.get("target_commitish", found.target))
    if tag != found.tag or (found.draft and not draft):
        _check_tag(call, tag, None if draft else target)
    if found.draft and not draft:
        found.published_at = moment(state.now())
    if body.get("make_latest") == "true" or (found.draft and not draft and "make_latest" not in body):
        state.latest_release = found.id
    elif body.get("make_latest") in ("false", "legacy") and state.latest_release == found.id:
        state.latest_release = None
    found.make_latest = str(body.get("make_latest", found.make_latest))
    found.tag, found.draft, found.target = tag, draft, target
    found.name, found.body = body.get("name", found.name), body.get("body", found.body)
    found.prerelease = bool(body.get("prerelease", found.prerelease))
    found.updated_at = moment(state.now())
    return _shown(call, found)


@route("DELETE", "/releases/{id}", right="write", permission="contents=write")
def delete_release(call: Call) -> Result:
    """Delete a release; its tag stays."""
    del call.state.releases[_find(call).id]
    return Result(status=204)


def _find(call: Call) -> Release:
    call.state.refresh_releases()
    found = call.state.releases.get(call.number("id"))
    if found is None or (found.draft and not call.may("write")):
        raise not_found()
    return found


def _shown(call: Call, found: Release) -> Result:
    return Result(render_pulls.release(call.render, found))


def _check_tag(call: Call, tag: str, target: str | None) -> None:
    """Refuse a tag that another release has; create it at the target, which is None for a draft."""
    state = call.state
    if not is_ref_name(f"refs/tags/{tag}"):
        raise invalid(
            {"resource": "Release", "code": "custom", "field": "tag_name", "message": "tag_name is not a valid tag"}
        )
    if target is None:
        return
    if any(item.tag == tag and not item.draft for item in state.releases.values()):
        raise invalid({"resource": "Release", "code": "already_exists", "field": "tag_name"})
    if state.git.ref(f"refs/tags/{tag}") is None:
        sha = state.git.resolve(target)
        if sha is None:
            raise invalid({"resource": "Release", "code": "invalid", "field": "target_commitish"})
        state.git.set_ref(f"refs/tags/{tag}", sha)
