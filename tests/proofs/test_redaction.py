"""Texts of errors without secrets: what is looked for, in which spellings, and who passes a text through."""

from __future__ import annotations

import json
import sys
import threading
import warnings
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from release_state.common import errors
from release_state.common.errors import format_error, format_traceback, hide, hide_passwords_in, redact
from release_state.model.outcome import Outcome
from release_state.observe.defects import Defect
from release_state.observe.git.reader import find_repository
from release_state.observe.token import find_token
from release_state.run import safeguards as redacting
from release_state.run.background import Background
from release_state.settings.config import load
from release_state.settings.sources import Arguments
from release_state.verdict.check import conclude
from tests.support.judged import CHECKS

WORD = "s3cretW0rd!?+ä"
ODD = "a'b\"c\\d/e f%41@"


@pytest.fixture(autouse=True)
def _nothing_is_hidden() -> None:
    """What one test hides is no matter of the next."""
    errors._secrets.clear()


def raised(text: str) -> Exception:
    try:
        raise LookupError(text)
    except LookupError as error:
        return error


@pytest.mark.parametrize("secret", [WORD, ODD, "short", "two\nlines-of-it"])
def test_a_secret_is_not_there_in_any_spelling(secret: str) -> None:
    hide(secret)
    for spelling in (secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        assert redact(f"before {spelling} after") == "before *** after"
    for user in ("", "m", "me", "you") if len(secret) > 5 else ():
        for code in (b64encode, urlsafe_b64encode):
            coded = code(f"{user}:{secret}".encode()).decode()
            shown = redact(f"Basic {coded}").removeprefix("Basic ")
            before, hidden, after = shown.partition("***")
            # What is left belongs to what stands beside it, but for a few bits.
            assert hidden and coded.startswith(before) and coded.endswith(after)
            assert len(before) <= -(-8 * (len(user) + 1) // 6) and len(after) <= 4


def test_what_the_environment_holds_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "TWINE_PASSWORD": "tw1nepass",
        "UV_PUBLISH_TOKEN": "pypi-abcdef",
        "SIGNING_PRIVATE_KEY": "-----BEGIN-----\nkeykeykey\n-----END-----",
        "https_proxy": "http://me:pr0xypass@proxy.invalid:3128",
        "ALL_PROXY": "me:barepass@proxy.invalid:3128",
        "PIP_INDEX_URL": "https://alonetoken@index.invalid/simple/",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("A_TOKEN_OF_NOTHING", "true")  # too short to be one
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "maintainer@example.org")
    hidden = ("tw1nepass", "pypi-abcdef", "keykeykey", "pr0xypass", "barepass", "alonetoken")
    shown = redact("\n".join([*values.values(), *hidden, "true", "maintainer@example.org", "me"]))
    assert not any(word in shown for word in hidden), shown
    assert shown.endswith("***\ntrue\nmaintainer@example.org\nme")


def test_what_stands_before_a_host_is_not_there_though_nobody_knows_it() -> None:
    assert redact("see https://me:unheard-of@h.invalid/x@y and 'git@h.invalid:a/b'") == (
        "see https://***@h.invalid/x@y and 'git@h.invalid:a/b'"
    )
    assert redact("ssh://git@h.invalid/x, a://b/c@d") == "ssh://***@h.invalid/x, a://b/c@d"


def test_what_stands_coded_in_an_address_is_hidden_as_it_is_meant() -> None:
    hide_passwords_in(["https://me:pa%73%3Aword@h.invalid/", None])
    assert redact("pas:word, pa%73%3Aword") == "***, ***"


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    hide("abcdef")
    hide("abcdefghi")
    assert redact("abcdefghi abcdef") == "*** ***"


def test_what_a_run_learns_is_hidden(tmp_path: Path) -> None:
    find_token({"GITHUB_TOKEN": "gho_learnt"}, "https://api.github.com")
    settings = {"remote-url": "https://me:r3motepass@g.invalid/o/n.git", "package": "orbit", "repository": "o/n"}
    index = "pypi=https://me:ind3xpass@i.invalid/simple/"
    load(Arguments(versions=("1.0",), settings=settings, index_urls=(index,)), {}, tmp_path, find_repository)
    shown = redact("gho_learnt, ind3xpass, r3motepass, o/n.git, me")
    assert shown == "***, ***, ***, o/n.git, me"


def test_a_traceback_is_free_of_secrets_with_all_that_it_was_raised_from() -> None:
    hide(WORD)
    error, cause, context = raised(f"text {WORD}"), raised(f"cause {WORD}"), raised(f"context {WORD}")
    error.__cause__, cause.__context__ = cause, context
    if sys.version_info >= (3, 11):
        error.add_note(f"note {WORD}")
    shown = format_traceback(error)
    assert WORD not in shown
    assert all(f"LookupError: {word} ***" in shown for word in ("text", "cause", "context"))
    assert sys.version_info < (3, 11) or "note ***" in shown
    assert format_error(error) == "LookupError: text ***" and Defect("pulls", error).traceback == shown
    # Cut once it is free of them, so that no half of one is left.
    assert WORD[-5:] not in format_traceback(raised(WORD * 2_000))


def test_what_a_check_says_that_breaks_is_free_of_secrets() -> None:
    hide(WORD)
    result = conclude(CHECKS["TAG-11"], raised(WORD), "x", seconds=0, where="here")
    assert (result.outcome, result.found) == (Outcome.DEFECT, "LookupError: *** (here)")


def test_what_workers_are_told_of_an_observation_that_broke_is_free_of_secrets() -> None:
    hide(WORD)

    def broken(over: threading.Event) -> Any:
        raise LookupError(WORD)

    background = Background(broken, with_workers=True)
    background.start()
    try:
        with pytest.raises(LookupError):
            background.wait()
        assert background._thread is not None and background.exchange is not None
        background._thread.join()
        assert (background.exchange / "failed.txt").read_text(encoding="utf-8") == "LookupError: ***"
    finally:
        background.close()


def test_what_breaks_while_checks_are_collected_is_told_without_secrets() -> None:
    hide(WORD)
    step = redacting.pytest_make_collect_report()
    next(step)
    with pytest.raises(StopIteration) as done:
        step.send(pytest.CollectReport("checks", "failed", f"LookupError: {WORD}", None))
    assert done.value.value.longreprtext == "LookupError: ***"


@pytest.mark.parametrize("style", ["native", "long", "short"])
def test_an_internal_error_is_told_without_secrets(style: Any) -> None:
    hide(WORD)
    try:
        raise LookupError(f"of {WORD}")
    except LookupError:
        raised_here = pytest.ExceptionInfo.from_current()
        shown = raised_here.getrepr(style=style)
    redacting.pytest_internalerror(excrepr=shown, excinfo=raised_here)
    assert "LookupError: of ***" in str(shown) and WORD not in str(shown)


def test_a_thread_that_breaks_is_warned_about_without_secrets() -> None:
    hide(WORD)
    told = warnings.WarningMessage(UserWarning(f"in a thread: {WORD}"), UserWarning, "x.py", 1)
    redacting.pytest_warning_recorded(warning_message=told)
    assert str(told.message) == "in a thread: ***"
