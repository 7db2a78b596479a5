"""How tools print one failure: a refusal of the index in the words of each uploading tool, as the log shows it."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from pypi_simple import PYPI_SIMPLE_ENDPOINT

STAMP = "2026-01-02T03:04:05.1234567Z "
UPLOAD = f"https://upload.{urlsplit(PYPI_SIMPLE_ENDPOINT).hostname}/legacy/"
ESC = "\x1b"


def step(title: str, *output: str, code: int | None = 1) -> list[str]:
    """A step's lines: its script, what it printed, and how it ended; no code: it ended well."""
    ended = [f"##[error]Process completed with exit code {code}."] if code is not None else []
    return [f"##[group]Run {title}", "shell: /usr/bin/bash -e {0}", "##[endgroup]", *output, *ended]


def log(*steps: Sequence[str]) -> str:
    """The log of a job with these steps and the cleanup after them."""
    before = ["Current runner version: '2.335.1'", *step("actions/checkout@v4", code=None)]
    lines = [*before, *(line for each in steps for line in each), "Post job cleanup.", "Cleaning up orphan processes"]
    return "\ufeff" + "".join(f"{STAMP}{line}\n" for line in lines)


def twine(status: str, reason: str) -> str:
    """Twine prints through rich, which breaks lines after eighty columns."""
    words = f"HTTPError: {status} from {UPLOAD} {reason}"
    wrapped = textwrap.wrap(words, 71, break_long_words=True, break_on_hyphens=False)
    return log(
        step(
            "twine upload dist/*",
            f"Uploading distributions to {UPLOAD}",
            "Uploading orbit_kit-0.3.0-py3-none-any.whl",
            f"{ESC}[33mWARNING {ESC}[0m Error during upload. Retry with the --verbose option for more details.",
            f"{ESC}[31mERROR   {ESC}[0m {wrapped[0]}",
            *(f"         {line}" for line in wrapped[1:]),
        )
    )


def uv(status: str, reason: str) -> str:
    """Uv prints the page that the index answered with."""
    said = f"{status.partition(' ')[0]} {reason}"
    return log(
        step(
            "uv publish",
            f"Publishing 2 files to {UPLOAD}",
            "Uploading orbit_kit-0.3.0-py3-none-any.whl (1.0KiB)",
            f"error: Failed to publish `dist/orbit_kit-0.3.0-py3-none-any.whl` to `{UPLOAD}`",
            f"  Caused by: Upload failed with status code {status}. Server says: <html>",
            "          <head>",
            f"           <title>{html.escape(said)}</title>",
            "          </head>",
            "          <body>",
            f"           <h1>{html.escape(said)}</h1>",
            "           The server could not comply with the request since it is either malformed.<br/><br/>",
            f"         {html.escape(reason)}",
            "          </body>",
            "         </html>",
            code=2,
        )
    )


def poetry(status: str, reason: str) -> str:
    """Poetry prints reason and page in one line."""
    number = status.partition(" ")[0]
    return log(
        step(
            "poetry publish",
            "Publishing orbit-kit (0.3.0) to the index",
            " - Uploading orbit_kit-0.3.0.tar.gz 100%",
            f"HTTP Error {number}: {reason} | b'<html>\\n <head>\\n  <title>{number} {reason}\\n'",
        )
    )


def action(status: str, reason: str) -> str:
    """The publish action runs twine and fails as a container."""
    return twine(status, reason).replace("Run twine upload dist/*", "Run pypa/gh-action-pypi-publish@release/v1")


FORMS: tuple[Callable[[str, str], str], ...] = (twine, uv, poetry, action)
