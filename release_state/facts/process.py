"""How the project releases, from its tags, its workflow files and its earlier releases (pure).

What is found out replaces defaults of the configuration, never what somebody has configured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from msgspec import Struct, structs

from release_state.common.text import join_items, sanitize
from release_state.facts.filenames import find_expected_kinds, list_earlier
from release_state.facts.publishers import (
    add_publishers_at_tag,
    add_word,
    describe_makers,
    describe_publisher,
    find_publishers,
)
from release_state.facts.spelling import TagSpelling, find_tag_spelling
from release_state.facts.workflow.bumping import find_version_writer
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.making import find_made
from release_state.model.observation import NotObserved, Observation, Problem, known
from release_state.model.process import Made, Process
from release_state.model.snapshot import IndexProject, Snapshot, Tag, WorkflowFiles
from release_state.model.target import Channel, Target, Trace, read_version

SOURCE = "release workflow"
MOST_EARLIER = 2
"""Earlier versions whose pull requests and GitHub Releases are asked for."""
_LONGEST_LINE = 300


def resolve(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with a target that has what its observations tell about the process."""
    target = _with_tags(snapshot, _with_files(snapshot, _with_word(snapshot.target)))
    files = snapshot.workflow_files.value
    if files is not None:
        target = add_workflows(target, files)
    target = _with_leaves(structs.replace(snapshot, target=target), target)
    if files is None:
        return structs.replace(snapshot, target=target)
    named = structs.replace(files, path=f"{FOLDER}/{target.workflow}" if target.workflow else "")
    is_known = bool(target.workflow or target.process.candidates)
    return structs.replace(snapshot, target=target, workflow_files=known(named if is_known else None))


def _with_word(target: Target) -> Target:
    """The target with the configured word for its process among the evidence."""
    words = f"process: {target.process_kind} (configured)" if target.process_kind else ""
    return structs.replace(target, process=_add(target.process, words))


def _with_files(snapshot: Snapshot, target: Target) -> Target:
    """The target with the kinds of file that its earlier versions have."""
    index = snapshot.index.get(target.channel.name)
    page = index.value if index else None
    kinds = find_expected_kinds(page) if page and "expected-files" not in target.given else ()
    if not page or not kinds or kinds == target.expected_files:
        return target
    versions = join_items(reversed([each.version for each in list_earlier(page)]))
    process = _add(target.process, f"files: {' and '.join(kinds)}, as {versions} have")
    return structs.replace(target, expected_files=kinds, process=process)


def _with_tags(snapshot: Snapshot, target: Target) -> Target:
    remote = snapshot.remote.value
    if remote is None:
        return target
    index = snapshot.index.get(target.channel.name)
    spelling = _find_spelling(_Seen(target, remote.tags, index.value if index else None))
    return structs.replace(
        target, tag_template=spelling.template, process=_add(target.process, spelling.evidence, tag=spelling.tag)
    )


class _Seen(Struct, frozen=True, eq=False):
    """What the spelling of tags follows from: the same if target and tags are equal, and the page is the very one."""

    target: Target
    tags: tuple[Tag, ...]
    page: IndexProject | None

    def __hash__(self) -> int:
        return hash((self.target.version, len(self.tags), id(self.page)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Seen):
            return NotImplemented
        return other.page is self.page and other.target == self.target and other.tags == self.tags


@lru_cache(maxsize=8)
def _find_spelling(seen: _Seen) -> TagSpelling:
    """Return how tags are spelled; the snapshots that rows see differ in other things, and tags can be ten thousand."""
    published = {read_version(each.version) for each in seen.page.releases} if seen.page else set()
    return find_tag_spelling(seen.target, seen.tags, published)


def add_workflows(target: Target, files: WorkflowFiles) -> Target:
    """Return the target with the workflows that publish, or with the candidates where none is seen to."""
    publishers = find_publishers(target, files)
    every = add_word(target, add_publishers_at_tag(target, files, publishers))
    publishers, at_tag = every[: len(publishers)], every[len(publishers) :]
    evidence = [f"workflow: {describe_publisher(publisher)}" for publisher in publishers]
    # Of several workflows, what is started by hand may publish other versions, such as nightly ones.
    main = [each for each in publishers if {"tag", "release", "branch"} & {start.kind for start in each.starts}]
    writer = find_version_writer(files.texts, [f"{FOLDER}/{each.workflow}" for each in main or publishers])
    evidence += [f"workflow at the version's tag: {describe_publisher(publisher)}" for publisher in at_tag]
    if "makes" not in target.given:
        made = describe_makers(publishers, files, target.base_branch or files.branch)
        evidence += [f"makes: {line}" for line in made]
    publishers = every
    written = f"version: {writer.workflow} sets it, by {writer.how}" if writer else ""
    process = _add(target.process, *evidence, written, publishers=publishers, version_writer=writer)
    if "workflow" in target.given:
        return structs.replace(target, process=process)
    if publishers:
        return structs.replace(target, workflow=publishers[0].workflow, process=process)
    names = tuple(path.removeprefix(f"{FOLDER}/") for path in files.workflow_paths)
    found = f"no workflow file is seen to publish to {target.channel.name}: {', '.join(names)}" if names else ""
    candidates = _add(process, found or "the base branch has no workflow files", candidates=names)
    return structs.replace(target, workflow="", process=candidates)


def explain_unknown(target: Target) -> Problem:
    """Return why it is not known which workflow publishes."""
    names = ", ".join(target.process.candidates[:10])
    return Problem(
        source=SOURCE,
        why=f"no workflow file is seen to publish to {target.channel.name}: {names}",
        remedy="name it with --workflow FILE; if GitHub Actions does not publish, with --workflow ''",
    )


def _with_leaves(snapshot: Snapshot, target: Target) -> Target:
    """Lower what a release leaves to what the project's releases leave; say what stays by default because of doubt."""
    if f"channels.{target.channel.name}.leaves" in target.given:
        return target
    process, dropped, unsure = target.process, set[str](), list[tuple[str, str]]()
    asked, against = target.list_asked(), list[str]()
    habits: Mapping[str, tuple[Callable[[Snapshot, Target], bool | None], str]] = {
        "pull-request": (_has_pulls, "no release pull request: no earlier version had one, and no workflow makes one"),
        "release": (_has_releases, "no GitHub Release: the repository has none, and no workflow makes one"),
    }
    for trace, (find_habit, evidence) in habits.items():
        try:
            is_left = find_habit(snapshot, target)
        except NotObserved as missing:
            unsure += [(trace, sanitize(str(missing), _LONGEST_LINE))] * (trace not in asked)
        else:
            if is_left is False and trace in asked:
                against.append(f"{evidence}; process {target.process_kind} asks for it all the same")
            elif is_left is False:
                dropped.add(trace)
                process = _add(process, evidence)

    def lowered(channel: Channel) -> Channel:
        given = f"channels.{channel.name}.leaves" in target.given
        leaves = channel.leaves if given else tuple(trace for trace in channel.leaves if trace not in dropped)
        return structs.replace(channel, leaves=leaves)

    channel = lowered(target.channel)
    if channel == target.channel:
        return structs.replace(target, process=_add(target.process, *against, unsure=tuple(unsure)))
    channels = tuple(map(lowered, target.channels))
    process = _add(process, *against, unsure=tuple(unsure))
    return structs.replace(target, channel=channel, channels=channels, process=process)


def _has_pulls(snapshot: Snapshot, target: Target) -> bool | None:
    """Whether releases have a pull request; None: nobody looked. Raises NotObserved if it is not known."""
    observed = snapshot.earlier_pulls.values()
    pulls = (*(snapshot.pulls.value or ()), *(pull for each in observed for pull in each.value or ()))
    if _makes_pull(target.process) or any(pull.merged or pull.is_open for pull in pulls):
        return True
    for each in observed:
        each.present()
    if not observed or not snapshot.pulls.is_known:
        return None
    _require_no_maker(target, snapshot.workflow_files.known(), "pull-request")
    return False


def _makes_pull(process: Process) -> bool:
    """Whether a run that publishes makes the release's pull request: one that a tag started makes another."""
    makers = (each for each in process.publishers if "pull-request" in each.makes)
    return any(
        not each.starts or any(start.is_of_word or start.kind not in ("tag", "release") for start in each.starts)
        for each in makers
    )


def _has_releases(snapshot: Snapshot, target: Target) -> bool | None:
    """Whether releases have a GitHub Release; None: nobody looked, or too few versions tell. Raises NotObserved."""
    process, observed = target.process, (snapshot.latest_release, *snapshot.earlier_releases.values())
    if _is_release_made(process) or any(each.value for each in (snapshot.release, *observed)):
        return True
    if len(snapshot.earlier_releases) < MOST_EARLIER:
        return None
    for each in observed:
        each.known()
    _require_no_maker(target, snapshot.workflow_files.known(), "release", "draft")
    return False if snapshot.release.is_known else None


def makes_releases(target: Target, files: WorkflowFiles | None) -> bool:
    """Return whether a workflow makes GitHub Releases, or one starts it. Raises NotObserved if it is not known."""
    if _is_release_made(target.process):
        return True
    _require_no_maker(target, files, "release", "draft")
    return False


def _is_release_made(process: Process) -> bool:
    return process.makes("release") or process.makes("draft") or process.is_started_by("release")


def _require_no_maker(target: Target, files: WorkflowFiles | None, *traces: Made) -> None:
    """Raise NotObserved if a workflow that may publish was not read, or makes one of these traces."""
    if files is None or "workflow" in target.given:
        return
    if problem := explain_unread(files):
        raise NotObserved(problem)
    if target.process.candidates:
        workflows = (ReleaseWorkflow(path, files.texts) for path in files.workflow_paths)
        if any(not set(traces).isdisjoint(find_made(workflow)) for workflow in workflows):
            raise NotObserved(explain_unknown(target))


def explain_unread(files: WorkflowFiles) -> Problem | None:
    """Return that a workflow file was not read, which may publish, too; None if all were."""
    if unread := [path for path in files.unread if path in files.workflow_paths]:
        why = f"not read, as they are too large, too many or not UTF-8: {join_items(unread, 3)}"
        return Problem(source=SOURCE, why=why, remedy="name the workflow that publishes with --workflow FILE")
    return None


def require_workflows(target: Target, files: Observation[WorkflowFiles]) -> None:
    """Raise NotObserved if it is not known which workflows publish; a configured one needs no file to be known."""
    if "workflow" in target.given:
        return
    if problem := files.unavailable or (files.value and explain_unread(files.value)):
        raise NotObserved(problem)
    if target.process.candidates:
        raise NotObserved(explain_unknown(target))


def require_sure(target: Target, trace: Trace) -> None:
    """Raise NotObserved if nothing but a default asks for a trace, and what would tell was not read."""
    if why := dict(target.process.unsure).get(trace):
        why = f"not known whether releases of this project leave a {trace}: {why}"
        remedy = f"run again, or say what a release leaves, like --leaves {target.channel.name}=tag,release"
        raise NotObserved(Problem(source=SOURCE, why=why, remedy=remedy))


def _add(process: Process, *evidence: str, **update: object) -> Process:
    lines = (*process.evidence, *(sanitize(line, _LONGEST_LINE) for line in evidence if line))
    return structs.replace(process, evidence=tuple(dict.fromkeys(lines)), **update)
