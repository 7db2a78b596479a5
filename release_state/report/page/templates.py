"""The HTML templates: whatever they show is sanitized and escaped, unless a filter here made it markup.

A page is one file that loads nothing. Its templates, style and scripts are files of the package, named by their path
in it. Commands are shown to the letter: a plan holds none that cannot be. Sources:
https://jinja.palletsprojects.com/en/stable/api/ (`autoescape`, `finalize`) and
https://markupsafe.palletsprojects.com/en/stable/escaping/
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import release_state
from release_state.common.text import format_count, format_step_numbers, quote_command, sanitize
from release_state.verdict.matrix import name_trace

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.bccache import Bucket
    from markupsafe import Markup

_WORD = 40
"""Characters of a word in a command from which on a browser may break it."""


@cache
def _environment() -> Environment:
    return make_environment()


def load(*names: str) -> None:
    """Load templates before they are needed."""
    for name in names:
        _environment().get_template(name)


def render(name: str, **context: object) -> str:
    """Render a template: `report/page/release.html`."""
    return _environment().get_template(name).render(context)


def render_macro(name: str, macro: str, *arguments: object) -> str:
    """Render one macro of a template."""
    module: Any = _environment().get_template(name).module
    return str(getattr(module, macro)(*arguments))


def format_span(seconds: float) -> str:
    """A duration as exact as a reader needs it: `less than 1 s`, `4.2 s`, `3 min 5 s`, `2 hours`, `3 days`."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 3600:
        return f"{int(seconds // 60)} min" + (f" {int(seconds % 60)} s" if seconds % 60 >= 1 else "")
    unit, size = next(
        (unit, size) for unit, size in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600)) if seconds >= size
    )
    count = int(seconds // size)
    return format_count(count, unit)


def format_utc(at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """`2026-11-02 09:00:00`, in UTC."""
    return at.astimezone(timezone.utc).strftime(form)


def make_environment() -> Environment:
    """The environment of all templates, with compiled templates kept as Python keeps compiled modules."""
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    class Compiled(FileSystemBytecodeCache):
        """Compiled templates beside compiled modules: compiling takes twenty times as long as rendering."""

        def dump_bytecode(self, bucket: Bucket) -> None:
            if not sys.dont_write_bytecode:
                with suppress(OSError):  # a package that this user cannot write to
                    super().dump_bytecode(bucket)

    made = Environment(
        loader=FileSystemLoader(Path(release_state.__file__).parent),
        bytecode_cache=Compiled(str(Path(__file__).parent / "__pycache__")),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(_FILTERS)
    made.globals["version"] = release_state.__version__
    return made


def _clean(value: object) -> object:
    return sanitize(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _show_code(text: str) -> Markup:
    """The text; what stands between backticks becomes code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sanitize(text)))))  # noqa: S704 - escaped before


def _show_command(line: str) -> Markup:
    """The command with short words kept whole: a browser would break `--title` after its hyphens."""
    from markupsafe import Markup, escape

    kept = Markup('<span class="word">{}</span>')
    words = (
        kept.format(word) if "-" in word and len(word) < _WORD else escape(word) for word in re.split(r"(\s+)", line)
    )
    return Markup("").join(words)


_FILTERS: dict[str, Callable[..., object]] = {
    "code": _show_code,
    "command": _show_command,
    "cut": sanitize,
    "moment": datetime.fromisoformat,
    "name_trace": name_trace,
    "quote": quote_command,
    "step_numbers": format_step_numbers,
    "utc": format_utc,
}
