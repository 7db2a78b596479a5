"""A package index on loopback that serves real files: several channels side by side, faults on request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.parser import BytesHeaderParser
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from release_state.demo import simple_pages as pages
from release_state.demo.dists import wheel_metadata
from release_state.demo.loopback import Reply, Request, Service
from release_state.demo.simple_pages import Project, StoredFile

__all__ = ["IndexServer", "Reply", "Request", "StoredFile"]


class IndexServer(Service):
    """
    An index whose channels have their own projects: `http://127.0.0.1:PORT/{channel}/simple/`.

    A `Service`; may be changed while it serves. Methods that take `what` take a version or a file name. Raises
    `KeyError` where a method is told of a channel, project or file that is not there.
    """

    def __init__(self, channels: tuple[str, ...] = ("pypi", "testpypi"), project: str = "orbit-demo") -> None:
        super().__init__()
        self.channels: dict[str, dict[str, Project]] = {channel: {} for channel in channels}
        self.project = canonicalize_name(project)
        self.lists_versions = True
        """Whether pages say which versions there are; an index from before PEP 700 does not."""

    def index_url(self, channel: str) -> str:
        """The root of a channel's Simple API, for pip's `--index-url`."""
        return f"{self.url}/{channel}/simple/"

    def upload(
        self,
        channel: str,
        filename: str,
        content: bytes,
        upload_time: datetime,
        *,
        version: str | None = None,
        requires_python: str | None = ">=3.10",
        provenance: Mapping[str, Any] | None = None,
    ) -> StoredFile:
        """
        Take a file into a channel; project and version come from its name.

        A wheel's `Requires-Python` is read from it. `version` names it where the file name is not parseable (the
        project is the default one then). Raises `ValueError` where there is a file of that name already.
        """
        with self.lock:
            name, told = (self.project, version) if version else pages.name_and_version(filename)
            project = self.channels[channel].setdefault(name, Project(name, serial=0))
            if filename in project.files:
                raise ValueError(f"{filename} exists on {channel}")
            metadata = wheel_metadata(content) if filename.endswith(".whl") else None
            if metadata is not None:
                requires_python = BytesHeaderParser().parsebytes(metadata)["Requires-Python"]
            stored = StoredFile(filename, content, told or "", upload_time, requires_python, metadata)
            stored.provenance = provenance
            project.files[filename] = stored
            project.serial += 1
            return stored

    def files(self, channel: str, what: str | None = None, *, project: str | None = None) -> list[StoredFile]:
        """The files of a version, or the one of a name, or all; an empty list when nothing matches."""
        found = self.channels[channel].get(canonicalize_name(project or self.project))
        with self.lock:
            files = list(found.files.values()) if found else []
        return [file for file in files if what is None or what in (file.version, file.filename)]

    def yank(self, channel: str, what: str, reason: str | None = None, *, project: str | None = None) -> None:
        """Yank a version or a file, with a reason or without (PEP 592)."""
        # PEP 691: the text is not empty; without a text, it is true.
        self._mark(channel, what, project, reason or True)

    def unyank(self, channel: str, what: str, *, project: str | None = None) -> None:
        """Take a yank back."""
        self._mark(channel, what, project, False)

    def _mark(self, channel: str, what: str, project: str | None, yanked: bool | str) -> None:
        with self.lock:
            files = self.files(channel, what, project=project)
            if not files:
                raise KeyError(what)
            for file in files:
                file.yanked = yanked
            self._named(channel, project).serial += 1

    def lag(self, channel: str, what: str, *, lags: bool = True, project: str | None = None) -> None:
        """Let the Simple API be behind with a version or a file, or let it have caught up."""
        with self.lock:
            for file in self.files(channel, what, project=project):
                file.lags = lags

    def delete(self, channel: str, what: str, *, keep_listed: bool = False, project: str | None = None) -> None:
        """Delete a version or a file; `keep_listed` leaves the version listed though it has no file any more."""
        with self.lock:
            found = self._named(channel, project)
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
            found = self._named(channel, project)
            found.status, found.status_reason = status, reason
            found.serial += 1

    def _named(self, channel: str, project: str | None) -> Project:
        return self.channels[channel][canonicalize_name(project or self.project)]

    def answer(self, request: Request) -> Reply:
        """What the index says to a request, without the network."""
        path = urlsplit(request.path).path
        match [unquote(part) for part in path.lstrip("/").split("/")]:
            case [channel, *rest] if channel in self.channels:
                with self.lock:
                    reply = self._in_channel(channel, rest, path, request.headers.get("accept", "*/*"))
                return _if_changed(request, reply) if rest[0] == "simple" else reply
        return _not_found()

    def _in_channel(self, channel: str, rest: list[str], path: str, accept: str) -> Reply:
        projects = self.channels[channel]
        root = f"{self.url}/{channel}"
        match rest:
            case ["simple"]:
                return _redirect(f"/{channel}/simple/")
            case ["simple", ""]:
                listed = [projects[name] for name in sorted(projects)]
                serial = sum(project.serial for project in listed)
                return _page(accept, lambda: pages.root_json(listed, serial), lambda: pages.root_html(listed, path))
            case ["simple", name, *slash] if slash in ([], [""]):
                normalized = canonicalize_name(name)
                if name != normalized or not slash:
                    return _redirect(f"/{channel}/simple/{normalized}/")
                if project := projects.get(normalized):
                    serials = {"X-PyPI-Last-Serial": str(project.serial)}
                    as_json = partial(pages.project_json, project, root, lists_versions=self.lists_versions)
                    return _page(accept, as_json, partial(pages.project_html, project, root), serials)
            case ["pypi", name, *version, "json"] if len(version) < 2:
                project = projects.get(canonicalize_name(name))
                body = pages.json_api(project, root, *version) if project else None
                if body is not None:
                    return Reply(200, body, {"Content-Type": "application/json"})
            case ["files", filename]:
                return _file({name: file for held in projects.values() for name, file in held.files.items()}, filename)
            case ["integrity", name, _, filename, "provenance"] if name in projects:
                file = projects[name].files.get(filename)
                if file is not None and file.provenance is not None:
                    content = json.dumps(file.provenance).encode()
                    return Reply(200, content, {"Content-Type": "application/vnd.pypi.integrity.v1+json"})
        return _not_found()


def _if_changed(request: Request, reply: Reply) -> Reply:
    """A page under its ETag, as PyPI gives it; 304 to who has it already."""
    if reply.status != 200:
        return reply
    tag = f'"{hashlib.sha256(reply.body + reply.headers["Content-Type"].encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Reply(304, b"", {"ETag": tag})
    return Reply(reply.status, reply.body, {**reply.headers, "ETag": tag})


def _file(files: Mapping[str, StoredFile], filename: str) -> Reply:
    """A file, or the metadata beside it (PEP 658)."""
    content: bytes | None = None
    if file := files.get(filename):
        content = file.content
    elif file := files.get(filename.removesuffix(".metadata")):
        content = file.metadata
    return _not_found() if content is None else Reply(200, content, {"Content-Type": "application/octet-stream"})


def _not_found() -> Reply:
    return Reply(404, b"404 Not Found", {"Content-Type": "text/plain; charset=utf-8"})


def _redirect(path: str) -> Reply:
    return Reply(301, b"", {"Location": path})


def _page(
    accept: str, as_json: Callable[[], bytes], as_html: Callable[[], bytes], headers: Mapping[str, str] | None = None
) -> Reply:
    """The form that the client prefers (PEP 691, version and format selection); 406 when it takes neither."""
    kind = _negotiate(accept)
    if kind is None:
        return Reply(406, b"406 Not Acceptable", {"Content-Type": "text/plain; charset=utf-8"})
    common = {"Vary": "Accept", **(headers or {})}
    if kind == pages.JSON_TYPE:
        return Reply(200, as_json(), {"Content-Type": kind, **common})
    return Reply(200, as_html(), {"Content-Type": f"{kind}; charset=utf-8", **common})


def _negotiate(accept: str) -> str | None:
    offers = {
        "text/html": "text/html",
        pages.HTML_TYPE: pages.HTML_TYPE,
        pages.JSON_TYPE: pages.JSON_TYPE,
        pages.HTML_TYPE.replace("v1", "latest"): pages.HTML_TYPE,
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
