"""What is configured and matches nothing in the repository, with what is likely right (pure)."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches

from msgspec import structs
from packaging.utils import canonicalize_name

from release_state.common.text import join_items, quote_or_explain, sanitize
from release_state.facts.publishers import OVERRULES, find_publishers
from release_state.facts.spelling import find_tag_spelling
from release_state.facts.workflow.document import FOLDER
from release_state.model.snapshot import Snapshot
from release_state.model.target import Target, parse_version, read_version

_LONGEST = 300
_BRANCHES = tuple(
    f"{before}{{version}}"
    for word in ("release", "releases", "prepare-release", "release-prep")
    for before in (f"{word}/{{channel}}-v", f"{word}/v", f"{word}/", f"{word}-v", f"{word}-")
)
"""Spellings of release branches in use."""
_NAMED = re.compile(r"(?:.*/)?(?P<name>[A-Za-z][A-Za-z0-9._-]*?)(?:[-_@/]|==)v?(?P<version>\d[^/]*)")
_ENOUGH = 3
"""Tags of versions from which on a project is expected to have published."""


def find_hints(snapshot: Snapshot) -> tuple[str, ...]:
    """Return a line for each setting that matches nothing: what there is instead. Empty: all match, or nobody knows."""
    of_workflow = (find_workflow_hint, _find_start_hint, _find_environment_hint)
    finders = (find_tag_hint, *of_workflow, _find_branch_hint, _find_name)
    found = [find(snapshot) for find in finders]
    return tuple(sanitize(hint, _LONGEST) for hint in found if hint)


def find_tag_hint(snapshot: Snapshot) -> str:
    """Return that the configured tag template matches no tag, and how tags are spelled; empty: it does, or no tags."""
    target, remote = snapshot.target, snapshot.remote.value
    if "tag-template" not in target.given or remote is None:
        return ""
    own = (target.tag_template, target.tag_template.replace("{version}", "{semver}"))
    read = [spelt[0] for tag in remote.tags if (spelt := target.parse_tag_spelling(tag.name))]
    if any(template in own for template in read):
        return ""
    index = snapshot.index.get(target.channel.name)
    page = index.value if index else None
    published = {read_version(each.version) for each in page.releases} if page else set()
    usual = find_tag_spelling(_without(target, "tag-template"), remote.tags, published)
    # Another package's tags say nothing about the first one of this package.
    is_foreign = target.names_package(target.tag_template) and not target.names_package(usual.template)
    if not usual.evidence or usual.template == target.tag_template or (is_foreign and not published):
        return ""
    return (
        f"tag-template {target.tag_template} matches no tag; {usual.evidence.removeprefix('tags: ')}: "
        f"--tag-template {quote_or_explain([usual.template])}"
    )


def find_workflow_hint(snapshot: Snapshot) -> str:
    """Return that the configured workflow is missing or is not seen to publish, and which one is; else nothing."""
    target, files = snapshot.target, snapshot.workflow_files.value
    if "workflow" not in target.given or not target.workflow or files is None or target.process.publishers:
        return ""
    names = [path.removeprefix(f"{FOLDER}/") for path in files.workflow_paths]
    others = {each.workflow: each for each in find_publishers(_without(target, "workflow"), files)}
    likely = join_items((f"{name} publishes ({each.how})" for name, each in others.items()), 3)
    if len(others) == 1:
        likely += f": --workflow {quote_or_explain([*others])}"
    if target.workflow in names:
        return f"workflow {target.workflow} is not seen to publish; {likely}" if others else ""
    there = f"there are {join_items(names)}" if names else "there is none"
    return f"workflow {target.workflow} is not on {files.branch or 'the base branch'}; {likely or there}"


def _find_start_hint(snapshot: Snapshot) -> str:
    """That what is configured of the upload's start or of its run is of no workflow, or no trigger of it."""
    target, files = snapshot.target, snapshot.workflow_files.value
    word, said = target.process_kind, target.process_word.started_by
    given = [key for key in ("process" if said else "", *OVERRULES) if key in target.given]
    if files is None or not given:
        return ""
    if not target.process.publishers:
        what = " on what starts the upload" * (given[0] == "process")
        return f"{given[0]} has no effect{what}: no workflow is known to publish: name it with --workflow FILE"
    found = find_publishers(_without(target, "started-by"), files)
    kinds = dict.fromkeys(start.kind for each in found for start in each.starts)
    named = join_items(dict.fromkeys(each.workflow for each in found), 3)
    if "started-by" in given:
        if kinds and kinds.keys().isdisjoint(target.started_by):
            return f"started-by {','.join(target.started_by)} is no trigger of {named}: --started-by {','.join(kinds)}"
        is_other = said and set(said).isdisjoint(target.started_by)
        return f"process {word} is not started-by {','.join(target.started_by)}, which counts" if is_other else ""
    if said and kinds and kinds.keys().isdisjoint(said):
        return f"process {word} has no effect on what starts {named}: its file says {','.join(kinds)}, which counts"
    return ""


def _find_environment_hint(snapshot: Snapshot) -> str:
    """That the configured environment is of no job that publishes, where it is known of which environments they are."""
    target, files = snapshot.target, snapshot.workflow_files.value
    channel, configured = target.channel.name, target.channel.environment
    if configured is None or files is None:
        return ""
    alone = structs.replace(target, channel=structs.replace(target.channel, environment=None))
    found = {each.environment: each.workflow for each in find_publishers(alone, files)}
    # GitHub takes an environment's name in any case.
    if not found or None in found or any(configured.casefold() == (name or "").casefold() for name in found):
        return ""
    names = join_items((f"{name or 'none'} ({workflow})" for name, workflow in found.items()), 3)
    likely = f": --environment {quote_or_explain([f'{channel}={name}' for name in found])}" * (len(found) == 1)
    return f"environment {configured or 'none'} is of no job that publishes to {channel}; theirs is {names}{likely}"


def _find_branch_hint(snapshot: Snapshot) -> str:
    """Only where pull requests of earlier versions were looked for: between releases there is no branch to match."""
    target, remote, pulls = snapshot.target, snapshot.remote.value, snapshot.earlier_pulls
    if "branch-template" not in target.given or remote is None or not pulls:
        return ""
    if any(not each.is_known or each.value for each in pulls.values()):
        return ""
    names = [branch.name for branch in remote.branches if not target.is_lasting(branch.name, remote.default_branch)]
    if any(target.parse_release_branch(name) for name in names):
        return ""
    copies = [structs.replace(target, branch_template=template) for template in _BRANCHES]
    counted = Counter(copy.branch_template for copy in copies for name in names if copy.parse_release_branch(name))
    if not counted:
        return ""
    (usual, count) = counted.most_common(1)[0]
    spelled = "1 branch is" if count == 1 else f"{count} branches are"
    return f"branch-template {target.branch_template} matches no branch; {spelled} spelled {usual}"


def _find_name(snapshot: Snapshot) -> str:
    """That neither the channel's index nor a tag knows the package, where the repository has released versions."""
    target, remote = snapshot.target, snapshot.remote.value
    index = snapshot.index.get(target.channel.name)
    page = index.value if index else None
    if page is None or page.listed or remote is None or not target.channel.leaves:
        return ""
    matches = (_NAMED.fullmatch(tag.name) for tag in remote.tags)
    names = Counter(canonicalize_name(each["name"]) for each in matches if each and parse_version(each["version"]))
    if target.name in names:
        return ""
    repository = canonicalize_name(target.repository.partition("/")[2])
    declared = snapshot.calculation.value.project_name if snapshot.calculation.value else None
    history = snapshot.history.value
    built = [name for each in history.lineages for name in each.other_packages] if history else []
    known = {*names, repository, *built, *([canonicalize_name(declared)] if declared else ())}
    likely = get_close_matches(target.name, known - {target.name}, n=1)
    released = [tag for tag in remote.tags if target.parse_tag(tag.name)]
    if not likely and len(released) < _ENOUGH:
        return ""
    said = f"package {target.name} is not on {target.channel.name}, and no tag names it"
    return said + (f": is it {likely[0]}?" if likely else f"; the remote has {len(released)} tags of versions")


def _without(target: Target, key: str) -> Target:
    """The target as if the configuration did not give this key."""
    given = tuple(each for each in target.given if each != key)
    process = structs.replace(target.process, tag=None)
    return structs.replace(target, given=given, process=process)
