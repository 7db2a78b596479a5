"""Find the steps of workflow files that upload to a package index (pure).

A known action or command is certain. A step that gets credentials of an index is nearly so. A name that says "publish"
is a hint, used only if nothing better is found.
Sources: the actions' own pages; https://docs.astral.sh/uv/guides/package; https://twine.readthedocs.io;
https://python-poetry.org/docs/cli/#publish; https://flit.pypa.io; https://hatch.pypa.io/latest/publish;
https://pdm-project.org/latest/reference/cli/#publish; https://www.maturin.rs/distribution
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from msgspec import Struct
from packaging.utils import canonicalize_name

from release_state.facts.workflow.calls import LocatedStep, PlacedJob, ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER, is_local
from release_state.facts.workflow.indexes import PYPI, TEST_INDEX, TESTPYPI, find_index, read_index
from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.script import split_commands


class Evidence(IntEnum):
    """How sure it is that a step uploads."""

    NAME = 1
    CREDENTIALS = 2
    KNOWN = 3


class Upload(Struct, frozen=True):
    """A job that uploads to an index, and the step that shows it."""

    workflow: str
    """Path of the workflow that a run is of: the one that calls, if the job is in a reusable workflow."""
    job: PlacedJob
    how: str
    """The action or command."""
    evidence: Evidence
    index: str | None = None
    """"pypi", "testpypi", or the address of another index; None if only a run can tell."""
    condition: str = ""
    """The condition of the step itself."""
    skips_existing: bool = False
    """Whether it leaves out files that the index has."""
    may_fail: bool = False
    """Whether the run goes on, and may end well, if it fails."""
    packages: frozenset[str] = frozenset()
    """The packages that the names of its files tell, normalized; empty: not told."""

    def may_be_to(self, channel: str) -> bool:
        """Whether the upload may go to the index of this channel."""
        return self.index in (None, channel) or (channel not in (PYPI, TESTPYPI) and self.index != TESTPYPI)


_PUBLISH_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "pypa/gh-action-pypi-publish": ("repository-url", "repository_url"),
    "jrubics/poetry-publish": ("repository_url", "repository_name"),
    "coveooss/pypi-publish-with-poetry": (),
    "code-specialist/pypi-poetry-publish": ("publish_registry",),
    "celsiusnarhwal/poetry-publish": ("repository-url",),
    "etils-actions/pypi-auto-publish": (),
    "ansys/actions/release-pypi-public": (),
    "ansys/actions/release-pypi-test": (),
    "netflix-skunkworks/pypi-publish": (),
}
_PREFIXES = (
    "jupyter-server/jupyter_releaser/.github/actions/finalize-release",
    "jupyter-server/jupyter-releaser/.github/actions/finalize-release",
    "autopub/autopub-action",
)
"""Further actions that upload, by the beginning of their names."""
_REUSABLE = ("openastronomy/github-actions/.github/workflows/publish",)
"""Reusable workflows of others that upload: their beginnings."""
_MATURIN = ("pyo3/maturin-action", "messense/maturin-action")
_SEMANTIC_RELEASE = ("python-semantic-release/python-semantic-release", "relekang/python-semantic-release")
"""Until version 7 it uploaded with these inputs; since then its `publish` only adds files to a GitHub Release."""
_VERBS: Mapping[str, tuple[str, ...]] = {
    "twine": ("upload",),
    "uv": ("publish",),
    "flit": ("publish",),
    "poetry": ("publish",),
    "hatch": ("publish",),
    "pdm": ("publish",),
    "rye": ("publish",),
    "maturin": ("publish", "upload"),
}
_CREDENTIALS = re.compile(
    r"(TWINE_(USERNAME|PASSWORD)|UV_PUBLISH_(TOKEN|PASSWORD)|POETRY_(PYPI_TOKEN|HTTP_BASIC)\w*|FLIT_(USERNAME|PASSWORD)"
    r"|HATCH_INDEX_(USER|AUTH)|PDM_PUBLISH_(USERNAME|PASSWORD)|MATURIN_(PYPI_TOKEN|PASSWORD))"
)
_SECRET = re.compile(r"secrets\.(?!\w*read)\w*pypi\w*", re.IGNORECASE)
_OF_OTHERS = re.compile(r"(?:HF|NPM|NODE|GH|GITHUB|CONDA|ANACONDA|DOCKER|AWS|SLACK|PIP|UV_(?:EXTRA_)?INDEX)_")
"""Variables that give a token to another service, or one to install with."""
_SHELLS = ("docker", "podman", "bash", "sh")
_CHECKS = re.compile(r"(?:^|[/:._-])(?:check|verify|validate|lint)(?!.*(?:publish|upload|deploy))[^/]*$")
_HARMLESS = ("git", "pip", "pip3", "build", "venv", "echo", "cd", "ls", "mkdir", "export", "set")
_UPLOADS = re.compile(r"\b(?:upload|publish)\b")
_FILES = re.compile(r"\bdist/([A-Za-z0-9][\w.]*?)-[*\d$][^/\s]*(?=\s|$)")
_NAMED = re.compile(r"pypi.*(publish|upload|release|deploy)|(publish|upload|release|deploy).*pypi")
_CALLED = re.compile(r"pypi|publish|release")
_TASK = re.compile(r"(^|[/:._-])(publish|upload|release|deploy)([_-](to[_-])?pypi)?(\.(py|sh))?$")
_RUNNERS = ("make", "nox", "tox", "invoke", "inv", "just", "task", "duty", "doit", "poe", "bash", "sh", "python")
_SCRIPT = re.compile(r"\.(py|sh)$")
_NO_UPLOAD = re.compile(r"docs?|documentation|pages|docker|conda|npm|crate|brew|drafter|notes|changelog|ghcr|image")


def find_uploads_of(workflow: ReleaseWorkflow) -> list[Upload]:
    """Return the uploads of one workflow, also in the workflows and actions of the repository that it uses."""
    return [upload for upload in find_uploads(workflow.texts) if upload.workflow == workflow.path]


def find_uploads(texts: Mapping[str, str]) -> tuple[Upload, ...]:
    """Return the uploads of every workflow that an event can start, in the order of the paths.

    `texts` holds workflow files and local actions by their paths. A file that cannot be read gives none.
    """
    found: list[Upload] = []
    for path in sorted(texts):
        if not path.startswith(f"{FOLDER}/"):
            continue
        workflow = ReleaseWorkflow(path, texts)
        if workflow.problem or set(workflow.file.triggers) <= {"workflow_call"}:
            continue
        for at in workflow.steps:
            found += _uploads_of_step(path, at)
        for placed in workflow.jobs:
            if placed.job.uses and not is_local(placed.job.uses):
                found += _uploads_of_call(path, placed)
    return tuple(found)


def list_upload_jobs(uploads: Sequence[Upload]) -> list[PlacedJob]:
    """Return the jobs of these uploads, each once."""
    return list({upload.job.where: upload.job for upload in uploads}.values())


def choose_surest(uploads: Sequence[Upload]) -> tuple[Upload, ...]:
    """Return the uploads that are known or nearly so, the surest first; those by name alone if there are no others.

    A wrong one too many costs a look at its runs; one too few could hide a run that publishes.
    """
    sure = [upload for upload in uploads if upload.evidence is not Evidence.NAME]
    return tuple(sorted(sure or uploads, key=lambda upload: -upload.evidence))


def _uploads_of_step(path: str, at: LocatedStep) -> Iterator[Upload]:
    step, job = at.step, at.job
    action = step.uses.partition("@")[0]
    known = tuple(_of_action(action, step, at.env) if step.uses else _of_script(step, at.env))
    if not known:
        if not _only_checks(step) and (any(map(_CREDENTIALS.fullmatch, step.env)) or _has_secret(step)):
            known = ((action or step.label, Evidence.CREDENTIALS, None),)
        elif _is_named(at):
            known = ((action or step.label, Evidence.NAME, None),)
    for how, evidence, index in known:
        hinted = TESTPYPI if _is_rehearsal(job) and index in (None, PYPI) else index
        if "${{" in job.job.environment and index == PYPI:
            hinted = None  # a run chooses the environment, and so perhaps the index
        stands = _skips_existing(step), step.may_fail or job.job.may_fail
        packages = frozenset(map(canonicalize_name, _FILES.findall(step.run if _UPLOADS.search(step.run) else "")))
        yield Upload(path, job, how, evidence, hinted, step.condition, *stands, packages)


def _skips_existing(step: JobStep) -> bool:
    told = (step.inputs.get(name, "") for name in ("skip-existing", "skip_existing"))
    text = f"{step.run} {step.inputs.get('args', '')}"
    return "true" in told or "--skip-existing" in text or "--check-url" in text


def _of_action(name: str, step: JobStep, env: Mapping[str, str]) -> Iterator[tuple[str, Evidence, str | None]]:
    known = step.action
    if known in _PUBLISH_ACTIONS:
        addresses = (step.inputs[key] for key in _PUBLISH_ACTIONS[known] if step.inputs.get(key))
        yield name, Evidence.KNOWN, read_index(next(addresses, PYPI))
    elif known.startswith(_PREFIXES):
        yield name, Evidence.KNOWN, PYPI
    elif known in _MATURIN and step.inputs.get("command") in ("upload", "publish"):
        words = step.inputs.get("args", "").split()
        yield f"{name} {step.inputs['command']}", Evidence.KNOWN, find_index(words, env)
    elif known in _SEMANTIC_RELEASE and {"pypi_token", "pypi_password"} & set(step.inputs):
        yield name, Evidence.KNOWN, read_index(step.inputs.get("repository_url", PYPI))


def _of_script(step: JobStep, env: Mapping[str, str]) -> Iterator[tuple[str, Evidence, str | None]]:
    for outer, given in step.commands if step.is_shell else ():
        for words in _unwrap(outer):
            if _is_upload(words):
                yield " ".join(words[:2]), Evidence.KNOWN, find_index(words, {**env, **given})


def _unwrap(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A command, and those that it runs in a container or a shell."""
    yield words
    if words[0] in _SHELLS:
        yield from (inner for word in words[1:] if " " in word for inner, _ in split_commands(word))
        yield from (words[at:] for at, word in enumerate(words) if word in _VERBS)


def _uploads_of_call(path: str, placed: PlacedJob) -> Iterator[Upload]:
    """The upload of a job that calls a reusable workflow of elsewhere, which is not read."""
    called = placed.job.uses.partition("@")[0]
    file = called.rpartition("/")[2].lower()
    if placed.job.inputs.get("upload_to_pypi") == "false":
        return
    if called.lower().startswith(_REUSABLE):
        yield Upload(path, placed, called, Evidence.KNOWN)
    elif any(map(_SECRET.search, placed.job.secrets.values())) and not _NO_UPLOAD.search(file):
        yield Upload(path, placed, called, Evidence.CREDENTIALS, TESTPYPI if _is_rehearsal(placed) else None)
    elif _CALLED.search(file) and not _NO_UPLOAD.search(file):
        yield Upload(path, placed, called, Evidence.NAME, TESTPYPI if _is_rehearsal(placed) else None)


def _is_upload(words: Sequence[str]) -> bool:
    program, spoken = words[0], [word for word in words[1:] if not word.startswith("-")]
    if {"--dry-run", "--help", "--noop"} & set(words):
        return False
    if program.startswith("python") and spoken[:1] == ["setup.py"]:
        return "upload" in spoken
    return any(verb in spoken[:3] for verb in _VERBS.get(program, ()))


def _is_rehearsal(job: PlacedJob) -> bool:
    """Whether the environment or the name of a job says TestPyPI."""
    names = (job.job.environment, job.job.id, job.job.name)
    said = [found[0] for name in names if "${{" not in name and (found := TEST_INDEX.search(name.lower()))]
    # A job that is called `test` tests the project, and may upload it afterwards.
    return any(each != "test" for each in said) or job.job.environment.lower() == "test"


def _has_secret(step: JobStep) -> bool:
    given = (*step.env.items(), *step.inputs.items())
    return any(_SECRET.search(value) and not _OF_OTHERS.match(name) for name, value in given)


def _only_checks(step: JobStep) -> bool:
    """Whether every task of a script says by its name that it only checks something, or uploads nothing."""
    tasks = [[word for word in words if not word.startswith("-")] for words, _ in step.commands]
    return bool(tasks) and all(words and (_CHECKS.search(words[-1]) or _is_harmless(words)) for words in tasks)


def _is_harmless(words: Sequence[str]) -> bool:
    """Whether a command is of a program that uploads to no index."""
    words = words[1:] if words[0].startswith("python") and len(words) > 1 else words
    return words[0] in _HARMLESS or (words[0] == "uv" and words[1:2] in (["pip"], ["sync"], ["venv"], ["build"]))


def _is_named(at: LocatedStep) -> bool:
    """Whether a step's action or task says by its name that it uploads."""
    if at.step.uses:
        return bool(_NAMED.search(at.step.action)) and not _NO_UPLOAD.search(at.step.action)
    job, rights = at.job, at.job.permissions
    has_credentials = any(map(_CREDENTIALS.fullmatch, (*job.workflow.env, *job.job.env)))
    if not ("pypi" in job.job.environment.lower() or has_credentials or (rights and rights.get("id-token") == "write")):
        return False
    return not _NO_UPLOAD.search(job.job.environment.lower()) and any(_is_task(words) for words, _ in at.step.commands)


def _is_task(words: Sequence[str]) -> bool:
    spoken = [word for word in words if not word.startswith("-")]
    tasks = [words[0], *(spoken[-1:] if words[0] in _RUNNERS or _SCRIPT.search(words[0]) else ())]
    return any(_TASK.search(task) for task in tasks) and not any(map(_NO_UPLOAD.search, (words[0], *spoken[-1:])))
