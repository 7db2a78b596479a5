"""The page of real projects: its counts are those of its rows, and one command keeps what the other wrote."""

from __future__ import annotations

import re
from collections import Counter

from tests.docs.test_docs import rows, text_of
from tests.proofs import processes, releases
from tests.proofs.releases import Compared, Said

PAGE = text_of("docs/processes.md")
FIRST, _, SECOND = PAGE.partition(processes.RELEASES)
FIRST, _, _ = FIRST.partition(processes.UNMENDED)
_KEYS = {words: key for key, words in processes._WORDS.items()}


def test_the_counts_are_those_of_the_rows() -> None:
    projects = rows(FIRST[FIRST.index("| project | workflow |") :])
    assert len(projects) >= 100
    for text in (FIRST, text_of("docs/results.md")):
        assert re.search(rf"\b{len(projects)} public projects\b", text)
    missed = [row for row in projects if row[1] == "not found"]
    assert f"{len(projects) - len(missed)} have a workflow that is seen to publish. {len(missed)} have" in FIRST
    judged = [(row, answer.strip()) for row in projects for answer in row[6].split(",")]
    counted = Counter(answer for _, answer in judged)
    unseen = sum(answer == "wrong: workflow" and row in missed for row, answer in judged)
    for words, *cells in rows(FIRST[FIRST.index("| | right |") : FIRST.index("What the checks")]):
        right, wrong, lacking, open_ = map(int, cells)
        moved = unseen if words == "workflow" else 0
        assert wrong + moved == counted[f"wrong: {_KEYS[words]}"], words
        assert lacking - moved == counted[f"not found: {_KEYS[words]}"], words
        assert right + wrong + lacking + open_ == len(projects)


def test_what_clones_show_is_counted_by_what_differs() -> None:
    projects = rows(FIRST[FIRST.index("| project | workflow |") :])
    begin, listed = FIRST.index("| | the same |"), FIRST.index("| project | | the clone")
    differing = rows(FIRST[listed : FIRST.index("| project | workflow |")])
    without = sum(row[1] == "all" for row in differing)
    for words, *cells in rows(FIRST[begin:listed]):
        same, lacking, different = map(int, cells)
        assert same + lacking + different == len(projects)
        assert lacking + different <= without + sum(row[1] == words for row in differing), words


def test_the_newest_releases_are_counted_by_check() -> None:
    projects = rows(SECOND[SECOND.index("| project | version |") :])
    assert f"of {len(projects)} of these projects" in SECOND
    listed = rows(SECOND[SECOND.index("| check | before |") : SECOND.index("| project | version |")])
    for name, before, after in listed:
        check, _, ending = name.partition(", ")
        said = f"{check[1 : check.index(']')]} {ending}"
        assert [int(before), int(after)] == [sum(said in row[at].split(", ") for row in projects) for at in (2, 3)]


def test_each_command_keeps_what_the_other_wrote() -> None:
    assert "\n".join(processes.write(())).endswith(f"{processes.RELEASES}{SECOND}".rstrip("\n"))
    bad = Said("ACTION NEEDED", ("TAG-11 action needed",))
    lines = list(releases.write([Compared("o/x", "x", "1.0", bad, Said("RELEASED AND VERIFIED", ()))], "abc"))
    assert lines[0] == processes.RELEASES
    assert "| [TAG-11](checks.md#tag-11), action needed | 1 | 0 |" in lines
    assert lines[-1] == "| x | 1.0 | ACTION NEEDED, TAG-11 action needed | RELEASED AND VERIFIED |"
