"""The demo world's package index with what tests need besides: HTML pages, late pages, deletions, further states."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import Any

from packaging.utils import canonicalize_name

from release_state.demo import index
from release_state.demo import simple_pages as pages
from release_state.demo.loopback import Reply, Request
from release_state.demo.simple_pages import Project, StoredFile
from tests.standins.services import ObservedService

_HTML_TYPE = "application/vnd.pypi.simple.v1+html"


class IndexServer(ObservedService, index.IndexServer):
    """An index that tests change while it serves; its pages come as JSON or HTML (PEP 691, format selection)."""

    def __init__(self, channels: tuple[str, ...] = ("pypi", "testpypi"), project: str = "orbit-demo") -> None:
        super().__init__(channels, project)
        self.lists_versions = True
        """Whether pages say which versions there are; an index from before PEP 700 does not."""

    def unyank(self, channel: str, what: str, *, project: str | None = None) -> None:
        """Take a yank back."""
        self.mark(channel, what, project, False)

    def lag(self, channel: str, what: str, *, lags: bool = True, project: str | None = None) -> None:
        """Let the Simple API be behind with a version or a file, or let it have caught up."""
        with self.lock:
            for file in self.files(channel, what, project=project):
                file.lags = lags

    def delete(self, channel: str, what: str, *, keep_listed: bool = False, project: str | None = None) -> None:
        """Delete a version or a file; `keep_listed` leaves the version listed though it has no file any more."""
        with self.lock:
            found = self.find_project(channel, project)
            files = self.files(channel, what, project=project)
            if not files and what not in found.listed:
                raise KeyError(what)
            found.listed.discard(what)
            for file in files:
                del found.files[file.filename]
                if keep_listed:
                    found.listed.add(file.version)
            found.serial += 1

    def list_version(self, channel: str, version: str, *, project: str | None = None) -> None:
        """List a version that has no file; makes the project where it does not exist."""
        with self.lock:
            name = canonicalize_name(project or self.project)
            found = self.channels[channel].setdefault(name, Project(name, serial=0))
            found.listed.add(version)
            found.serial += 1

    def set_status(
        self, channel: str, status: str | None, reason: str | None = None, *, project: str | None = None
    ) -> None:
        """Mark the project `active`, `archived`, `quarantined` or `deprecated` (PEP 792); None: no marker."""
        with self.lock:
            found = self.find_project(channel, project)
            found.status, found.status_reason = status, reason
            found.serial += 1

    def answer_in(self, channel: str, rest: list[str], request: Request) -> Reply:
        """The answer of a channel, with the JSON API."""
        match rest:
            case ["pypi", name, *version, "json"] if len(version) < 2:
                project = self.channels[channel].get(canonicalize_name(name))
                body = _json_api(project, f"{self.url}/{channel}", *version) if project else None
                if body is not None:
                    return index.json_reply("application/json", body)
        return super().answer_in(channel, rest, request)

    def show_root(self, request: Request, projects: Sequence[Project]) -> Reply:
        """The list of a channel's projects in the form that the client prefers."""
        return _in_form(request, super().show_root(request, projects), lambda: _root_html(projects, request.path))

    def show_project(self, request: Request, project: Project, root: str) -> Reply:
        """The page of a project in the form that the client prefers."""
        reply = super().show_project(request, project, root)
        if not self.lists_versions:
            page = json.loads(reply.body)
            del page["versions"]
            reply.body = json.dumps(page).encode()
        return _in_form(request, reply, lambda: _project_html(project, root))


def _in_form(request: Request, as_json: Reply, as_html: Callable[[], bytes]) -> Reply:
    """A page in the form that the client prefers; 406 when it takes neither."""
    kind = _negotiate(request.headers.get("accept", "*/*"))
    if kind is None:
        return Reply(406, {"Content-Type": "text/plain; charset=utf-8"}, b"406 Not Acceptable")
    if kind == pages.JSON_TYPE:
        return as_json
    return Reply(200, {"Content-Type": f"{kind}; charset=utf-8"}, as_html())


def _negotiate(accept: str) -> str | None:
    offers = {
        "text/html": "text/html",
        _HTML_TYPE: _HTML_TYPE,
        pages.JSON_TYPE: pages.JSON_TYPE,
        _HTML_TYPE.replace("v1", "latest"): _HTML_TYPE,
        pages.JSON_TYPE.replace("v1", "latest"): pages.JSON_TYPE,
        "text/*": "text/html",
        "application/*": pages.JSON_TYPE,
        "*/*": "text/html",
    }
    best: tuple[float, str | None] = (0.0, None)
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                with suppress(ValueError):
                    quality = float(parameter[2:])
        if kind in offers and quality > best[0]:
            best = (quality, offers[kind])
    return best[1]


def _project_html(project: Project, root: str) -> bytes:
    """The project page as PEP 503 HTML."""
    project = project.simple
    meta = {"pypi:repository-version": pages.API_VERSION}
    if project.status is not None:
        meta["pypi:project-status"] = project.status
        if project.status_reason is not None:
            meta["pypi:project-status-reason"] = project.status_reason
    links = []
    for file in project.files.values():
        attributes = {"href": f"{pages.file_url(root, file)}#sha256={file.sha256}"}
        if file.requires_python is not None:
            attributes["data-requires-python"] = file.requires_python
        if file.metadata is not None:
            digest = f"sha256={hashlib.sha256(file.metadata).hexdigest()}"
            attributes |= {"data-core-metadata": digest, "data-dist-info-metadata": digest}
        if file.yanked is not False:
            attributes["data-yanked"] = "" if file.yanked is True else file.yanked
        if file.provenance is not None:
            attributes["data-provenance"] = pages.provenance_url(root, project, file)
        links.append((attributes, file.filename))
    return _as_html(f"Links for {project.name}", meta, links)


def _root_html(projects: Iterable[Project], prefix: str) -> bytes:
    """The list of projects as PEP 503 HTML; `prefix` is the path of the page."""
    links = [({"href": f"{prefix}{project.name}/"}, project.name) for project in projects]
    return _as_html("Simple index", {"pypi:repository-version": pages.API_VERSION}, links)


def _as_html(title: str, meta: Mapping[str, str], links: Iterable[tuple[Mapping[str, str], str]]) -> bytes:
    lines = ["<!DOCTYPE html>", "<html>", "<head>"]
    lines += [f'<meta name="{escape(name)}" content="{escape(value)}">' for name, value in meta.items()]
    lines += [f"<title>{escape(title)}</title>", "</head>", "<body>", f"<h1>{escape(title)}</h1>"]
    for attributes, text in links:
        shown = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
        lines.append(f"<a {shown}>{escape(text)}</a><br>")
    return "\n".join([*lines, "</body>", "</html>", ""]).encode()


def _json_api(project: Project, root: str, version: str | None = None) -> dict[str, Any] | None:
    """
    The JSON API's answer for a project, or for one version of it; None when that is not listed.

    It has the fields for the files and their yanks alone. Without a version, it describes the latest final release that
    is not yanked, as the real API does.
    """
    held: dict[str, list[StoredFile]] = {listed: [] for listed in project.versions}
    for file in project.files.values():
        held[file.version].append(file)
    chosen = (
        _latest(project) if version is None else next((v for v in held if pages.order(v) == pages.order(version)), None)
    )
    if chosen is None:
        return None
    urls = [_api_file(root, file) for file in held[chosen]]
    reasons = [file.yanked for file in held[chosen]]
    yanked = bool(reasons) and all(reason is not False for reason in reasons)
    answer: dict[str, Any] = {
        "info": {
            "name": project.name,
            "version": chosen,
            "requires_python": urls[0]["requires_python"] if urls else None,
            "yanked": yanked,
            "yanked_reason": next((r for r in reasons if isinstance(r, str)), None) if yanked else None,
        },
        "last_serial": project.serial,
        "urls": urls,
        "vulnerabilities": [],
    }
    if version is None:
        answer["releases"] = {listed: [_api_file(root, file) for file in files] for listed, files in held.items()}
    return answer


def _latest(project: Project) -> str | None:
    good = {file.version for file in project.files.values() if file.yanked is False}
    ranked = sorted(project.versions, key=lambda v: (v in good, not pages.order(v)[1].is_prerelease, pages.order(v)))
    return ranked[-1] if ranked else None


def _api_file(root: str, file: StoredFile) -> dict[str, Any]:
    uploaded = pages.timestamp(file.upload_time)
    return {
        "filename": file.filename,
        "url": pages.file_url(root, file),
        "digests": {"sha256": file.sha256},
        "packagetype": "bdist_wheel" if file.filename.endswith(".whl") else "sdist",
        "requires_python": file.requires_python,
        "size": len(file.content),
        "upload_time": uploaded[:19],
        "upload_time_iso_8601": uploaded,
        "yanked": file.yanked is not False,
        "yanked_reason": file.yanked if isinstance(file.yanked, str) else None,
    }
