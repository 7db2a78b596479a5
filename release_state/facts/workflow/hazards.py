"""What keeps a release run from starting, makes it start twice, fail half-way or publish too much (pure).

Sources: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows,
https://docs.github.com/actions/concepts/security/github_token
and the documentation of actions/checkout and pypa/gh-action-pypi-publish
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from release_state.common.text import join_items
from release_state.facts.workflow.artifacts import read_action_version
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.expressions import evaluate
from release_state.facts.workflow.indexes import TESTPYPI
from release_state.facts.workflow.making import find_made, find_made_by
from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.needs import CONTENTS
from release_state.facts.workflow.publishing import Evidence, Upload, find_uploads_of, list_upload_jobs
from release_state.facts.workflow.starts import JUDGED, find_starts
from release_state.facts.workflow.triggers import is_taken
from release_state.model.process import Publisher

_NEGATED = re.compile(r"!\s*(?:needs|steps)\.[\w-]+\.outputs\.([\w-]+)(?!\s*[=!<>])")
_STARTS_ANOTHER = re.compile(r"gh workflow run|createWorkflowDispatch|workflow-dispatch@|/dispatches\b")
_OF_A_PART = re.compile(r"working-directory|packages-dir|packages_dir|--package\b|--project\b|--directory\b|\bcd ")
"""What a workflow says that publishes one of several packages."""
_PUSHERS = ("stefanzweifel/git-auto-commit-action", "endbug/add-and-commit")
_ATTESTS = (1, 11)
"""The version of the publish action that attests by default: https://github.com/pypa/gh-action-pypi-publish/releases"""
_IGNORES = re.compile(r"(?<!!)\b(?:always|failure|cancelled)\(\)")
_CONTAINER = "pypa/gh-action-pypi-publish"
_AXIS = re.compile(r"matrix\.([\w-]+)")
_SIGNS_IN = re.compile(
    r"git clone|x-access-token|remote set-url|extraheader|credential\.helper|auth setup-git|ssh-add|ssh-agent", re.I
)


def find_never_started(publishers: Sequence[Publisher], tag: str, base: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield why a publisher is never started, as far as its triggers say; `tag` is the version's."""
    drafts = any("draft" in find_made(ReleaseWorkflow(path, texts)) for path in texts if path.startswith(FOLDER))
    for publisher in publishers:
        kinds = {start.kind for start in publisher.starts}
        patterns = [start.filters for start in publisher.starts if start.kind == "tag"]
        types = {kind for start in publisher.starts if start.kind == "release" for kind in start.filters}
        if publisher.is_guess:
            continue
        if not publisher.starts and publisher.job:
            path = f"{FOLDER}/{publisher.workflow}"
            if not JUDGED.issuperset(ReleaseWorkflow(path, texts).file.triggers):
                continue  # a call alone may give its inputs, and what another event knows is not looked at
            yield f"{publisher.workflow}: none of its triggers reaches {publisher.job} from the base branch or a tag"
        elif kinds == {"tag"} and not any(not each or is_taken(each, tag) for each in patterns):
            taken = ", ".join(each for filters in patterns for each in filters)
            is_by_condition = any(is_taken(each[:-1], tag) for each in patterns)
            why = "a condition on the way to its upload" if is_by_condition else f"its tags ({taken})"
            yield f"{publisher.workflow}: {why} do{'es' * is_by_condition} not take {tag}"
        elif kinds == {"release"} and types == {"created"} and drafts:
            yield f"{publisher.workflow}: `release: created` is not sent when a draft is published; `published` is"
        elif kinds & {"tag", "release"} and kinds <= {"tag", "release", "dispatch"}:
            own = {f"{FOLDER}/{each.workflow}" for each in publishers}
            others = [ReleaseWorkflow(path, texts) for path in sorted(texts) if path not in own]
            yield from _find_silent_starts(publisher, kinds, base, others)


def _find_silent_starts(
    publisher: Publisher, kinds: Collection[str], base: str, others: Sequence[ReleaseWorkflow]
) -> Iterator[str]:
    """A tag or GitHub Release that another workflow makes with its own token starts no workflow."""
    own = f"{FOLDER}/{publisher.workflow}"
    for workflow in others:
        if "dispatch" in kinds and any(map(_STARTS_ANOTHER.search, workflow.texts.values())):
            return
        made = _find_made_silently(workflow, base).intersection(kinds) if own not in workflow.called_paths else ()
        if made and workflow.path.startswith(f"{FOLDER}/"):
            what = "GitHub Release" if "release" in made else "tag"
            maker = workflow.path.removeprefix(f"{FOLDER}/")
            yield f"{publisher.workflow} waits for a {what} that {maker} makes with GITHUB_TOKEN"


def _find_made_silently(workflow: ReleaseWorkflow, base: str) -> set[str]:
    """What a workflow makes with its own token alone; a run that a tag started makes no tag."""
    needs, made = workflow.find_needs_for(CONTENTS), set[str]()
    if not needs or not all(need.need.own_token for need in needs) or workflow.file.triggers == ("workflow_call",):
        return made
    for at in workflow.steps:
        if traces := set(find_made_by(at.step)):
            step = Upload(workflow.path, at.job, "", Evidence.KNOWN, condition=at.step.condition)
            kinds = {start.kind for start in find_starts(step, workflow.texts[workflow.path], base=base)}
            # A run of a tag or a GitHub Release adds to the one that is there.
            names_one = at.step.run or {"tag", "tag_name", "script"} & at.step.inputs.keys()
            by_hand = set[str]() if names_one else {"dispatch"}  # by hand, it is of the tag that is chosen
            there = {"tag"} if kinds - by_hand and kinds <= {"tag", "release", *by_hand} else set()
            made |= traces - (there | {"release"} if kinds == {"release"} else there)
    return made


def find_double_starts(
    publishers: Sequence[Publisher], tag: str, base: str, texts: Mapping[str, str], *, is_prerelease: bool
) -> Iterator[str]:
    """Yield what starts the upload twice: a GitHub Release also pushes its tag, unless a workflow makes it silently."""
    sure = [each for each in publishers if not each.skips_existing and not each.is_guess]
    kinds = {start.kind: each.workflow for each in sure for start in each.starts}
    own = {f"{FOLDER}/{each.workflow}" for each in sure}
    files = [ReleaseWorkflow(path, texts) for path in texts if path.startswith(f"{FOLDER}/")]
    # One that makes other GitHub Releases, such as nightly ones, says nothing about a version's.
    makers = (each for each in files if each.path in own or each.file.by_tag)
    if {"tag", "release"} <= kinds.keys() and not any("release" in _find_made_silently(each, base) for each in makers):
        yield f"a pushed tag starts {kinds['tag']}, and its GitHub Release starts {kinds['release']} as well"
    taking = {
        each.workflow
        for each in sure
        for start in each.starts
        if start.kind == "tag" and start.surely and (not start.filters or is_taken(start.filters, tag))
    }
    whole = sorted(name for name in taking if not _OF_A_PART.search(texts.get(f"{FOLDER}/{name}", "")))
    if len(whole) > 1:
        yield f"the version's tag starts {join_items(whole)}"
    sent = ("created", "published", "prereleased" if is_prerelease else "released")
    for each in sure:
        types = [start.filters or sent for start in each.starts if start.kind == "release" and start.surely]
        if twice := [name for name in sent if types and name in types[0]][1:]:
            yield f"a GitHub Release starts {each.workflow} once more for each of {', '.join(twice)}"
        certain = {start.kind for start in each.starts if start.surely}
        workflow = ReleaseWorkflow(f"{FOLDER}/{each.workflow}", texts)
        if {"tag", "branch"} <= certain and "tag" not in _find_made_silently(workflow, base):
            yield f"a push to a branch starts {each.workflow}, and the version's tag starts it as well"


def find_false_texts(uploads: Sequence[Upload], texts: Mapping[str, str]) -> Iterator[str]:
    """Yield uploads that are left out unseen: outputs are texts, and `!` of the text “false” is false."""
    for upload in uploads:
        for condition in (upload.condition, upload.job.job.condition):
            for name in _NEGATED.findall(condition):
                if re.search(rf"\b{re.escape(name)}=false\b", texts.get(upload.job.file, "")):
                    yield f"{upload.job.where} uploads `if: {condition}`, and no text but an empty one is false"


def find_careless_uploads(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield uploads that run although a job before them failed, or whose own failure is passed over unseen."""
    uploads = find_uploads_of(workflow)
    for upload in uploads:
        is_seen = ".outcome" in workflow.texts.get(upload.job.file, "") or upload.index in (None, TESTPYPI)
        if upload.may_fail and upload.evidence is Evidence.KNOWN and not is_seen:
            yield f"{upload.job.where} runs {upload.how} with `continue-on-error`: the run is green if that fails"
    for placed in list_upload_jobs(uploads):
        condition = placed.job.condition
        ignores = _IGNORES.search(condition) is not None
        if placed.job.needs and ignores and ".result" not in condition and "success()" not in condition:
            yield f"{placed.where} runs `if: {condition}`, also if {', '.join(placed.job.needs)} failed"


def find_pushes_without_credentials(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield `git push` in a job whose checkout does not keep its credentials and that gets no others."""
    for placed in workflow.jobs:
        steps = workflow.find_steps_of(placed)
        checkouts = [at.step.inputs for at in steps if at.step.action == "actions/checkout"]
        kept = any(each.get("persist-credentials") != "false" or each.get("ssh-key") for each in checkouts)
        signs_in = any(_SIGNS_IN.search(at.step.run) or "ssh-agent" in at.step.uses for at in steps)
        if checkouts and not kept and not signs_in:
            yield from (f"{at.where} pushes without credentials" for at in steps if _pushes_bare(at.step))


def _pushes_bare(step: JobStep) -> bool:
    if step.action in _PUSHERS:
        return step.inputs.get("push") != "false"
    for words, _ in step.commands:
        if words[0] == "git" and "push" in words[1:4] and not any("://" in word or "@" in word for word in words):
            return "$" not in " ".join(words[words.index("push") + 1 : words.index("push") + 2])
    return False


def find_shared_folders(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield jobs that upload one folder twice: the second upload meets what the first one left there."""
    uploads = find_uploads_of(workflow)
    for placed in list_upload_jobs([upload for upload in uploads if upload.evidence is Evidence.KNOWN]):
        text = workflow.texts.get(placed.file, "")
        own = [upload for upload in uploads if upload.job == placed and upload.how.lower() == _CONTAINER]
        steps = [each for each in placed.job.steps if each.action == _CONTAINER]
        attesting = [each for each in steps if (read_action_version(each.uses, text) or _ATTESTS) >= _ATTESTS]
        inputs = [each.inputs for each in attesting if each.inputs.get("attestations") != "false"]
        folders = Counter(each.get("packages-dir", "dist") for each in inputs)
        twice = [folder for folder, times in folders.items() if times > 1]
        certain = [{start.kind for start in find_starts(upload, text) if start.surely} for upload in own]
        together = len(certain) > 1 and set.intersection(*certain)
        if len({upload.index for upload in own}) > 1 and twice and together:
            yield f"{placed.where} uploads {twice[0]} to two indexes; the first leaves its attestations there"


def find_foreign_runners(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield jobs that run the publish action, a container, on another system than Linux."""
    for upload in find_uploads_of(workflow):
        job = upload.job.job
        if upload.how.lower() != _CONTAINER:
            continue
        for runner in job.runners:
            system = next((name for name in ("macOS", "Windows") if runner.lower().startswith(name.lower())), "")
            known = {"runner.os": system, **{f"matrix.{axis}": runner for axis in _AXIS.findall(job.runs_on)}}
            if system and evaluate(upload.condition, known):
                yield f"{upload.job.where} runs {upload.how} on {runner}"
