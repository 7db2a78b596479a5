"""Validates answers against GitHub's own OpenAPI document, by route, method and status.

The document is the file ``generated/api.github.com.json`` of the npm package ``@octokit/openapi`` 23.0.2; it is not
part of this repository. ``RELEASE_STATE_OPENAPI`` names a copy elsewhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import pytest
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT7

DEFAULT = Path(__file__).resolve().parents[2] / ".tools" / "openapi" / "api.github.com.json"
_ROOT = "urn:github:openapi"
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Path parameters that may hold slashes on GitHub itself.
_LONG = {"ref", "path", "branch", "tag", "basehead"}
# Nulls that real answers have against GitHub's own document: a deleted fork, and a deleted account's release.
_REAL_NULLS = {("head", "repo"), ("head", "user"), ("head", "label"), ("author",)}
# Refusals that any route can answer, though the document does not repeat them at each.
_ANYWHERE = {301, 307, 400, 401, 403, 404, 405, 409, 410, 422, 429}

_formats = FormatChecker(formats=())


def _is_date_time(value: object) -> bool:
    # Stricter than many: a moment without its zone is refused.
    if isinstance(value, str):
        if not _DATE_TIME.fullmatch(value):
            return False
        datetime.fromisoformat(re.sub(r"\.\d+", "", value).replace("Z", "+00:00"))
    return True


def _is_date(value: object) -> bool:
    if isinstance(value, str):
        date.fromisoformat(value)
    return True


_formats.checks("date-time", raises=ValueError)(_is_date_time)
_formats.checks("date", raises=ValueError)(_is_date)


def _nullable(keyword: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
    """OpenAPI 3.0: ``nullable`` beside any keyword lets null pass that keyword."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if instance is None and schema.get("nullable") is True:
            return
        yield from keyword(validator, value, instance, schema) or ()

    return check


# Draft 7 ignores what stands beside a $ref, as OpenAPI 3.0 does.
_Validator = extend(Draft7Validator, {name: _nullable(check) for name, check in Draft7Validator.VALIDATORS.items()})  # type: ignore[no-untyped-call]


class OpenApi:
    """GitHub's OpenAPI document, ready to validate answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, DRAFT7.create_resource(document))
        self._routes: list[tuple[re.Pattern[str], str]] = []
        # The most literal template first: /pulls/{n}/commits before anything that only has parameters there.
        for template in sorted(document["paths"], key=_openness):
            self._routes.append((re.compile(_expression(template)), template))

    def template(self, method: str, path: str) -> str | None:
        """The document's template for a request's path, or None when GitHub has no such route."""
        path = re.sub(r"^/repositories/\d+", "/repos/owner/repo", path)
        # The document has one route for contents, of which the top folder is the empty path.
        path = re.sub(r"/contents/?$", "/contents/.", path)
        for pattern, template in self._routes:
            if method.lower() in self.document["paths"][template] and pattern.fullmatch(path):
                return template
        return None

    def violations(self, method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> list[str]:
        """What is wrong with an answer; empty for a valid one."""
        where = f"{method} {unquote(path)} {status}"
        template = self.template(method, path)
        if template is None:
            if status < 400 and path.startswith(("/repos/", "/repositories/")):
                return [f"{where}: GitHub has no such route"]
            return self._errors(where, "#/components/schemas/basic-error", body) if status >= 400 else []
        responses = self.document["paths"][template][method.lower()]["responses"]
        if status in (204, 302, 304):
            known = str(status) in responses or status == 304
            return ([] if known else [f"{where}: not in the document"]) + ([f"{where}: has a body"] if body else [])
        if not headers.get("Content-Type", "").startswith("application/json"):
            return []
        pointer = self._pointer(template, method, status)
        if pointer is None:
            return [f"{where}: this status is not in the document"]
        return self._errors(where, pointer, body)

    def _pointer(self, template: str, method: str, status: int) -> str | None:
        base = f"#/paths/{_escape(template)}/{method.lower()}/responses/{status}"
        response = self.document["paths"][template][method.lower()]["responses"].get(str(status))
        if response and "$ref" in response:
            base = response["$ref"]
            response = self.document["components"]["responses"][base.rsplit("/", 1)[-1]]
        if response and "application/json" in response.get("content", {}):
            return f"{base}/content/application~1json/schema"
        return "#/components/schemas/basic-error" if status in _ANYWHERE else None

    def _errors(self, where: str, pointer: str, body: bytes) -> list[str]:
        try:
            instance = json.loads(body)
        except ValueError as error:
            return [f"{where}: not JSON ({error})"]
        schema = {"$ref": f"{_ROOT}{pointer}"}
        validator = _Validator(schema, registry=self._registry, format_checker=_formats)
        return [
            f"{where}: at {'/'.join(map(str, error.absolute_path)) or '(root)'}: {error.message[:300]}"
            for error in validator.iter_errors(instance)
            if not _is_real_null(error)
        ]


def _is_real_null(error: Any) -> bool:
    path = tuple(part for part in error.absolute_path if isinstance(part, str))
    return error.instance is None and (path[-2:] in _REAL_NULLS or path[-1:] in _REAL_NULLS)


def _openness(template: str) -> tuple[bool, int, int, str]:
    # A parameter that may hold slashes would swallow the more precise routes: those come first, the longest before.
    long = any(name in _LONG for name in re.findall(r"\{(\w+)\}", template))
    return long, -template.count("/") if long else 0, template.count("{"), template


def _expression(template: str) -> str:
    def part(match: re.Match[str]) -> str:
        return ".+" if match[1] in _LONG else "[^/]+"

    return re.sub(r"\\\{(\w+)\\\}", part, re.escape(template))


def _escape(text: str) -> str:
    # A pointer inside a URI fragment: its own escapes first, then those of the URI.
    return text.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


@lru_cache(maxsize=1)
def _load(path: Path) -> OpenApi:
    return OpenApi(json.loads(path.read_text(encoding="utf-8")))


def validator() -> OpenApi:
    """The validator; the calling test is skipped when the document is missing, and fails when ``CI`` is set."""
    path = Path(os.environ.get("RELEASE_STATE_OPENAPI") or DEFAULT)
    if not path.is_file():
        reason = f"GitHub's OpenAPI document is missing: {path} (npm pack @octokit/openapi@23.0.2)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return _load(path)


class Shown(Protocol):
    """What a server's hook is shown of an answer."""

    @property
    def method(self) -> str:
        """The request's verb."""

    @property
    def path(self) -> str:
        """The request's path."""

    @property
    def status(self) -> int:
        """The answer's status."""

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers."""

    @property
    def body(self) -> bytes:
        """The answer's body."""


class Hooked(Protocol):
    """A server with hooks for its answers."""

    on_answer: list[Callable[[Any], None]]


@contextmanager
def validated(server: Hooked) -> Iterator[list[str]]:
    """Collect the violations in all answers that the server gives inside the block.

    Answers that a test put in place of the server's own are not validated. Assert that the list is empty.
    """
    document = validator()
    found: list[str] = []

    def hook(answer: Shown) -> None:
        found.extend(document.violations(answer.method, answer.path, answer.status, answer.headers, answer.body))

    server.on_answer.append(hook)
    try:
        yield found
    finally:
        server.on_answer.remove(hook)
