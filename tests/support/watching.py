"""A plugin for the run under test (`-p watching`): tells what it starts and what its temporary folders held.

Python's audit events name every program with its arguments and environment, and every folder before it is removed.
Loaded by its file name, beside no package: it imports the standard library alone. `WATCHED` names the file to write to.
It asks for pytest's temporary folder, as another plugin may. `BREAK` is the end of an address: the look-up that asks
for it breaks, and says all that it knows; with `BREAK_ALL`, the whole observation does.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

_FILE, _SECRET = os.environ.get("WATCHED", ""), os.environ.get("WATCHED_WORD", "")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _, command, _, environ = arguments
        environ = os.environ if environ is None else environ
        told = [f"{name}={value}" for name, value in environ.items()]
        _tell({"started": [os.fsdecode(word) for word in command], "environ": [x for x in told if _SECRET in x]})
    elif event == "shutil.rmtree":
        for path in Path(os.fsdecode(arguments[0])).rglob("*"):
            if path.is_file() and not path.is_symlink() and _SECRET.encode() in path.read_bytes():
                _tell({"held": path.name, "mode": stat.S_IMODE(path.stat().st_mode)})


def _tell(fact: dict[str, object]) -> None:
    with Path(_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(fact) + "\n")


def _break() -> None:
    from release_state.observe.http.client import HttpClient

    real = HttpClient.get

    def get(self: HttpClient, url: str, **options: Any) -> Any:
        if url.endswith(os.environ["BREAK"]):
            headers = {"Authorization": f"Bearer {self.token}"}
            raise _defect(headers)
        return real(self, url, **options)

    HttpClient.get = get  # type: ignore[method-assign]


def _defect(headers: dict[str, str]) -> Exception:
    """An error that holds every secret: in its text, in its notes, and in what it was raised from."""
    known = [value for value in os.environ.values() if _SECRET and _SECRET in value and value != _SECRET]
    passwords = re.findall(r":(\w+)@", " ".join(known))
    error = LookupError(f"a defect of {len(headers)} header: {headers}")
    error.__cause__ = ValueError(*known)
    error.__cause__.__context__ = OSError(5, *passwords)
    basic = [b64encode(f"me:{password}".encode()) for password in passwords]
    if sys.version_info >= (3, 11):
        error.add_note("\n".join([*passwords, *map(repr, basic)]))
    return error


def _break_all() -> None:
    from release_state.observe.collect import _Observer

    def observe(self: _Observer, *_: Any) -> Any:
        raise _defect({"Authorization": f"Bearer {self._sources.client.token}"})

    _Observer.observe = observe  # type: ignore[method-assign,assignment]


def pytest_sessionstart(session: Any) -> None:
    session.config._tmp_path_factory.getbasetemp()


if _FILE:
    sys.addaudithook(_watch)
if "BREAK" in os.environ:
    _break()  # now: when pytest is configured, the run observes already
if "BREAK_ALL" in os.environ:
    _break_all()
