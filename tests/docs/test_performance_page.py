"""The published table of requests: each has its fact, and their number is the limit that tests enforce."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.asked import fact_of
from tests.run.test_run import CONTENTS, GITHUB, GITHUB_AFTERWARDS, INDEX, INDEX_JSON, PARENT, PIP, REHEARSAL, SDIST
from tests.support.cli import ROOT

PAGE = ROOT / "docs" / "performance.md"
OF_GITHUB = {"pre-release": GITHUB, "post-recovery": GITHUB_AFTERWARDS}
OF_INDEX = {"pre-release": [INDEX, INDEX_JSON, REHEARSAL], "post-recovery": [INDEX, INDEX_JSON, CONTENTS, SDIST, *PIP]}
GIT = ["GET /o/n.git/info/refs?service=git-upload-pack", "POST /o/n.git/git-upload-pack"]


def test_every_request_buys_a_fact() -> None:
    github = [
        f"{method} {path.format(repository='/repos/o/n', main='a' * 40, parent='b' * 40)}" for method, path in GITHUB
    ]
    index = [f"{method} {path}" for requests in OF_INDEX.values() for _, method, path in requests]
    asked = {"GitHub": github, "index": index, "git": GIT}
    facts = {(service, request): fact_of(service, request) for service in asked for request in asked[service]}
    assert [request for request, fact in facts.items() if not fact] == []
    assert len({fact for (service, _), fact in facts.items() if service == "GitHub"}) == len(GITHUB) - len(PARENT)


@pytest.mark.skipif(not PAGE.is_file(), reason="the benchmark has not been run: python3 dev.py benchmark")
def test_the_page_says_how_many_requests_a_run_makes() -> None:
    page = Path(PAGE).read_text(encoding="utf-8")
    for phase, of_index in OF_INDEX.items():
        counts = {"GitHub": len(OF_GITHUB[phase]), "index": len(of_index), "git": len(GIT)}
        said = ", ".join(f"{count} {service}" for service, count in counts.items())
        assert f"A whole {phase} run: {sum(counts.values())} requests ({said})." in page
