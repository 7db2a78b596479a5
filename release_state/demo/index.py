"""A package index on loopback that serves real files, with several channels side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from release_state.demo import simple_pages as pages
from release_state.demo.dists import wheel_metadata
from release_state.demo.loopback import Reply, Request, Service
from release_state.demo.simple_pages import Project, StoredFile

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class IndexServer(Service):
    """
    An index whose channels have their own projects: `http://127.0.0.1:PORT/{channel}/simple/`.

    It may be changed while it serves. A parameter `what` is a version or a file name. Methods raise `KeyError` for a
    channel, project or file that does not exist.
    """

    def __init__(self, channels: tuple[str, ...] = ("pypi", "testpypi"), project: str = "orbit-demo") -> None:
        super().__init__()
        self.channels: dict[str, dict[str, Project]] = {channel: {} for channel in channels}
        self.project = canonicalize_name(project)

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
        project is the default one then). Raises `ValueError` when the channel has a file of that name.
        """
        with self.lock:
            name, parsed = (self.project, version) if version else pages.name_and_version(filename)
            project = self.channels[channel].setdefault(name, Project(name, serial=0))
            if filename in project.files:
                raise ValueError(f"{filename} exists on {channel}")
            metadata = wheel_metadata(content) if filename.endswith(".whl") else None
            if metadata is not None:
                requires_python = BytesHeaderParser().parsebytes(metadata)["Requires-Python"]
            stored = StoredFile(filename, content, parsed, upload_time, requires_python, metadata)
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
        self.mark(channel, what, project, reason or True)

    def mark(self, channel: str, what: str, project: str | None, yanked: bool | str) -> None:
        """Set the yank of a version or a file."""
        with self.lock:
            files = self.files(channel, what, project=project)
            if not files:
                raise KeyError(what)
            for file in files:
                file.yanked = yanked
            self.find_project(channel, project).serial += 1

    def find_project(self, channel: str, project: str | None) -> Project:
        """The project of a name, or the default one."""
        return self.channels[channel][canonicalize_name(project or self.project)]

    def answer(self, request: Request) -> Reply:
        """The page, file or JSON that the path names."""
        channel, *rest = (unquote(part) for part in request.path.lstrip("/").split("/"))
        if channel not in self.channels:
            return _not_found()
        with self.lock:
            reply = self.answer_in(channel, rest, request)
        return _if_changed(request, reply) if rest[:1] == ["simple"] else reply

    def answer_in(self, channel: str, rest: list[str], request: Request) -> Reply:
        """The answer of a channel; `rest` is the path in it."""
        projects = self.channels[channel]
        root = f"{self.url}/{channel}"
        match rest:
            case ["simple"]:
                return _redirect(f"/{channel}/simple/")
            case ["simple", ""]:
                return self.show_root(request, [projects[name] for name in sorted(projects)])
            case ["simple", name, *slash] if slash in ([], [""]):
                normalized = canonicalize_name(name)
                if name != normalized or not slash:
                    return _redirect(f"/{channel}/simple/{normalized}/")
                if project := projects.get(normalized):
                    reply = self.show_project(request, project, root)
                    reply.headers["X-PyPI-Last-Serial"] = str(project.serial)
                    return reply
            case ["files", filename]:
                return _file({name: file for held in projects.values() for name, file in held.files.items()}, filename)
            case ["integrity", name, _, filename, "provenance"] if name in projects:
                file = projects[name].files.get(filename)
                if file is not None and file.provenance is not None:
                    return json_reply("application/vnd.pypi.integrity.v1+json", file.provenance)
        return _not_found()

    def show_root(self, request: Request, projects: Sequence[Project]) -> Reply:
        """The list of a channel's projects."""
        return json_reply(pages.JSON_TYPE, pages.root_page(projects))

    def show_project(self, request: Request, project: Project, root: str) -> Reply:
        """The page of a project; `root` is the address of its channel."""
        return json_reply(pages.JSON_TYPE, pages.project_page(project, root))


def json_reply(content_type: str, body: object) -> Reply:
    """A successful answer with a JSON body."""
    return Reply(200, {"Content-Type": content_type}, json.dumps(body).encode())


def _if_changed(request: Request, reply: Reply) -> Reply:
    """A page under its ETag, as PyPI gives it; 304 to who has it already."""
    if reply.status != 200:
        return reply
    tag = f'"{hashlib.sha256(reply.body + reply.headers["Content-Type"].encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Reply(304, {"ETag": tag})
    return Reply(reply.status, {**reply.headers, "Vary": "Accept", "ETag": tag}, reply.body)


def _file(files: Mapping[str, StoredFile], filename: str) -> Reply:
    """A file, or the metadata beside it (PEP 658)."""
    content: bytes | None = None
    if file := files.get(filename):
        content = file.content
    elif file := files.get(filename.removesuffix(".metadata")):
        content = file.metadata
    return _not_found() if content is None else Reply(200, {"Content-Type": "application/octet-stream"}, content)


def _not_found() -> Reply:
    return Reply(404, _TEXT, b"404 Not Found")


def _redirect(path: str) -> Reply:
    return Reply(301, {"Location": path})
