"""Where two runs of the release workflow disturb each other: both push, or the newer one cancels the older (pure).

Source: https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from release_state.facts.workflow.calls import PlacedJob, PlacedNeed, ReleaseWorkflow
from release_state.facts.workflow.expressions import Value, evaluate
from release_state.facts.workflow.making import find_made_by
from release_state.facts.workflow.model import Concurrency, Input, find_expressions
from release_state.facts.workflow.needs import CONTENTS
from release_state.facts.workflow.publishing import Upload
from release_state.facts.workflow.starts import list_contexts

_PER_RUN = re.compile(r"\bgithub\.(?:run_id|run_number|run_attempt|sha)\b")
"""What differs from run to run: runs of such groups never meet."""
_SECONDS = r"\$\(date \+[^)]*%[sSNTX]"
"""A date that differs from second to second."""
_REF = re.compile(r"\bgithub\.(?:ref|ref_name|event\.release\.tag_name)\b")


def find_overlaps(
    workflow: ReleaseWorkflow, uploads: Sequence[Upload], base: str, channel_input: Input | None
) -> Iterator[str]:
    """Yield why two runs may push at once, and where a newer run cancels one that uploads."""
    text = workflow.texts.get(workflow.path, "")
    contexts = [(upload, context) for upload in uploads for _, context, _ in list_contexts(upload, text, base)]
    refs = [context.get("github.ref_type") for _, context in contexts]
    of_tags = "tag" in refs
    # Runs of tags alone meet where they push the base branch.
    pushers = [
        job
        for job in _find_pushers(workflow, base if set(refs) == {"tag"} else "")
        if not contexts or any(evaluate(job.job.condition, context) is not False for _, context in contexts)
    ]
    for job in pushers:
        blocks = _list_blocks(job)
        differs = {each.group: find_variation(each.group, workflow, channel_input, of_tags=of_tags) for each in blocks}
        if not blocks:
            yield "no `concurrency`"
        elif all(differs.values()):
            yield from (f"group {group} differs by {what}" for group, what in differs.items())
    known = [context for _, context in contexts] or [{}]
    placed = [(upload.job, context) for upload, context in contexts]
    for job, context in [*placed, *((job, context) for job in pushers for context in known)]:
        for block in _list_blocks(job):
            if evaluate(block.cancels, context) is not False and not _is_of_one_run(block.group, context):
                yield f"cancel-in-progress is {block.cancels}"


def _find_pushers(workflow: ReleaseWorkflow, only: str) -> tuple[PlacedJob, ...]:
    """The jobs that push, or make a pull request; release-please stands a second run of itself.

    If `only` names a branch, the jobs that push that one, or what nobody can tell.
    """
    needs = [need for need in workflow.find_needs_for(CONTENTS) if re.search("git push|semantic", need.need.what)]
    needs = [need for need in needs if "gh-pages" not in need.need.words and (not only or _may_push(need, only))]
    own = {need.at.job.where: need for need in needs if _is_of_own_name(need)}
    pushes = [need for need in needs if not _is_of_given_name(need) and not _is_of_own_name(need)]
    apart = own.keys() - {need.at.job.where for need in pushes}
    # Branches of different names do not meet.
    steps = (
        at
        for at in workflow.steps
        if "release-please" not in at.step.uses
        and at.job.where not in apart
        and "${{" not in at.step.inputs.get("branch", "")
    )
    makers = [at.job for at in steps if "pull-request" in find_made_by(at.step)] if not only else []
    return tuple({job.where: job for job in (*(need.at.job for need in pushes), *makers)}.values())


def _may_push(need: PlacedNeed, branch: str) -> bool:
    """Whether a push is of this branch by its name, or names no ref."""
    ends = [ref.lstrip("+").rpartition(":")[2].removeprefix("refs/heads/") for ref in _list_refs(need.need.words)]
    return not ends or not {branch, "HEAD"}.isdisjoint(ends)


def _list_refs(words: Sequence[str]) -> list[str]:
    """The refs of `git push REMOTE REF…`."""
    return [word for word in words if not word.startswith("-")][3:]


def _is_of_given_name(need: PlacedNeed) -> bool:
    """Whether a push is of one ref whose name a person gave to this run: another run pushes another one."""
    refs = _list_refs(need.need.words)
    return "inputs." in need.at.env.get(_find_only_name(need.need.words), refs[0] if len(refs) == 1 else "")


def _is_of_own_name(need: PlacedNeed) -> bool:
    """Whether a push is of a branch that the job names after the second: no other run has it."""
    name, script = _find_only_name(need.need.words), "\n".join(step.run for step in need.at.job.job.steps)
    after = rf"=[^\n]*(?:{_SECONDS}|\$\{{?timestamp\b)"
    is_made = re.search(_SECONDS, script) and re.search(rf"\b{name}{after}", script, re.IGNORECASE)
    return bool(name and is_made)


def _find_only_name(words: Sequence[str]) -> str:
    """The shell variable that is the only ref of `git push REMOTE REF`; empty if something else is pushed as well."""
    refs = _list_refs(words)
    found = re.fullmatch(r"\"?\$\{?(\w+)\}?\"?", refs[0]) if len(refs) == 1 else None
    return found[1] if found else ""


def _list_blocks(placed: PlacedJob) -> list[Concurrency]:
    """The `concurrency` blocks that a job waits for: its own, those of its callers and of the workflow files."""
    above = _list_blocks(placed.caller) if placed.caller else []
    return [*filter(None, (placed.job.concurrency, placed.workflow.concurrency)), *above]


def _is_of_one_run(group: str, context: Mapping[str, Value]) -> bool:
    """Whether no other version's run is in the group of such a run."""
    text = " ".join(find_expressions(group))
    return bool(_PER_RUN.search(text) or (context.get("github.ref_type") == "tag" and _REF.search(text)))


def find_variation(group: str, workflow: ReleaseWorkflow, channel_input: Input | None, *, of_tags: bool) -> str | None:
    """Return the expression by which a concurrency group differs between channels or runs; None if none does.

    `of_tags`: runs are of tags, so that each has another `github.ref`.
    """
    words = " ".join(find_expressions(group)).replace("'", " ").lower()
    inputs = [field.name for field in workflow.file.inputs if f"inputs.{field.name.lower()}" in words]
    if run := _PER_RUN.search(words):
        return run[0]
    if inputs and (channel_input is None or channel_input.name in inputs):
        return f"inputs.{channel_input.name if channel_input else inputs[0]}"
    return "github.ref" if of_tags and _REF.search(words) else None
