"""Validates the value of each setting; raises UsageProblem with one clear line, before anything is contacted."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from packaging.version import Version

from release_state.common.addresses import ENCODE, find_git_fault, may_hold_password
from release_state.common.errors import UsageProblem
from release_state.common.text import sanitize

_LONGEST_ENVIRONMENT = 255
_PACKAGE = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]{0,198}[A-Za-z0-9]")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_IN_URL = re.compile(r"[/:@]([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+?)(?:\.git)?/?$")
_CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-/.]|[/.]$")
_SCP_LIKE = re.compile(r"(?:[A-Za-z0-9_.+][A-Za-z0-9_.+-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^\s:][^\s]*")


def shown(text: str) -> str:
    """The text quoted for a message: no credentials, no query, control characters escaped, 80 characters at most.

    If a password may be in it that cannot be told apart, nothing is shown.
    """
    if "@" in text and not _is_readable(text):
        return "(not shown: it may hold a password)"
    quoted = repr(re.sub(r"(://[^?#]*)[?#].*", r"\1", re.sub(r"://[^/?#]*@", "://", text), flags=re.DOTALL))
    return quoted if len(quoted) <= 80 else quoted[:77] + "…'"


def _is_readable(text: str) -> bool:
    """Whether everything before an `@` is known to be no password, or is left out."""
    try:
        _ = urlsplit(text).port
    except ValueError:
        return False
    if may_hold_password(text):
        return False
    # `name:password@host` without a scheme holds a secret, wherever it stands.
    return "://" in text or re.search(r":[^@]*@", text) is None or bool(_SCP_LIKE.fullmatch(text))


def version(text: str) -> str:
    """The version, normalized by PEP 440; raises UsageProblem on anything else and on a tag."""
    try:
        parsed = Version(text)
    except ValueError:  # InvalidVersion, and what int() says of thousands of digits
        advice = "give one like 0.2.0, 1.0rc1 or 2024.5" if text else "give the one that is being released, like 0.2.0"
        raise UsageProblem(f"--version {shown(text)} is not a PEP 440 version: {advice}") from None
    if re.match(r"\s*[vV]", text):
        raise UsageProblem(f"--version {shown(text)} looks like a tag: give the version, --version {parsed.public}")
    return str(parsed)


def refuse_local(text: str, channel: str) -> None:
    """Raise UsageProblem for a local version, which the public index of this channel never accepts."""
    if (parsed := Version(text)).local:
        raise UsageProblem(
            f"--version {shown(text)} is a local version (+{parsed.local}), which {channel} never accepts: "
            f"give --version {parsed.public}, or a channel with an index of its own"
        )


def _checked(is_right: object, option: str, text: str, why: str) -> str:
    """The text; raises UsageProblem with the reason if it is not right."""
    if not is_right:
        raise UsageProblem(f"{option} {shown(text)} {why}")
    return text


def one_of(option: str, text: str, allowed: Iterable[str]) -> str:
    """The text, if it is one of the allowed words."""
    allowed = list(allowed)
    if text not in allowed:
        raise UsageProblem(f"{option} {shown(text)} is not known{nearest(text, allowed)}; known: {', '.join(allowed)}")
    return text


def nearest(text: str, allowed: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing."""
    near = difflib.get_close_matches(text, list(allowed), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def describe_unknown(option: str, known: Iterable[str]) -> str:
    """The line for an option that is not known, which names the nearest; its value is not shown."""
    name = option.partition("=")[0]
    return f"{shown(name)} is not an option{nearest(name, known)}; all options: --help"


def package(text: str) -> str:
    """A package name that the core metadata allow."""
    why = "is not a package name: letters, digits, and . _ - between them"
    return _checked(_PACKAGE.fullmatch(text), "package", text, why)


def repository(text: str) -> str:
    """A GitHub repository."""
    found = _IN_URL.search(text)
    why = "is not of the form owner/name" + (f": give {found[1]}" if found else "")
    return _checked(_REPOSITORY.fullmatch(text), "repository", text, why)


def channel_name(text: str) -> str:
    """A channel's name: it becomes part of branch and file names."""
    if not _CHANNEL.fullmatch(text):
        raise UsageProblem(f"channel name {shown(text)}: lower-case letters, digits and - only")
    if text == "all":
        raise UsageProblem("channel name 'all': --channel all means every channel, give this one another name")
    return text


def ref_name(option: str, text: str) -> str:
    """A branch or remote name that git accepts."""
    return _checked(text and not _REF_FORBIDDEN.search(text), option, text, "is not a name that git allows")


def template(option: str, text: str, known: Iterable[str]) -> str:
    """A template with `{version}`, `{semver}` or `{underscored}` once, and no unknown placeholder."""
    names = _PLACEHOLDER.findall(text)
    known = list(known)
    for name in names:
        if name not in known:
            raise UsageProblem(
                f"{option} {shown(text)}: {{{name}}} is not known; known: " + ", ".join(f"{{{name}}}" for name in known)
            )
    is_right = sum(name in ("version", "semver", "underscored") for name in names) == 1
    return _checked(is_right, option, text, "must hold {version} once, or {semver}")


def ref_template(option: str, text: str, known: Iterable[str]) -> str:
    """A template whose result is a ref name that git accepts."""
    ref_name(option, _PLACEHOLDER.sub("0", template(option, text, known)))
    return text


def text_template(option: str, text: str, known: Iterable[str]) -> str:
    """A template whose result is a line of text."""
    _checked(not _CONTROL.search(text), option, text, "holds a control character")
    return template(option, text, known)


def http_url(option: str, text: str) -> str:
    """An absolute http or https address without query and fragment."""
    parts = _split(option, text)
    is_right = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    return _checked(is_right, option, text, "is not an http or https address")


def status_url(option: str, text: str) -> str | None:
    """The address of a status page without a slash at its end; None for an empty text, which means no page."""
    is_right = not text or "@" not in urlsplit(http_url(option, text)).netloc
    return _checked(is_right, option, text, "held credentials: a status page needs none").rstrip("/") or None


def link(option: str, text: str) -> str:
    """An http or https address that a page may link to."""
    is_right = _split(option, text).scheme in ("http", "https")
    return _checked(is_right, option, text, "is not an http or https address")


def git_url(option: str, text: str) -> str:
    """A remote's address: https, http, ssh, git and file URLs, `host:path`, or an absolute path."""
    _refuse_passwords(option, text)
    fault = "form" if " " in text else find_git_fault(text)
    _checked(fault != "query", option, text, "holds a query or a fragment")
    forms = "https://, ssh://, git://, file:///, host:path or an absolute path"
    return _checked(not fault, option, text, f"is not an address of a git remote: {forms}")


def is_local(url: str) -> bool:
    """Whether the remote's address is a path of this machine."""
    return url.startswith("/") or url.lower().startswith("file:")


def folder(option: str, text: str) -> str:
    """A path of this machine."""
    return _checked(text and "\0" not in text, option, text, "is not the name of a folder")


def relative_path(option: str, text: str) -> str:
    """A path inside the repository."""
    leads_out = not text or text.startswith(("/", "-", ":")) or ".." in text.split("/")
    return _checked(not (leads_out or _CONTROL.search(text)), option, text, "is not a path inside the repository")


def workflow_file(option: str, text: str) -> str:
    """The file name of a workflow, or nothing."""
    is_right = not text or re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.ya?ml", text)
    return _checked(is_right, option, text, "is not the file name of a workflow (release.yml)")


def environment(option: str, text: str) -> str:
    """The name of a GitHub environment, or nothing."""
    is_right = len(text) <= _LONGEST_ENVIRONMENT and text == text.strip() and text == sanitize(text)
    return _checked(is_right, option, text, "is not a name that GitHub allows for an environment")


def seconds(option: str, text: str) -> float:
    """A positive number of seconds, a day at most."""
    return _number(option, text, "seconds", 86_400)


def mebibytes(option: str, text: str) -> float:
    """A positive number of MiB, a TiB at most."""
    return _number(option, text, "MiB", 2**20)


def _number(option: str, text: str, unit: str, most: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    _checked(0 < value <= most, option, text, f"is not a number of {unit} above 0, up to {most}")
    return value


def flag(option: str, text: str) -> bool:
    """True or false."""
    return one_of(option, text.lower(), ("true", "false")) == "true"


def words(option: str, text: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """A comma-separated list of allowed words."""
    allowed = list(allowed)
    return tuple(one_of(option, word.strip(), allowed) for word in text.split(",") if word.strip())


def _refuse_passwords(option: str, text: str) -> None:
    """Raise UsageProblem, without quoting it, if part of a password may look like part of the address."""
    if may_hold_password(text):
        raise UsageProblem(f"{option}: the address has an @ behind its host, which may end a password: {ENCODE}")


def _split(option: str, text: str) -> SplitResult:
    _refuse_passwords(option, text)
    _checked(not re.search(r"[\x00-\x20\x7f]", text), option, text, "holds a blank or a control character")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise UsageProblem(f"{option} is not an address; it is not shown, for it may hold a password") from None
    return parts
