"""The documents are written in short sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import ROOT

LONGEST = 25
"""Words per sentence; a code span, a quotation or a link counts as one word."""
MADE_ELSEWHERE = {"CHANGELOG.md", "performance.md", "states.md"}
"""The changelog, and pages whose sentences come from measurements and from plans."""
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "reports" / "README.md")
    if path.name not in MADE_ELSEWHERE
)
AT_ONCE = {"`": r"`[^`]*`", "“": r"“[^”]*”", "(": r"\]\([^)]*\)"}


def paragraphs(document: str) -> Iterator[str]:
    """The paragraphs, list items and table cells, each in one line; no code, headings or parts that tests generate."""
    document = re.sub(r"^ *```.*?^ *```$", "", document, flags=re.MULTILINE | re.DOTALL)
    document = re.sub(r"<!-- (faults|adverse): begin -->.*?<!-- \1: end -->", "", document, flags=re.DOTALL)
    document = re.sub(r"<(picture)>.*?</\1>|<!--.*?-->", "", document, flags=re.DOTALL)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n(?=\|)", document):
        if not block.lstrip().startswith("#"):
            yield from (" ".join(cell.split()) for cell in re.split(r"(?<!\\)\|", block))


def sentences(document: str) -> Iterator[str]:
    """The sentences of a document; each reason in a generated list of reasons counts as one."""
    for text in paragraphs(document):
        for pattern in AT_ONCE.values():
            text = re.sub(pattern, "X", text)
        is_list = text.startswith(("Why it matters: ", "Skipped: "))
        yield from re.split(r"; or " if is_list else r"(?<=[.?!:])[*)”]*\s+(?=\S)", text)


def length(sentence: str) -> int:
    """Return the number of words in a sentence."""
    return len(re.findall(r"\w[\w'.-]*", sentence))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_sentences_are_short(path: Path) -> None:
    assert [text for text in sentences(path.read_text(encoding="utf-8")) if length(text) > LONGEST] == []
