"""What `--show-config` prints: each setting with its origin, and what the clone alone shows of the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from release_state.common.addresses import strip_credentials
from release_state.common.text import join_items, sanitize
from release_state.facts.publishers import describe_starts
from release_state.model.process import Publisher
from release_state.model.target import Channel, Target
from release_state.observe.from_clone import CloneProcess
from release_state.settings import validate
from release_state.settings.config import PLACEHOLDER, RunConfig
from release_state.settings.options import SETTINGS
from release_state.settings.sources import Value

_LONGEST = 500
_NOT_ASKED = "the remote, GitHub and the index were not asked"
_BY_A_RUN = {
    "expected-files": "a run finds it out from earlier versions on the index",
    "leaves": "a run finds it out from earlier releases",
}
"""What no clone shows."""


def show(config: RunConfig, token_source: str | None, clone: CloneProcess) -> list[str]:
    """The lines of `--show-config`: each value and its origin, without secrets."""
    rows = [(key, _without_secrets(value)) for key, value in config.values.items()]
    if "reports-dir" not in config.values:
        rows.append(("reports-dir", Value(str(config.reports_dir), "default")))
    target = config.targets[0]
    for each in target.channels:
        rows += [(f"channels.{each.name}.{key}", value) for key, value in _channel_rows(each, config.channel_values)]
    found = dict(_list_found(clone))
    rows = [(key, _as_found(key, value, found, clone, config)) for key, value in rows]
    versions = config.audit or ", ".join(dict.fromkeys(t.version for t in config.targets))
    read = f"clone; read: {clone.where}; {_NOT_ASKED}" if clone.targets else f"clone; {clone.why_not}"
    rows += [
        ("repo", Value(target.clone, read) if target.clone else Value("", "no clone is looked at")),
        ("version", Value(versions, "command line") if versions != PLACEHOLDER else Value("", "not given")),
        ("phase", Value(config.phase, "command line" if config.phase != "auto" else "default")),
        ("token", Value("yes" if token_source else "no", token_source or "none found")),
    ]
    rows += [("checks", value) for value in config.own_checks.values()]
    rows += [("built", config.built)] if config.built else []
    if config.waivers:
        rows.append(("waivers", Value(str(len(config.waivers)), "[[tool.release-state.waiver]]")))
    return [
        f"{key} = {'...' if value.text == _OPEN else validate.shown(value.text)}  # {sanitize(value.origin, _LONGEST)}"
        for key, value in sorted(rows, key=lambda row: row[0])
    ]


_OPEN = "\0"
"""A value that is not known before a run: no setting can hold it."""


def _as_found(key: str, value: Value, found: Mapping[str, Value], clone: CloneProcess, config: RunConfig) -> Value:
    """A setting that nobody gave and that a run finds out: as the clone shows it."""
    name = key.rpartition(".")[2]
    is_found = any(each.key == key and each.is_found for each in SETTINGS) or value.text == _OPEN
    if not is_found or value.origin != "default":
        return value
    if name in _BY_A_RUN:
        asked = config.targets[0].process_word.leaves if name == "leaves" else ()
        at_least = f"; at least {', '.join(asked)}, as process {config.targets[0].process_kind} says" if asked else ""
        return Value(_OPEN, _BY_A_RUN[name] + at_least)
    later = "a run on this channel finds it out" if clone.targets else f"a run finds it out; {clone.why_not}"
    return found.get(key, Value(_OPEN, later))


def _list_found(clone: CloneProcess) -> Iterator[tuple[str, Value]]:
    """Yield the settings that the clone shows, each with its evidence."""
    for number, target in enumerate(clone.targets):
        name, publishers = target.channel.name, target.process.publishers
        place = f"found in the clone for {name}: " if len(clone.targets) > 1 else "found in the clone: "
        missing = Value(_OPEN, f"not found in the clone: {_explain_none(target)}")
        yield (f"channels.{name}.environment", _find_environment(publishers, place) if publishers else missing)
        if number:
            continue
        jobs = join_items((f"{each.workflow}, {each.job or 'a job'} runs {each.how}" for each in publishers), 3)
        starts = join_items((f"{each.workflow} is started by {describe_starts(each)}" for each in publishers), 3)
        kinds = ",".join(dict.fromkeys(start.kind for start in target.process.starts))
        made = ",".join(dict.fromkeys(trace for each in publishers for trace in each.makes))
        makers = [line.removeprefix("makes: ") for line in target.process.evidence if line.startswith("makes: ")]
        nothing = f"{' and '.join(target.workflows)} makes nothing besides the upload"
        yield "workflow", Value(target.workflow, place + jobs) if publishers else missing
        of_word = any(start.is_of_word for start in target.process.starts)
        started = f"process {target.process_kind}: {starts}" if of_word else place + starts
        yield "started-by", Value(kinds or _OPEN, started) if publishers else missing
        yield "makes", Value(made, place + (join_items(makers, 3) or nothing)) if publishers else missing
        tags = next((line for line in target.process.evidence if line.startswith("tags: ")), "")
        spelled = tags.removeprefix("tags: ").replace("tags of the remote", "tags of the clone")
        why = f"found in the clone: {spelled}" if spelled else "default: no tag of the clone names a version"
        yield "tag-template", Value(target.tag_template, why)


def _find_environment(publishers: Sequence[Publisher], place: str) -> Value:
    jobs = [(each, f"{each.workflow}, {each.job or 'a job'}") for each in publishers]
    names = dict.fromkeys(each.environment for each, _ in jobs if each.environment is not None)
    if not names:
        unknown = join_items((where for _, where in jobs), 3)
        return Value(_OPEN, f"not found in the clone: a run of {unknown} chooses it")
    return Value(
        ", ".join(filter(None, names)),
        place + join_items((where for each, where in jobs if each.environment in names), 3),
    )


def _explain_none(target: Target) -> str:
    names = join_items(target.process.candidates)
    return f"no workflow file is seen to publish to {target.channel.name}" + (f": {names}" if names else "")


def _without_secrets(value: Value) -> Value:
    return Value(strip_credentials(value.text), value.origin)


def _channel_rows(channel: Channel, given: Mapping[tuple[str, str], Value]) -> Iterator[tuple[str, Value]]:
    known = {
        "index-url": channel.index_url,
        "leaves": _OPEN if channel.leaves else "",
        "environment": _OPEN,
        "dependencies-index-url": channel.dependencies_index_url,
    }
    for key, text in known.items():
        if value := given.get((channel.name, key)):
            yield key, _without_secrets(value)
        elif text is not None:
            yield key, Value(text, "default")
