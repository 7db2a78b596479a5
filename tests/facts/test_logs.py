"""What is read from the log of a failed release run: its lines, what they mean, and which release they are of."""

from __future__ import annotations

import io
import re
import time
import zipfile
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from release_state.facts.logs.archive import NotALog, read_logs
from release_state.facts.logs.attribution import (
    Attribution,
    attribute_jobs,
    attribute_log,
    attribute_run,
    find_versions,
    is_dry_log,
    is_dry_name,
    match_channels,
)
from release_state.facts.logs.explanation import MOST_LINES, Explanation, explain_log
from release_state.facts.logs.failure import Completion
from release_state.facts.logs.families import KNOWN_FAILURES
from release_state.facts.logs.lines import LONGEST_LINE, cut, parse_log
from release_state.model.process import Process, Publisher, Start
from tests.support import states as s

HOST = urlsplit(PYPI_SIMPLE_ENDPOINT).hostname
EXIT = "##[error]Process completed with exit code 1."
STAMP = "2026-01-02T03:04:05.1234567Z "
ESC = "\x1b"


def log(*lines: str) -> str:
    """A job's log as GitHub writes it: a byte order mark, and each line with its moment."""
    return "\ufeff" + "".join(f"{STAMP}{line}\n" for line in lines)


def script(title: str, *code: str, env: tuple[str, ...] = ()) -> list[str]:
    """What GitHub shows before a step: its script in colour, its shell, its environment."""
    shown = [f"{ESC}[36;1m{line}{ESC}[0m" for line in code]
    values = ["env:", *(f"  {value}" for value in env)] if env else []
    return [f"##[group]Run {title}", *shown, "shell: /usr/bin/bash -e {0}", *values, "##[endgroup]"]


def explained(*lines: str, succeeded: bool = False) -> Explanation:
    return explain_log(parse_log(log(*lines)), succeeded=succeeded)


def scenario(*lines: str, succeeded: bool = False) -> str | None:
    known = explained(*lines, succeeded=succeeded).known
    return known.scenario if known else None


# ── What the lines mean

FAILURES = [
    ("A", "fatal: a branch named 'release/pypi-v0.2.0' already exists"),
    ("A", "fatal: A branch named 'release/pypi-v0.2.0' already exists."),
    ("B", "fatal: tag 'v0.2.0' already exists"),
    ("B", "hint: Updates were rejected because the tag already exists in the remote."),
    ("C", "Version 0.2.0 already exists on PyPI, skipping publish"),
    ("C", "released=skipped"),
    ("C", "  Skipping orbit-0.2.0.tar.gz because it appears to already exist"),
    ("C", f"ERROR    HTTPError: 400 Bad Request from https://upload.{HOST}/legacy/ File already exists ('orbit')"),
    ("D", "creating pull request failed: HTTP 500"),
    ("D", "pull request create failed: GraphQL: something else (createPullRequest)"),
    ("D", "creating pull request failed: GitHub Actions is not permitted to create or approve pull requests"),
    ("D", "pull request create failed: GraphQL: No commits between main and release/pypi-v0.2.0 (createPullRequest)"),
    ("D", 'a pull request for branch "release/pypi-v0.2.0" into branch "main" already exists:'),
    ("protected branch", "remote: error: GH006: Protected branch update failed for refs/heads/main."),
    ("protected branch", "remote: error: GH013: Repository rule violations found for refs/heads/main."),
    ("protected branch", " ! [remote rejected] main -> main (protected branch hook declined)"),
    ("rate limit", "gh: API rate limit exceeded for installation ID 7. (HTTP 403)"),
    ("rate limit", "You have exceeded a secondary rate limit. Please wait a few minutes."),
    ("upload time-out", f"HTTPSConnectionPool(host='upload.{HOST}', port=443): Read timed out. (read timeout=15)"),
    ("upload time-out", f"ERROR    HTTPError: 504 Gateway Timeout from https://upload.{HOST}/legacy/ timed out"),
    ("upload time-out", f"https://upload.{HOST}/legacy/ answered 502: Bad Gateway"),
    ("GitHub", "fatal: unable to access 'https://github.com/octo/orbit/': The requested URL returned error: 502"),
    ("GitHub", "HTTP 502: Bad Gateway (https://api.github.com/repos/octo/pypi-publish/releases)"),
    ("GitHub", "non-200 OK status code: 502 Bad Gateway body: https://github.example/api/v3/repos answered 502"),
    ("permission", "gh: Resource not accessible by integration (HTTP 403)"),
    ("permission", "remote: Permission to octo/orbit.git denied to github-actions[bot]."),
    ("trusted publisher", "Trusted publishing exchange failure:"),
    ("index credentials", "403 Invalid or non-existent authentication information."),
    ("push rejected", " ! [rejected]        main -> main (fetch first)"),
    ("git refused", "##[error]Process completed with exit code 128."),
    ("cancelled", "##[error]The operation was canceled."),
    ("time limit", "The job running on runner GitHub Actions 3 has exceeded the maximum execution time of 20 minutes."),
]


@pytest.mark.parametrize(("expected", "line"), FAILURES, ids=[line[:50] for _, line in FAILURES])
def test_known_failures(expected: str, line: str) -> None:
    found = explained("Uploading", line, EXIT)
    assert found.known is not None
    assert found.known.scenario == expected
    assert found.known in KNOWN_FAILURES and found.meaning and found.fix
    assert " ".join(line.removeprefix("##[error]").split()) in found.lines


@pytest.mark.parametrize(
    "line",
    [
        "Tag v0.2.0 already exists, skipping",
        "a branch named 'x' already exists: skipped",
        f"Downloading orbit from https://{HOST}/simple (502 kB)",
        "upload: timeout-minutes: 20",
        "a tag is a name",
        "rate limit: 4999 of 5000 left",
        "released=true",
        "+ echo creating pull request failed",
        "[command]/usr/bin/git tag 'v0.2.0' already exists",
        "##[debug]fatal: tag 'v0.2.0' already exists",
        "exit code 12",
        "GET https://api.github.com/repos/octo/orbit 200 in 502 ms",
    ],
)
def test_what_only_looks_like_a_failure(line: str) -> None:
    assert scenario(line, EXIT) is None


def test_a_script_is_not_what_it_says() -> None:
    """GitHub shows a step's script before its output, with every message that it could have ended in."""
    shown = script(
        "gh pr create",
        'gh pr create || echo "creating pull request failed"',
        "echo released=skipped",
        "fatal: tag 'v0.2.0' already exists",
    )
    assert scenario(*shown, "nothing went right", EXIT) is None
    found = explained(*shown, "remote: error: GH006: Protected branch update failed", EXIT)
    assert found.known and found.known.scenario == "protected branch"
    assert found.step == "Run gh pr create"
    assert found.lines == (
        "remote: error: GH006: Protected branch update failed",
        "Process completed with exit code 1.",
    )


def test_a_group_without_an_end_hides_nothing() -> None:
    assert scenario("##[group]Run x", "fatal: tag 'v0.2.0' already exists", EXIT) == "B"
    assert scenario("##[group]Run x", "fatal: tag 'v0.2.0' already exists", "##[group]y", "##[endgroup]", EXIT) == "B"
    assert scenario("##[group]Tags", "fatal: tag 'v0.2.0' already exists", "##[endgroup]", EXIT) == "B"


def test_the_environment_of_a_step_says_what_had_happened() -> None:
    shown = script("./notify", "echo done", env=("RELEASED: skipped",))
    assert scenario(*shown, "done", succeeded=True) == "C"
    assert scenario(*script("./notify", "  RELEASED: skipped"), "done", succeeded=True) is None


def test_a_cause_comes_before_its_effect() -> None:
    refused = "pull request create failed: GraphQL: Resource not accessible by integration (createPullRequest)"
    assert scenario(refused, EXIT) == "permission"
    assert scenario("fatal: tag 'v0.2.0' already exists", "##[error]Process completed with exit code 128.") == "B"
    skipped = "Version 0.2.0 already exists on PyPI, skipping publish"
    assert scenario(skipped, "creating pull request failed: HTTP 502", EXIT) == "D"
    # GitHub says the time limit after the cancellation that it caused.
    limit = "##[error]The job has exceeded the maximum execution time of 20m0s"
    assert scenario("creating pull request failed", "##[error]The operation was canceled.", limit) == "time limit"


def test_what_is_near_the_error_is_believed() -> None:
    calm = ["all is well"] * 60
    tag, branch = "fatal: tag 'v0.2.0' already exists", "fatal: a branch named 'x' already exists"
    assert scenario(branch, *calm, tag, EXIT) == "B"
    assert scenario(branch, *calm, EXIT) == "A"
    assert scenario(tag, EXIT, *calm, branch, EXIT) == "B"
    assert scenario(EXIT, *calm, branch) == "A"


def test_a_success_only_skips() -> None:
    assert scenario("fatal: tag 'v0.2.0' already exists", "all is well", succeeded=True) is None
    found = explained("Version 0.2.0 already exists on PyPI, skipping publish", "fatal: x", succeeded=True)
    assert found.known and found.known.scenario == "C"
    assert found.lines == ("Version 0.2.0 already exists on PyPI, skipping publish",)


def test_an_unknown_failure_still_shows_its_lines() -> None:
    found = explained("Building", "Traceback (most recent call last):", "ValueError: no", EXIT, "Post job cleanup.")
    assert found.known is None
    assert found.lines == ("ValueError: no", "Process completed with exit code 1.")
    assert explained("make", "it did not work", EXIT).lines == (
        "make",
        "it did not work",
        "Process completed with exit code 1.",
    )
    assert explain_log([]).lines == ()


# ── How lines are read


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (f"{STAMP}plain", "plain"),
        (f"\ufeff{STAMP}plain", "plain"),
        ("2026-01-02T03:04:05Z plain", "plain"),
        ("no stamp", "no stamp"),
        (f"{STAMP}{ESC}[31;1mred{ESC}[0m", "red"),
        (f"{STAMP}{ESC}]8;;https://evil.example{ESC}\\link{ESC}]8;;\x07", "link"),
        (f"{STAMP} 10%\r 50%\r100%\r", "100%"),
        (f"{STAMP}windows\r", "windows"),
        (f"{STAMP}##[error]wrong", "wrong"),
        (f"{STAMP}::error file=a.py,line=1::wrong", "wrong"),
        (f"{STAMP}::error title=a::b::wrong", "wrong"),
        (f"{STAMP}::error::wrong", "wrong"),
        (f"{STAMP}##[warning]old", "old"),
        (f"release\tCreate tag\t\ufeff{STAMP}told by gh", "told by gh"),
        ("a\tb\tc", "a\tb\tc"),
        (f"{STAMP}::set-output name=x::y", "::set-output name=x::y"),
    ],
)
def test_decoration_goes(raw: str, text: str) -> None:
    (line,) = parse_log(raw)
    assert line.text.endswith(text) if "title=" in raw else line.text == text
    assert line.is_error == ("wrong" in raw)


def test_the_step_that_github_calls_failed_is_explained_whatever_fails_after_it() -> None:
    steps = (("git push", "fatal: tag 'v0.2.0' already exists"), ("make tidy", "Backend subprocess exited"))
    text = ""
    for minute, (script, said) in enumerate(steps):
        lines = [f"##[group]Run {script}", "##[endgroup]", said, EXIT]
        text += "".join(f"2026-01-02T03:0{minute}:05.1Z {line}\n" for line in lines)

    def scenario(within: tuple[str, str] | None) -> str | None:
        found = explain_log(parse_log(text), within=within)
        return found.known.scenario if found.known else None

    assert scenario(("2026-01-02T03:00:05", "2026-01-02T03:00:05")) == "B"
    assert scenario(("2026-01-02T03:01:00", "2026-01-02T03:01:09")) == "build"
    assert scenario(("2026-01-02T04:00:00", "2026-01-02T04:00:00")) == scenario(None) == "build"


def test_the_step_before_may_end_in_the_second_in_which_the_failing_one_begins() -> None:
    said = [
        ("03:04:02.1", "##[group]Run twine upload --repository testpypi dist/*"),
        ("03:04:02.2", "##[endgroup]"),
        ("03:04:05.1", "HTTPError: 400 Bad Request File already exists ('orbit-0.2.0.tar.gz')."),
        ("03:04:05.1", EXIT),
        ("03:04:05.2", "##[group]Run gh release create v0.2.0"),
        ("03:04:05.2", "##[endgroup]"),
        ("03:04:07.1", "HTTP 403: Resource not accessible by integration (https://api.github.com/repos/o/n/releases)"),
        ("03:04:07.2", EXIT),
    ]
    text = "".join(f"2026-01-02T{time}Z {line}\n" for time, line in said)
    found = explain_log(parse_log(text), within=("2026-01-02T03:04:05", "2026-01-02T03:04:07"))
    assert found.step and found.step.endswith("gh release create v0.2.0")
    assert found.known and found.known == explain_log(parse_log(text)).known


UPLOADED = ["##[group]Run twine upload dist/*", "##[endgroup]", "Uploading orbit-0.2.0.tar.gz", "View at:"]
LATER = {
    "artifact storage": "##[error]Failed to CreateArtifact: Unable to make request: ECONNRESET",
    "missing tool": "/home/runner/x.sh: line 2: announce: command not found",
}


@pytest.mark.parametrize("scenario", LATER)
def test_what_fails_after_an_upload_does_not_say_that_nothing_was_published(scenario: str) -> None:
    step = ["##[group]Run the next step", "##[endgroup]", LATER[scenario], EXIT]
    alone, after = explained(*step), explained(*UPLOADED, *step)
    assert alone.known and alone.known is after.known and alone.known.scenario == scenario
    assert "nothing was published" in alone.meaning and "nothing was published" not in after.meaning
    assert after.fix.startswith("See which files the index has") and after.version is Completion.DEPENDS
    assert alone.fix == alone.known.fix and alone.version is alone.known.version


@pytest.mark.parametrize(
    ("step", "said", "is_upload"),
    [
        ("softprops/action-gh-release@v2", "⬆️ Uploading orbit-0.2.0.tar.gz...", False),
        ("softprops/action-gh-release@v2", "Uploading orbit-0.2.0.tar.gz", False),
        ("gh release upload v0.2.0 dist/*", "Uploading orbit-0.2.0.tar.gz", False),
        ("uv run gh release upload v0.2.0 dist/*", "Uploading orbit-0.2.0.tar.gz", False),
        ("./publish.sh", "Uploading orbit-0.2.0.tar.gz to release v0.2.0", False),
        ("actions/upload-artifact@v4", "Uploading artifact dist.zip", False),
        ("./publish.sh", "Uploading coverage.zip", False),
        ("twine upload dist/*", "Found no configuration", False),
        ("./publish.sh", "Uploading orbit-0.2.0.tar.gz", True),
        ("uv publish", "Uploading orbit-0.2.0-py3-none-any.whl (3.1KiB)", True),
        ("poetry publish", " - Uploading orbit-0.2.0.tar.gz 100%", True),
        ("hatch publish", "dist/orbit-0.2.0-py3-none-any.whl ... success", True),
        ("maturin upload dist/*", "✨ Packages uploaded successfully", True),
        ("pypa/gh-action-pypi-publish@release/v1", "Uploading orbit-0.2.0.tar.gz", True),
        ("make release", "View at:", True),
    ],
)
def test_only_an_upload_to_an_index_is_one(step: str, said: str, is_upload: bool) -> None:
    found = explained(f"##[group]Run {step}", "##[endgroup]", said, *script("next"), LATER["missing tool"], EXIT)
    assert found.after_upload is is_upload
    assert ("an upload to the index came before it" in found.meaning) is is_upload


def test_a_row_leaves_to_the_log_whether_something_was_published() -> None:
    said = re.compile(r"nothing (?:was|is) |never asked|before the upload|comes after it", re.IGNORECASE)
    assert not [known.meaning for known in KNOWN_FAILURES if said.search(known.meaning.replace("nothing to", ""))]
    assert not [known.meaning for known in KNOWN_FAILURES if known.before_upload and not known.meaning.endswith(".")]


@pytest.mark.parametrize(
    ("step", "said", "scenario"),
    [
        ("make check", "100% tests passed, 0 tests failed out of 12", None),
        ("make docs", "publishing docs to the site now", None),
        ("make wheels", "50% (tests) done", None),
        ("./publish.sh", "Uploading distributions to https://index.example/legacy/", "upload time-out"),
        ("./publish.sh", "Publishing 2 files https://index.example/legacy/", "upload time-out"),
        ("./publish.sh", "Publishing orbit (0.2.0) to PyPI", "upload time-out"),
        ("./publish.sh", " - Uploading orbit-0.2.0.tar.gz 40%", "upload time-out"),
    ],
)
def test_a_connection_is_the_uploads_only_where_a_tool_uploads(step: str, said: str, scenario: str | None) -> None:
    found = explained(f"##[group]Run {step}", "##[endgroup]", said, "ConnectTimeout: connection reset by peer", EXIT)
    assert (found.known and found.known.scenario) == scenario


NO_CAUSE = [
    ("Run uv sync --locked", "error: The Python version in `.python-version` does not match the requested version 3.9"),
    ("Run cmake --build build", "error: Release build: runtime library version mismatch detected, does not match"),
    ("Run tools/fetch", "fetch: (22) The requested URL returned error: 403"),
    ("Run tools/fetch", "fetch: (22) The requested URL returned error: 503"),
    (
        "Run git clone https://example.com/github/x",
        "fatal: unable to access 'https://example.com/github/x/': The requested URL returned error: 502",
    ),
    ("Run python tools/fetch.py", "urllib.error.HTTPError: HTTP Error 403: Forbidden"),
    ("Run docker push example.com/orbit", "no basic auth credentials"),
    ("Run pip install commitizen", "error: something odd"),
    ("Run ./check", "denied: the check says no, E404 is a page"),
    ("Run make check", "Found 0 errors in 2 files"),
    ("Run make check", "0 errors in 2.1s"),
    ("Run make check", "the words `out of memory` and `curl: (22)` are in the manual, not here: 0 tests failed"),
]


@pytest.mark.parametrize(("step", "line"), NO_CAUSE)
def test_words_that_sound_like_a_cause_are_none_in_another_step(step: str, line: str) -> None:
    found = explained(f"##[group]{step}", "##[endgroup]", line, EXIT).known
    assert found is None, found


def test_a_time_limit_that_is_told_is_no_time_out() -> None:
    refused = "  Caused by: Server returned status code 403. Invalid or non-existent authentication information."
    found = explained(
        "##[group]Run uv publish --verbose", "##[endgroup]", "DEBUG Using request timeout of 900s",
        "error: Failed to publish", refused, EXIT,
    ).known  # fmt: skip
    assert found and found.scenario == "index credentials"


def test_nothing_to_commit_hides_no_later_failure() -> None:
    told = ["nothing to commit, working tree clean", "fatal: tag 'v0.2.0' already exists", EXIT]
    found = explained("##[group]Run git commit -am x || true; git tag v0.2.0", "##[endgroup]", *told).known
    assert found and found.scenario == "B"


def test_gh_names_the_step() -> None:
    text = f"release\tCreate tag\t{STAMP}fatal: tag 'v0.2.0' already exists\nrelease\tCreate tag\t{STAMP}{EXIT}\n"
    assert explain_log(parse_log(text)).step == "Create tag"
    assert explain_log(parse_log(text.replace("Create tag", "UNKNOWN STEP"))).step is None


def test_hostile_lines_stay_within_their_bounds() -> None:
    long = "x" * 3_000_000
    found = explained(long, f"fatal: {long}", f"{'y ' * 900}fatal: tag 'v0.2.0' already exists {long}", EXIT)
    assert found.known and found.known.scenario == "B"
    assert all(len(line) <= LONGEST_LINE for line in found.lines)
    assert any("tag 'v0.2.0' already exists" in line for line in found.lines)
    many = explained(*(f"error: number {n}" for n in range(500)), *[f"##[error]{n}" for n in range(500)])
    assert len(many.lines) == MOST_LINES


def test_lines_made_to_be_slow_are_not() -> None:
    """Four times as long each, a quarter as many: what a pattern takes grows with the length, and not with its cube."""
    assert _cost_of_worst(longer=4, lines=8) < 8 * _cost_of_worst(longer=1, lines=32)


def _cost_of_worst(longer: int, lines: int) -> float:
    """CPU seconds for a log of some 80,000 characters; the least of three."""
    worst = ["a branch named " * 50, "upload pypi twine legacy/ " * 25, "::error " + ":" * 750, f"{ESC}[" * 375]
    worst += ["Uploading " + "-1" * 350, "unable to access 'https://" + "github" * 100]
    text = log(*([line * longer for line in worst] * lines))
    assert len(text) > 80_000
    costs = []
    for _ in range(3):
        started = time.process_time()
        parsed = parse_log(text)
        explain_log(parsed)
        attribute_log(parsed, s.target())
        costs.append(time.process_time() - started)
    return min(costs)


@given(st.lists(st.one_of(st.text(), st.sampled_from([*(line for _, line in FAILURES), EXIT, "##[endgroup]"]))))
def test_nothing_but_our_results_comes_out(lines: list[str]) -> None:
    text = log(*lines)
    parsed = parse_log(text)
    for succeeded in (False, True):
        found = explain_log(parsed, succeeded=succeeded)
        assert found.known is None or found.known in KNOWN_FAILURES
        assert len(found.lines) == len(set(found.lines)) <= MOST_LINES
        assert all(0 < len(line) <= LONGEST_LINE and "\n" not in line for line in found.lines)
    assert isinstance(attribute_log(parsed, s.target()), Attribution)


@given(st.binary() | st.binary().map(lambda data: b"PK\x03\x04" + data))
def test_data_are_a_log_or_none(data: bytes) -> None:
    try:
        assert read_logs(data, 1000)
    except NotALog as problem:
        assert str(problem)


# ── Archives


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return buffer.getvalue()


def test_an_archive_holds_a_log_for_each_job() -> None:
    data = archive(
        {
            "release/1_Set up job.txt": "a",
            "10_last.txt": "z",
            "2_release.txt": "b",
            "-1_odd.txt": "o",
            "release/system.txt": "x",
            "run.json": "{}",
        }
    )
    assert sorted(read_logs(data, 1000)) == [("last", "z"), ("odd", "o"), ("release", "b")]
    steps = archive({"release/10_Tag.txt": "c", "release/2_Build.txt": "b", "release/1_Set up job.txt": "a"})
    assert read_logs(steps, 1000) == [("Set up job", "a"), ("Build", "b"), ("Tag", "c")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\x7fELF\0\0", "binary"),
        (b"PK\x03\x04 broken", "broken zip"),
        (archive({"a.json": "{}"}), "not an archive of a run's logs"),
        (archive({"a.txt": "x" * 2_000_000}), "unpacks to more"),
        (archive({f"{n}.txt": "x" * 600 for n in range(2)}), "unpacks to more"),
    ],
)
def test_what_is_no_log(data: bytes, why: str) -> None:
    with pytest.raises(NotALog, match=why):
        read_logs(data, 1000)


def test_texts_of_other_codings() -> None:
    assert read_logs("fatal: ü".encode("utf-16"), 1000) == [(None, "\ufefffatal: ü".removeprefix("\ufeff"))]
    assert read_logs(b"caf\xe9", 1000) == [(None, "caf\ufffd")]


# ── Which release a run was for


def said(*lines: str, **changes: Any) -> tuple[bool | None, bool | None]:
    found = attribute_log(parse_log(log(*lines)), s.target(**changes))
    return found.version, found.channel


OURS, OTHER_VERSION, SILENT = (True, True), (False, True), (None, None)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Switched to a new branch 'release/pypi-v0.2.0'"], OURS),
        (["To https://github.example/octo/orbit", " * [new branch] HEAD -> release/pypi-v0.2.0"], OURS),
        ([f"{ESC}[36;1mgit push origin HEAD:refs/heads/release/pypi-v0.2.0{ESC}[0m"], OURS),
        (["fatal: a branch named 'release/pypi-v0.2' already exists"], OURS),
        (["fatal: a branch named 'release/pypi-v0.2.0rc1' already exists"], OTHER_VERSION),
        (["fatal: a branch named 'release/pypi-v10.2.0' already exists"], OTHER_VERSION),
        (["fatal: a branch named 'release/testpypi-v0.2.0' already exists"], (True, False)),
        (["release/pypi-v0.2.0", "release/pypi-v0.1.0"], SILENT),
        # What a fetch and a listing show is everything that there is.
        ([" * [new branch]      release/pypi-v0.2.0 -> origin/release/pypi-v0.2.0"], SILENT),
        ([" * [new tag]         v0.2.0     -> v0.2.0"], SILENT),
        (["  origin/release/pypi-v0.2.0", "  remotes/origin/release/pypi-v0.2.0"], SILENT),
        ([f"{'a' * 40}\trefs/heads/release/pypi-v0.2.0"], SILENT),
        (["fatal: tag 'v0.2.0' already exists"], (True, None)),
        (["fatal: tag 'v0.1.0' already exists"], (False, None)),
        (["fatal: tag 'other-v0.2.0' already exists"], SILENT),
        (["Version 0.2.0 already exists on PyPI, skipping publish"], OURS),
        (["Version 0.2.0 already exists on TestPyPI, skipping publish"], (True, False)),
        (["Successfully built orbit-0.2.0.tar.gz and orbit-0.2.0-py3-none-any.whl"], (True, None)),
        (["Uploading orbit-0.3.0-py3-none-any.whl", f"Uploading distributions to https://upload.{HOST}/legacy/"],
         OTHER_VERSION),
        ([f"Uploading distributions to https://test.{HOST}/legacy/"], (None, False)),
        (["Downloading requests-0.2.0.tar.gz"], SILENT),
        (script("build", env=("VERSION: 0.2.0", "CHANNEL: pypi")), OURS),
        (["next version is 0.2.0", "target_environment: pypi"], OURS),
        (["Version: 20260101.1.0", "python-version: 0.2.0", "git version 2.52.0", "last version: 0.2.0"], SILENT),
        ([], SILENT),
    ],
)  # fmt: skip
def test_attribution_by_the_log(lines: list[str], expected: tuple[bool | None, bool | None]) -> None:
    assert said(*lines) == expected


def test_the_templates_of_the_project_count() -> None:
    assert said("git push origin rel-0.2.0", branch_template="rel-{version}") == OURS
    assert said("git push origin orbit/0.2.0", branch_template="{package}/{version}") == OURS
    assert said("fatal: tag 'orbit-0.2.0' already exists", tag_template="{package}-{version}") == (True, None)


def test_attribution_by_the_run() -> None:
    def by(title: str = "Release", branch: str | None = "main", event: str = "workflow_dispatch") -> Attribution:
        run = s.run(title=title, head_branch=branch, event=event)
        return attribute_run(run, [run, s.run(title="another")], s.target())

    assert by(branch="release/pypi-v0.2.0") == Attribution(True, True, ("head branch",))
    assert by(branch="release/pypi-v0.1.0").is_other
    assert by(branch="release/testpypi-v0.2.0").is_other
    assert by("Release v0.2.0 to PyPI") == Attribution(True, True, ("title",))
    assert by("Release v0.3.0 to PyPI").is_other
    assert by("Release to testpypi").is_other
    assert by("pypi 0.2.0").is_ours
    assert by("Release with Python 3.12") == Attribution()
    assert by("Release v0.3.0 to TestPyPI", event="push") == Attribution()
    same = s.run(title="Publish to PyPI")
    assert attribute_run(same, [same, same], s.target(channel=s.TESTPYPI)) == Attribution()


@pytest.mark.parametrize(
    ("event", "branch", "kind", "is_ours"),
    [("push", "v0.2.0", "tag", True), ("release", "v0.2.0", "release", True), ("create", "v0.2.0", "tag", True),
     ("schedule", "v0.2.0", "tag", False), ("push", "v0.2.0", "dispatch", False), ("push", "main", "tag", False)],
)  # fmt: skip
def test_a_run_that_a_tag_started_is_of_its_version(event: str, branch: str, kind: Any, is_ours: bool) -> None:
    publisher = Publisher(workflow="release.yml", job="up", job_name="up", how="uv", starts=(Start(kind=kind),))
    run = s.run(event=event, head_branch=branch, workflow="release.yml")
    assert attribute_run(run, [run], s.target(process=Process(publishers=(publisher,)))).is_ours is is_ours


def test_attribution_by_the_jobs() -> None:
    assert attribute_jobs(["Production Release (PyPI)"], s.target()) == Attribution(None, True, ("job name",))
    assert attribute_jobs(["Test Release (TestPyPI)"], s.target()).is_other
    assert attribute_jobs(["Release (Test PyPI)"], s.target()).is_other
    assert attribute_jobs(["release"], s.target()) == Attribution()
    assert attribute_jobs(["PyPI", "TestPyPI"], s.target()) == Attribution()
    assert attribute_jobs(["release"], s.target(channels=(s.PYPI,))) == Attribution(channel=True)


def test_channels_are_read_as_words() -> None:
    assert match_channels("to test-pypi and PYPI", s.target()) == {"pypi", "testpypi"}
    assert match_channels(f"https://test.{HOST}/legacy/", s.target()) == {"testpypi"}
    assert match_channels("pypistats, mypypi", s.target()) == set()
    inner = structs.replace(s.PYPI, name="inner-index")
    assert match_channels("Release (Inner Index)", s.target(channels=(s.PYPI, inner))) == {"inner-index"}


def test_what_one_denies_no_other_puts_right() -> None:
    ours = Attribution(True, True, ("head branch",))
    assert ours.combine(Attribution(False, None)).is_other
    assert ours.combine(Attribution(True, True, ("log",))) == ours
    assert Attribution(None, True, ("job name",)).combine(Attribution(True, None, ("log",))) == Attribution(
        True, True, ("job name", "log")
    )


@pytest.mark.parametrize(
    ("line", "failed", "nothing"),
    [
        ("  DRY_RUN: true", True, True),
        ("  INPUT_DRY_RUN: 'true'", True, True),
        ("dry_run=true", True, True),
        ("  DRY_RUN: false", False, False),
        ("  DRY_RUN:", False, False),
        ("Dry run: nothing is published", False, False),
        ("This is a dry run", False, True),
        ("running in dry-run mode", False, True),
        ("git push --dry-run origin HEAD", False, False),
        ("not a dry run", False, False),
    ],
)
def test_dry_runs(line: str, failed: bool, nothing: bool) -> None:
    """To speak of one is not enough: releases work out their version in a dry run of another tool."""
    assert is_dry_log(parse_log(log(line)), published_nothing=False) is failed
    assert is_dry_log(parse_log(log(line)), published_nothing=True) is nothing


def test_dry_names() -> None:
    assert is_dry_name("Release (dry run)")
    assert is_dry_name("Release 0.2.0, dry_run: true")
    assert not is_dry_name("Release, dry_run: false")
    assert not is_dry_name("Laundry runner")


def test_a_line_is_cut_to_its_longest() -> None:
    assert cut("x" * LONGEST_LINE) == "x" * LONGEST_LINE
    assert cut("x" * (LONGEST_LINE + 1)) == "x" * (LONGEST_LINE - 1) + "…"


@pytest.mark.parametrize("file", ["orbit-0.2.0.zip", "orbit-0.2.0.tar.gz", "orbit-0.2.0-py3-none-any.whl"])
def test_the_version_of_a_file_that_a_log_names(file: str) -> None:
    assert [str(each) for each in find_versions([f"Uploading {file}"], s.target())] == ["0.2.0"]
    assert not find_versions([f"Uploading other-{file}"], s.target())
