"""What starts the upload of a workflow: a tag, a GitHub Release, a person, a push, a schedule (pure).

Each event of `on:` is held against the conditions on the way to the upload: an event under which a job is certainly
skipped does not start it.
Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

from release_state.facts.workflow.calls import PlacedJob
from release_state.facts.workflow.document import NotReadable
from release_state.facts.workflow.expressions import Value, evaluate
from release_state.facts.workflow.publishing import Upload
from release_state.facts.workflow.triggers import is_taken, read_events, read_push_trigger
from release_state.model.process import Start, StartKind

_STATUS_FUNCTIONS = ("always()", "cancelled()", "failure()")
_UNSURE = re.compile(r"\$\{\{|^(?:true|false)$")
_TAG_NAME = re.compile(r"refs/tags/([\w./@+-]*)|\bref_name\s*,\s*'([^']{0,100})'")
_MOST_SAMPLES = 20
_SPECIAL, _ESCAPED = re.compile(r"[\\*?+!\[\]]"), r"\\\g<0>"
"""What has a meaning in a pattern, and how it stands for itself."""
_PULLS = ("pull_request", "pull_request_target")
_OTHERS: Mapping[str, StartKind] = {
    "workflow_dispatch": "dispatch",
    "repository_dispatch": "dispatch",
    "schedule": "schedule",
    "workflow_run": "workflow",
    "create": "tag",
}
JUDGED = frozenset({"push", "release", *_PULLS, *_OTHERS})
"""The events that are held against conditions."""
_PARTS = ("inputs", "release", "action", "ref", "workflow_run", "pull_request")
_ABSENT: Mapping[str, Value] = {"inputs": None, **{f"github.event.{part}": None for part in _PARTS}}
"""Contexts that only some events have."""
Way = tuple[tuple[str, ...], Mapping[str, Value]]
"""The filters of a start, and what is known in its run."""
_OWN: Mapping[str, tuple[str, ...]] = {
    "create": ("github.event.ref",),
    "workflow_dispatch": ("inputs", "github.event.inputs", "github.event.ref"),
    "repository_dispatch": ("github.event.action",),
    "workflow_run": ("github.event.workflow_run", "github.event.action"),
}
_OF_DEFAULT = ("schedule", "repository_dispatch", "workflow_run")
"""Events whose runs are of the default branch."""
_SENT = ("created", "published", "released")
"""What GitHub sends of a final release that was no draft before."""


def find_starts(
    upload: Upload, text: str, repository: str = "", base: str = "main", tag: str = "", *, alone: bool = False
) -> tuple[Start, ...]:
    """Return what starts an upload; `text` is its workflow file, `repository` the `owner/name` that runs it.

    `base` is the base branch: of all pushes to branches, those to it are looked at. `tag` is the version's; where a
    condition keeps this one from the upload and lets another through, the last pattern of the start excludes it. With
    `alone`, GitHub Releases of other tags, and starts by hand on one, do not count.

    Empty if the file cannot be read.
    """
    try:
        events = read_events(text)
    except NotReadable:
        return ()
    known: dict[str, Value] = {"github.repository": repository, "github.repository_owner": repository.partition("/")[0]}
    found: dict[tuple[StartKind, tuple[str, ...]], Start] = {}
    released: dict[str, bool] = {}
    samples = [tag] if alone else _list_samples(text)
    for kind, ways in _scenarios(events, base, samples, tag):
        for filters, context in ways:
            likely = _with_refs(context, (_of_ref("branch", base), _of_ref("tag", tag))) if alone else [context]
            results = {_reaches(upload, {**(known if repository else {}), **each}) for each in likely}
            surely = True in results or (None if None in results else False)
            if kind == "release" and surely is not False:
                released[filters[0]] = surely is True
                break
            if surely is not False:
                found.setdefault((kind, filters), Start(kind=kind, filters=filters, surely=surely is True))
                break
    if released:
        types = () if tuple(released) == _SENT and not _list_types(events) else tuple(released)
        found["release", types] = Start(kind="release", filters=types, surely=all(released.values()))
    pull = next((name for name in _PULLS if name in events), "")
    # A rare process: the run of the release's own pull request uploads and merges it.
    ref = f"refs/heads/{base}" if pull == "pull_request_target" else "refs/pull/1/merge"
    of_pull: dict[str, Value] = {"github.event_name": pull, "github.ref_type": "branch", "github.ref": ref}
    reached = _reaches(upload, {"github.event.ref": None, **of_pull}) if pull else False
    if (reached and {kind for kind, _ in found} <= {"dispatch"}) or (reached is None and not found):
        found["pull-request", ()] = Start(kind="pull-request", surely=False)
    return tuple(found.values())


def _list_samples(text: str) -> list[str]:
    """Names of tags, of which the conditions of a workflow may ask for one: `v1.0.0`, and what the file names."""
    named = (found[1] or found[2] or "" for found in _TAG_NAME.finditer(text))
    ends = (name + end for name in islice(named, _MOST_SAMPLES) for end in ("1.0.0", ""))
    return list(dict.fromkeys(["v1.0.0", *ends]))


def _scenarios(
    events: Mapping[str, object], base: str, samples: Sequence[str] = ("v1.0.0",), tag: str = ""
) -> Iterator[tuple[StartKind, Iterable[Way]]]:
    """Each event, with the ways in which it may reach an upload: the first that does counts."""
    for name, given in events.items():
        filters = given if isinstance(given, dict) else {}
        context: dict[str, Value] = {"github.event_name": name, **_ABSENT}
        if name == "push":
            yield from _pushes(events, filters, base, samples, tag)
        elif name == "release":
            context.pop("github.event.release")
            tags = [{**_of_ref("tag", each), "github.event.release.tag_name": each} for each in filter(None, [tag])]
            tags += [_of_ref("tag", each) for each in samples if each != tag]
            for action in _list_types(events) or _SENT:
                yield "release", [((action,), {**context, **of_tag, "github.event.action": action}) for of_tag in tags]
        elif name in _PULLS and "closed" in _texts(filters, "types"):
            merged: dict[str, Value] = {"github.event.action": "closed", "github.event.pull_request.merged": True}
            yield "pull-request", [(_texts(filters, "branches"), {**context, **merged})]
        elif kind := _OTHERS.get(name):
            for own in _OWN.get(name, ()):
                context.pop(own)
            of_default = _of_ref("branch", base) if name in _OF_DEFAULT else {}
            yield kind, [(_texts(filters, "workflows"), {**context, **of_default})]


def _list_types(events: Mapping[str, object]) -> tuple[str, ...]:
    filters = events.get("release")
    return _texts(filters, "types") if isinstance(filters, dict) else ()


def _of_ref(kind: Literal["tag", "branch"], name: str) -> dict[str, Value]:
    """What a run knows of its ref."""
    ref = f"refs/{'tags' if kind == 'tag' else 'heads'}/{name}"
    return {"github.ref_type": kind, "github.ref": ref, "github.ref_name": name}


def _pushes(
    events: Mapping[str, object], filters: Mapping[str, object], base: str, samples: Sequence[str], tag: str
) -> Iterator[tuple[StartKind, Iterable[Way]]]:
    trigger = read_push_trigger(events)
    tags, ignored = _texts(filters, "tags"), _texts(filters, "tags-ignore")
    of_branches = trigger is not None and (trigger.branches is not None or trigger.branches_ignore is not None)
    context: dict[str, Value] = {"github.event_name": "push", **_ABSENT}

    def way(kind: Literal["tag", "branch"], name: str, patterns: tuple[str, ...]) -> Way:
        of_ref = _of_ref(kind, name)
        return patterns, {**context, **of_ref, "github.event.ref": of_ref["github.ref"]}

    if tags or ignored or not of_branches:
        patterns = (*(("**",) if ignored else ()), *tags, *(f"!{each}" for each in ignored))
        is_own = bool(tag) and (not patterns or is_taken(patterns, tag))
        others = (*(patterns or ("**",)), f"!{_SPECIAL.sub(_ESCAPED, tag)}") if is_own else patterns
        spelt = next((each for each in tags if not each.startswith("!")), samples[0]).replace("*", "1")
        known = [each for each in samples if not patterns or is_taken(patterns, each)]
        yield (
            "tag",
            [*([way("tag", tag, patterns)] if is_own else []), *(way("tag", each, others) for each in (spelt, *known))],
        )
    if trigger is not None and trigger.is_for(base):
        yield "branch", [way("branch", base, trigger.branches or ())]


def list_contexts(
    upload: Upload, text: str, base: str = "main"
) -> Iterator[tuple[StartKind, Mapping[str, Value], bool]]:
    """Yield what may start an upload: the kind, what is known in such a run, and whether it surely gets to the upload.

    A start by hand is of the base branch, or of a tag where a branch does not reach the upload.
    """
    try:
        events = read_events(text)
    except NotReadable:
        return
    refs = _of_ref("branch", base), _of_ref("tag", "v1.0.0")
    for kind, ways in _scenarios(events, base, _list_samples(text)):
        likely = [each for _, context in ways for each in _with_refs(context, refs)]
        reached = ((each, _reaches(upload, each)) for each in likely)
        if found := next(((each, reaches) for each, reaches in reached if reaches is not False), None):
            yield kind, found[0], found[1] is True


def _with_refs(context: Mapping[str, Value], refs: Iterable[Mapping[str, Value]]) -> list[Mapping[str, Value]]:
    if "github.ref" in context:
        return [context]
    return [{"github.event.ref": ref["github.ref"], **context, **ref} for ref in refs]


def _reaches(upload: Upload, known: Mapping[str, Value]) -> bool | None:
    """Whether a run of this event gets as far as the upload; None if only the run can tell."""
    placed: PlacedJob | None = upload.job
    results: list[bool | None] = [evaluate(upload.condition, _see_from(upload.job, known))]
    while placed is not None:
        results.append(_runs(placed, _see_from(placed, known)))
        placed = placed.caller
    return False if False in results else (None if None in results else True)


def _see_from(placed: PlacedJob, known: Mapping[str, Value]) -> Mapping[str, Value]:
    """What a job sees of a run: one of a called workflow has the inputs of the call, whatever started it."""
    if placed.caller is None:
        return known
    inputs = placed.caller.job.inputs.items()
    # Whether true and false are texts or not is said by the called workflow.
    given = {f"inputs.{name.lower()}": text for name, text in inputs if not _UNSURE.search(text)}
    return {**{name: value for name, value in known.items() if name != "inputs"}, **given}


def is_kept_from_pushes(placed: PlacedJob, base: str) -> bool:
    """Return whether no push to the base branch runs a job, by the conditions on the way to it."""
    of_ref, here = _of_ref("branch", base), placed
    event: dict[str, Value] = {"github.event_name": "push", **_ABSENT, "github.event.ref": of_ref["github.ref"]}
    known = {**event, **of_ref}
    while _runs(here, _see_from(here, known)) is not False:
        if here.caller is None:
            return False
        here = here.caller
    return True


def _runs(placed: PlacedJob, known: Mapping[str, Value]) -> bool | None:
    """Whether a job runs: unless its condition asks for a status, only if no job that it needs in any way is skipped.

    A condition in between that asks for one does not change that: https://github.com/actions/runner/issues/2205
    """
    job, needed = placed.job, placed.workflow.find_needed(placed.job.id)
    own = evaluate(job.condition, known)
    if own is False or any(function in job.condition for function in _STATUS_FUNCTIONS):
        return own
    results = [own, *(evaluate(each.condition, known) for each in placed.workflow.jobs if each.id in needed)]
    return False if False in results else (None if None in results else True)


def _texts(filters: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = filters.get(name)
    if value is None:
        return ()
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]))


def starts_only_uploads(starts: Sequence[Start], text: str, base: str = "main") -> bool:
    """Return whether every run of a workflow is one that uploads, as far as its triggers say."""
    try:
        events = read_events(text)
    except NotReadable:
        return False
    kinds = {start.kind for start in starts}
    for name, given in events.items():
        trigger = read_push_trigger(events) if name == "push" else None
        if name == "push" and trigger is not None:
            filters = given if isinstance(given, dict) else {}
            takes_tags = "tags" in filters or "tags-ignore" in filters or trigger.is_for(base)
            if (not trigger.only_tags and "branch" not in kinds) or (takes_tags and "tag" not in kinds):
                return False
        elif name == "release":
            if "release" not in kinds:
                return False
        elif name != "workflow_call" and _OTHERS.get(name, "pull-request") not in kinds:
            return False
    return True
