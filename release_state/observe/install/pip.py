"""The options of pip for an index, and what wheels and pip's output say about a failure; passwords stay hidden."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from email.parser import BytesHeaderParser
from enum import Enum
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from zipfile import BadZipFile, ZipFile

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from release_state.facts.filenames import read_filename
from release_state.model.snapshot import IndexFile
from release_state.model.target import parse_version

_METADATA_LIMIT = 4 * 2**20
"""Bytes of the metadata to read."""
_URL = ":/?#[]@!$&()*+,;=%~-._"
"""Characters that stay in a URL; a quote or a space would end it in pip's options file."""


def build_index_options(url: str, folder: Path) -> list[str]:
    """Return the options that name the index. An address with a password goes into a file in `folder`."""
    parts = urlsplit(url)
    trusted = ["--trusted-host", parts.netloc.rpartition("@")[2]] if parts.scheme == "http" else []
    if "@" not in parts.netloc:
        return ["--index-url", url, *trusted]
    # Everybody on the machine can read the arguments of a process.
    options = folder / "index.txt"
    options.touch(mode=0o600)
    options.write_text(f"--index-url '{quote(url, safe=_URL)}'\n", encoding="utf-8")
    return ["--requirement", str(options), *trusted]


def find_certificate_options(environ: Mapping[str, str]) -> list[str]:
    """Return the option for the certificates that the environment trusts; empty if it names none."""
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if (path := environ.get(name)) and Path(path).exists():
            return ["--cert", str(Path(path).absolute())]
    return []


def list_proxies(environ: Mapping[str, str]) -> list[str]:
    """Return the addresses of the environment's proxies."""
    return [value for name, value in environ.items() if name.lower().endswith("_proxy") and "://" in value]


def strip_passwords(text: str, urls: Iterable[str]) -> str:
    """Return the text without the passwords of these addresses, and without user names and passwords in any address."""
    for url in urls:
        password = urlsplit(url).password
        for secret in {password, unquote(password)} if password else ():
            text = text.replace(secret, "****")
    return re.sub(r"://[^/@\s]+@", "://", text)


def find_direct_dependency(wheel: Path, python: str) -> str | None:
    """Return the first requirement with a direct URL that applies to this Python (`3.12.1`); None if there is none."""
    markers = {"extra": "", "python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    try:
        with ZipFile(wheel) as archive:
            inside = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            with archive.open(inside) as file:
                metadata = BytesHeaderParser().parsebytes(file.read(_METADATA_LIMIT))
        for text in metadata.get_all("Requires-Dist", []):
            requirement = Requirement(str(text))
            if requirement.url and (requirement.marker is None or requirement.marker.evaluate(markers)):
                return str(text)
    except (BadZipFile, StopIteration, InvalidRequirement, RuntimeError, NotImplementedError):
        pass  # pip will say what is wrong with it
    return None


class PipEnded(Enum):
    """How a failed run of pip ended."""

    FAILED = "failed"
    """The version cannot be installed; pip had every answer that it needed."""
    NOT_ATTEMPTED = "not attempted"
    """Only foreign build code could install it, which is not run."""
    UNAVAILABLE = "unavailable"
    """The index did not answer, or pip itself failed: nothing is known about the version."""


class PipJudgement(Struct, frozen=True):
    """How pip ended, and the line of its output that decides it."""

    ended: PipEnded
    line: str
    remedy: str | None = None


NOT_BUILT = "foreign build code is not run"
BUILD = "--install-sdists, which builds it here and runs its code"
LEAVE_OUT = "give --no-install: the verdict then says that installation was not verified"
"""What to do if an installation cannot be tried."""

# The files themselves are broken. These come first: no network trouble can cause them.
_BROKEN = re.compile(
    r"inconsistent (?:name|version)|invalid metadata|not a supported wheel|requires a different python"
    r"|invalid requirement",
    re.IGNORECASE,
)
_UNREADABLE = re.compile(r"invalid wheel|wheel .* is invalid", re.IGNORECASE)
"""Network trouble can cause these if the index lists no hash to compare with."""
_OTHER_FILE = re.compile(r"DO NOT MATCH THE HASHES", re.IGNORECASE)
_NO_MATCH = re.compile(r"ERROR: No matching distribution found for (.+?)(?: \(from .*)?$", re.MULTILINE)
_CONFLICT = re.compile(r"ERROR: (?:ResolutionImpossible|Cannot install .*conflicting).*")

# pip treats a page that it could not get as one without files, and says so only in its log.
_NOT_FETCHED = re.compile(r"Could not fetch URL (\S+): (.*?)(?: - skipping|$)", re.MULTILINE)
_NO_PAGE = re.compile(r"Skipping page (\S+) because .*")
_SAID_NO = re.compile(r"(?:404|410) ")
_LINK = re.compile(r"(?:Found link|Skipping link:.*?:) (https?://\S+) \(from (\S+)\)")
"""A file that pip found, and the page that lists it."""
_REFUSED = re.compile(r"\b(?:401|403) ")
_NO_SDIST = re.compile(r"Skipping link: No sources permitted for \S+: (\S+)")


def judge_failure(output: str, log: str, package: str, files: Collection[IndexFile] = ()) -> PipJudgement:
    """Judge a run of `pip download` or `pip install` that ended with an exit code other than 0.

    `output` is what pip printed, `log` its `--log`; `files` are those of the version that the index listed just before.
    Anything that is not surely a statement about the package is unavailable: if pip got another page or file than the
    index lists, something stood in between.
    """
    hashed = bool(files) and all(file.sha256 for file in files)
    for line in output.splitlines():
        if _OTHER_FILE.search(line):
            remedy = "try again; if it persists, download the file and compare: the index may serve another one"
            return PipJudgement(PipEnded.UNAVAILABLE, "the hash of a file differs from the listed one", remedy)
        if _BROKEN.search(line) or (hashed and _UNREADABLE.search(line)):
            return PipJudgement(PipEnded.FAILED, line.strip())
    if trouble := _trouble(log):
        return trouble
    if missing := _NO_MATCH.search(output):
        return _judge_missing(missing[0], missing[1], log, package, [file.filename for file in files])
    if conflict := _CONFLICT.search(output):
        return PipJudgement(PipEnded.FAILED, conflict[0])
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.lower().startswith("hint:")]
    # The last line of a traceback says what happened.
    errors = [line for line in lines if re.match(r"error: (?!Exception:$)", line, re.IGNORECASE)]
    return PipJudgement(PipEnded.UNAVAILABLE, (errors or lines or ["pip failed without a message"])[-1])


def _trouble(log: str) -> PipJudgement | None:
    for found in _NOT_FETCHED.finditer(log):
        if not _SAID_NO.match(found[2]):
            refused = _REFUSED.search(found[2])
            remedy = "give the index URL with a user name and password that may read it" if refused else None
            return PipJudgement(PipEnded.UNAVAILABLE, f"{found[1]}: {found[2]}", remedy)
    if skipped := _NO_PAGE.search(log):
        return PipJudgement(PipEnded.UNAVAILABLE, skipped[0])
    return None


def _judge_missing(line: str, text: str, log: str, package: str, files: Collection[str]) -> PipJudgement:
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return PipJudgement(PipEnded.FAILED, line)
    name = canonicalize_name(wanted.name)
    if name == canonicalize_name(package):
        if any(unquote(link[1].partition("#")[0].rpartition("/")[2]) in files for link in _LINK.finditer(log)):
            return PipJudgement(PipEnded.FAILED, line)
        return PipJudgement(PipEnded.UNAVAILABLE, f"pip did not see the files that the index lists: {line}")
    for link in _NO_SDIST.finditer(log):
        read = read_filename(link[1].partition("#")[0].rpartition("/")[2], name)
        version = parse_version(read[0]) if read else None
        if version and wanted.specifier.contains(version, prereleases=True):
            return PipJudgement(
                PipEnded.NOT_ATTEMPTED, f"the dependency {text} has no wheel that fits, and {NOT_BUILT}"
            )
    # A page that lists a file is the index's own. Failed: such a page of this dependency, or none of it beside one.
    pages = {link[2].rstrip("/") for link in _LINK.finditer(log)}
    refused = {found[1].rstrip("/") for found in _NOT_FETCHED.finditer(log)}
    for page in pages | refused:
        if canonicalize_name(page.rpartition("/")[2]) == name:
            root = page.rpartition("/")[0]
            if page in pages or any(other.rpartition("/")[0] == root for other in pages):
                return PipJudgement(PipEnded.FAILED, line)
    return PipJudgement(PipEnded.UNAVAILABLE, f"no page of the index shows that the file is missing: {line}")
