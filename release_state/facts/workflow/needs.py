"""Which rights a step needs, by its action or by the commands of its script.

Only known actions and commands count, so a step without a known need may still have one.
Sources: the actions' own pages; https://cli.github.com/manual; https://docs.astral.sh/uv/guides/package;
"Trusted Publishers" in the documentation of PyPI
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from release_state.facts.workflow.model import JobStep, find_expressions
from release_state.facts.workflow.script import list_spoken

CONTENTS, PULLS, ID_TOKEN = "contents", "pull-requests", "id-token"

_OWN_TOKEN = re.compile(r"github\.token|secrets\.github_token", re.IGNORECASE)
_TOKEN_INPUTS = ("token", "github_token", "github-token", "repo_token", "repo-token", "repo-token-secret", "pat")
_TOKEN_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")

_ACTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((
        "softprops/action-gh-release", "ncipollo/release-action", "actions/create-release",
        "actions/upload-release-asset", "svenstaro/upload-release-action", "taiki-e/create-gh-release-action",
        "release-drafter/release-drafter", "python-semantic-release/publish-action",
        "python-semantic-release/upload-to-gh-release", "cycjimmy/semantic-release-action",
        "commitizen-tools/commitizen-action", "stefanzweifel/git-auto-commit-action", "endbug/add-and-commit",
        "ad-m/github-push-action", "mathieudutour/github-tag-action", "anothrnick/github-tag-action",
        "peaceiris/actions-gh-pages", "jamesives/github-pages-deploy-action",
    ), (CONTENTS,)),
    **dict.fromkeys((
        "googleapis/release-please-action", "google-github-actions/release-please-action",
        "peter-evans/create-pull-request", "changesets/action",
    ), (CONTENTS, PULLS)),
    **dict.fromkeys(("repo-sync/pull-request", "devops-infra/action-pull-request"), (PULLS,)),
    **dict.fromkeys((
        "sigstore/gh-action-sigstore-python", "actions/attest", "actions/attest-build-provenance",
        "actions/attest-sbom",
    ), (ID_TOKEN,)),
}  # fmt: skip
_PR_VERBS = ("create", "new", "edit", "merge", "close", "reopen", "ready", "comment", "review")
_RELEASE_VERBS = ("create", "edit", "upload", "delete", "delete-asset")
_PUBLISH = "pypa/gh-action-pypi-publish"
_MATURIN = "pyo3/maturin-action"
_SEMANTIC_RELEASE = ("python-semantic-release/python-semantic-release", "relekang/python-semantic-release")


class Need(Struct, frozen=True):
    """A right that a step needs, and the action or command that needs it."""

    right: str
    what: str
    own_token: bool = True
    """Whether it uses the run's own token, whose rights the workflow file sets."""
    certain: bool = True
    """Whether it needs the right in any case; otherwise a password may be in a file."""
    words: tuple[str, ...] = ()
    """The words of the command."""


def uses_own_token(text: str) -> bool:
    """Whether the value of a token input is empty or the run's own token."""
    expressions = find_expressions(text)
    return not text.strip() or (len(expressions) == 1 and bool(_OWN_TOKEN.fullmatch(expressions[0])))


def find_needs(step: JobStep, env: Mapping[str, str], *, pushes_with_own: bool) -> Iterator[Need]:
    """The needs of one step; `env` has the variables of its workflow, its job and itself.

    `pushes_with_own` says whether `git push` uses the run's own token.
    """
    if step.uses:
        yield from _find_action_needs(step, env)
    elif step.is_shell:
        for words, variables in step.commands:
            yield from _find_command_needs(words, {**env, **variables}, pushes_with_own=pushes_with_own)


def _find_action_needs(step: JobStep, env: Mapping[str, str]) -> Iterator[Need]:
    name, known = step.uses.partition("@")[0], step.action
    if known == _PUBLISH:
        if not step.inputs.get("password") and step.inputs.get("user", "__token__") in ("", "__token__"):
            yield Need(ID_TOKEN, name)
    elif known == _MATURIN:
        uploads = step.inputs.get("command") in ("upload", "publish")
        if uploads and not _has(env, "MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD"):
            yield Need(ID_TOKEN, f"{name} {step.inputs['command']}")
    else:
        tokens = [step.inputs[name] for name in _TOKEN_INPUTS if step.inputs.get(name)]
        tokens += [env[name] for name in _TOKEN_VARIABLES if env.get(name)]
        own = all(map(uses_own_token, tokens[:1]))
        rights = (CONTENTS,) if known in _SEMANTIC_RELEASE and not _is_quiet(step.inputs) else _ACTIONS.get(known, ())
        for right in rights:
            yield Need(right, name, own_token=own or right == ID_TOKEN)


def _is_quiet(inputs: Mapping[str, str]) -> bool:
    """Whether the inputs of python-semantic-release's action stop it from pushing and releasing."""
    is_dry = "--noop" in inputs.get("root_options", "") or inputs.get("no_operation_mode") == "true"
    return is_dry or (inputs.get("push") == inputs.get("vcs_release") == "false")


def _find_command_needs(words: Sequence[str], env: Mapping[str, str], *, pushes_with_own: bool) -> Iterator[Need]:
    program, *arguments = words
    names = list_spoken(words)
    own = all(uses_own_token(env[name]) for name in _TOKEN_VARIABLES if env.get(name))
    if "--dry-run" in arguments or "--noop" in arguments or "--help" in arguments:
        return
    if program == "git" and _find_subcommand(arguments) == "push":
        yield Need(CONTENTS, "git push", own_token=pushes_with_own, words=tuple(words))
    elif program == "gh" and len(names) > 1:
        group, verb = names[:2]
        if group == "pr" and verb in _PR_VERBS:
            yield Need(PULLS, f"gh pr {verb}", own_token=own)
        if (group == "release" and verb in _RELEASE_VERBS) or (group == "pr" and verb == "merge"):
            yield Need(CONTENTS, f"gh {group} {verb}", own_token=own)
    elif program == "semantic-release" and "version" in names:
        # It pushes and makes the GitHub Release by default; `publish` adds files.
        is_quiet = {"--no-push", "--no-commit"} & set(arguments) and "--no-vcs-release" in arguments
        if not is_quiet and not any(argument.startswith("--print") for argument in arguments):
            yield Need(CONTENTS, "semantic-release version", own_token=own, words=tuple(words))
    elif program == "semantic-release" and "publish" in names:
        yield Need(CONTENTS, "semantic-release publish", own_token=own)
    elif (program == "mkdocs" and "gh-deploy" in names) or (program == "mike" and {"--push", "-p"} & set(arguments)):
        yield Need(CONTENTS, f"{program} {names[0]}", own_token=pushes_with_own)
    elif (need := _find_upload_need(program, next(iter(names), ""), arguments, env)) is not None:
        yield need


def _find_upload_need(program: str, verb: str, arguments: Sequence[str], env: Mapping[str, str]) -> Need | None:
    """The need of an upload without a visible password: it can only use trusted publishing."""
    if program == "uv" and verb == "publish":
        modes = _list_values(arguments, "--trusted-publishing")
        secret = _has(env, "UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD") or any(
            word.partition("=")[0] in ("-t", "--token", "-p", "--password") for word in arguments
        )
        return Need(ID_TOKEN, "uv publish") if "always" in modes or not ("never" in modes or secret) else None
    known = {
        ("pdm", "publish"): ("PDM_PUBLISH_PASSWORD", {"-P", "--password"}),
        # A file on the machine may hold the password.
        ("twine", "upload"): ("TWINE_PASSWORD", {"-p", "--password", "--config-file"}),
        ("maturin", "upload"): ("MATURIN_PYPI_TOKEN", {"-p", "--password"}),
        ("maturin", "publish"): ("MATURIN_PYPI_TOKEN", {"-p", "--password"}),
    }
    variable, options = known.get((program, verb), ("", set()))
    if not variable or _has(env, variable, "MATURIN_PASSWORD") or options.intersection(arguments):
        return None
    return Need(ID_TOKEN, f"{program} {verb}", certain=False)


def _find_subcommand(arguments: Sequence[str]) -> str:
    """The subcommand of git, after git's own options."""
    words = list(arguments)
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-C", "-c", "--git-dir", "--work-tree", "--namespace") else words[1:]
    return words[0] if words else ""


def _list_values(arguments: Sequence[str], option: str) -> list[str]:
    """All values of an option, in either spelling."""
    values = [after for word, after in pairwise(arguments) if word == option]
    return values + [word.partition("=")[2] for word in arguments if word.startswith(f"{option}=")]


def _has(env: Mapping[str, str], *names: str) -> bool:
    return any(env.get(name) for name in names)
