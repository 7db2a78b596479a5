"""Which rights a step needs: from the actions that it uses and the commands that its script runs.

Known actions and commands only; what a script works out while it runs, or a program of the project does, is not seen.
So a need that is found is one, and none that is found proves nothing.
Sources: the actions' own pages; https://cli.github.com/manual; https://docs.astral.sh/uv/guides/package;
"Trusted Publishers" in the documentation of PyPI
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from release_state.facts.workflow.model import JobStep, find_expressions
from release_state.facts.workflow.script import split_commands

CONTENTS, PULLS, ID_TOKEN = "contents", "pull-requests", "id-token"

_OWN_TOKEN = re.compile(r"github\.token|secrets\.github_token", re.IGNORECASE)
_TOKEN_INPUTS = ("token", "github_token", "github-token", "repo_token", "repo-token", "repo-token-secret", "pat")
_TOKEN_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")

_ACTIONS: dict[str, tuple[str, ...]] = {
    "softprops/action-gh-release": (CONTENTS,),
    "ncipollo/release-action": (CONTENTS,),
    "actions/create-release": (CONTENTS,),
    "actions/upload-release-asset": (CONTENTS,),
    "svenstaro/upload-release-action": (CONTENTS,),
    "taiki-e/create-gh-release-action": (CONTENTS,),
    "release-drafter/release-drafter": (CONTENTS,),
    "python-semantic-release/publish-action": (CONTENTS,),
    "python-semantic-release/upload-to-gh-release": (CONTENTS,),
    "cycjimmy/semantic-release-action": (CONTENTS,),
    "commitizen-tools/commitizen-action": (CONTENTS,),
    "stefanzweifel/git-auto-commit-action": (CONTENTS,),
    "endbug/add-and-commit": (CONTENTS,),
    "ad-m/github-push-action": (CONTENTS,),
    "mathieudutour/github-tag-action": (CONTENTS,),
    "anothrnick/github-tag-action": (CONTENTS,),
    "peaceiris/actions-gh-pages": (CONTENTS,),
    "jamesives/github-pages-deploy-action": (CONTENTS,),
    "googleapis/release-please-action": (CONTENTS, PULLS),
    "google-github-actions/release-please-action": (CONTENTS, PULLS),
    "peter-evans/create-pull-request": (CONTENTS, PULLS),
    "changesets/action": (CONTENTS, PULLS),
    "repo-sync/pull-request": (PULLS,),
    "devops-infra/action-pull-request": (PULLS,),
    "sigstore/gh-action-sigstore-python": (ID_TOKEN,),
    "actions/attest": (ID_TOKEN,),
    "actions/attest-build-provenance": (ID_TOKEN,),
    "actions/attest-sbom": (ID_TOKEN,),
}
_PR_VERBS = ("create", "new", "edit", "merge", "close", "reopen", "ready", "comment", "review")
_RELEASE_VERBS = ("create", "edit", "upload", "delete", "delete-asset")
_PUBLISH = "pypa/gh-action-pypi-publish"
_MATURIN = "pyo3/maturin-action"
_SEMANTIC_RELEASE = ("python-semantic-release/python-semantic-release", "relekang/python-semantic-release")


@dataclass(frozen=True)
class Need:
    """A right that a step needs, and why."""

    right: str
    what: str
    """The action or the command."""
    own_token: bool = True
    """Whether it works with the run's own token, whose rights the workflow file sets."""
    certain: bool = True
    """Whether it surely needs it; else only where nothing that is not seen here helps."""
    publishes: bool = False
    """Whether it is an upload by trusted publishing."""
    words: tuple[str, ...] = ()
    """The command's own words."""


def uses_own_token(text: str) -> bool:
    """Whether what was given as a token is that of the run, or nothing."""
    found = find_expressions(text)
    return not text.strip() or (len(found) == 1 and bool(_OWN_TOKEN.fullmatch(found[0])))


def find_needs(step: JobStep, env: Mapping[str, str], *, pushes_with_own: bool) -> Iterator[Need]:
    """The needs of one step; `env` is what its workflow, its job and itself set.

    `pushes_with_own`: whether what `git push` signs in with is the run's own token.
    """
    if step.uses:
        yield from _of_action(step, env)
    elif step.run and step.shell.split(" ")[0] in ("", "bash", "sh", "pwsh"):
        for words, given in split_commands(step.run):
            yield from _of_command(words, {**env, **given}, pushes_with_own=pushes_with_own)


def _of_action(step: JobStep, env: Mapping[str, str]) -> Iterator[Need]:
    name = step.uses.partition("@")[0]
    known = name.lower()
    if known == _PUBLISH:
        if not step.given.get("password") and step.given.get("user", "__token__") in ("", "__token__"):
            yield Need(ID_TOKEN, name, publishes=True)
    elif known == _MATURIN:
        uploads = step.given.get("command") in ("upload", "publish")
        if uploads and not _has(env, "MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD"):
            yield Need(ID_TOKEN, f"{name} {step.given['command']}", publishes=True)
    else:
        given = [step.given[name] for name in _TOKEN_INPUTS if step.given.get(name)]
        given += [env[name] for name in _TOKEN_VARIABLES if env.get(name)]
        own = all(map(uses_own_token, given[:1]))
        rights = (CONTENTS,) if known in _SEMANTIC_RELEASE and not _is_quiet(step.given) else _ACTIONS.get(known, ())
        for right in rights:
            yield Need(right, name, own_token=own or right == ID_TOKEN)


def _is_quiet(given: Mapping[str, str]) -> bool:
    """Whether python-semantic-release's action is told to neither push nor make a release."""
    only_shows = "--noop" in given.get("root_options", "") or given.get("no_operation_mode") == "true"
    return only_shows or (given.get("push") == given.get("vcs_release") == "false")


def _of_command(words: Sequence[str], env: Mapping[str, str], *, pushes_with_own: bool) -> Iterator[Need]:
    program, *arguments = words
    spoken = [word for word in arguments if not word.startswith("-")]
    own = all(uses_own_token(env[name]) for name in _TOKEN_VARIABLES if env.get(name))
    if "--dry-run" in arguments or "--noop" in arguments or "--help" in arguments:
        return
    if program == "git" and _subcommand(arguments) == "push":
        yield Need(CONTENTS, "git push", own_token=pushes_with_own, words=tuple(words))
    elif program == "gh" and len(spoken) > 1:
        group, verb = spoken[:2]
        shown = f"gh {group} {verb}"
        if group == "release" and verb in _RELEASE_VERBS:
            yield Need(CONTENTS, shown, own_token=own)
        if group == "pr" and verb in _PR_VERBS:
            yield Need(PULLS, shown, own_token=own)
        if group == "pr" and verb == "merge":
            yield Need(CONTENTS, shown, own_token=own)
    elif program == "semantic-release":
        yield from _of_semantic_release(arguments, spoken, own)
    elif (program == "mkdocs" and "gh-deploy" in spoken) or (program == "mike" and {"--push", "-p"} & set(arguments)):
        yield Need(CONTENTS, f"{program} {spoken[0]}", own_token=pushes_with_own)
    elif (need := _of_upload(program, arguments, spoken, env)) is not None:
        yield need


def _of_semantic_release(arguments: Sequence[str], spoken: Sequence[str], own: bool) -> Iterator[Need]:
    """python-semantic-release's `version` pushes and makes the release unless told not to; `publish` adds files."""
    if "version" in spoken:
        quiet = {"--no-push", "--no-commit"} & set(arguments) and "--no-vcs-release" in arguments
        if not quiet and not any(argument.startswith("--print") for argument in arguments):
            yield Need(CONTENTS, "semantic-release version", own_token=own, words=("semantic-release", *arguments))
    elif "publish" in spoken:
        yield Need(CONTENTS, "semantic-release publish", own_token=own)


def _of_upload(program: str, arguments: Sequence[str], spoken: Sequence[str], env: Mapping[str, str]) -> Need | None:
    """An upload that has no password to see: then trusted publishing is what it can work with."""
    given = set(arguments)
    what = f"{program} {spoken[0]}" if spoken else program
    verb = spoken[0] if spoken else ""
    if program == "uv" and verb == "publish":
        wish = _value(arguments, "--trusted-publishing")
        secret = _has(env, "UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD") or any(
            word.partition("=")[0] in ("-t", "--token", "-p", "--password") for word in arguments
        )
        return Need(ID_TOKEN, what, publishes=True) if "always" in wish or not ("never" in wish or secret) else None
    known = {
        ("pdm", "publish"): ("PDM_PUBLISH_PASSWORD", {"-P", "--password"}),
        # A file of the machine may hold the password.
        ("twine", "upload"): ("TWINE_PASSWORD", {"-p", "--password", "--config-file"}),
        ("maturin", "upload"): ("MATURIN_PYPI_TOKEN", {"-p", "--password"}),
        ("maturin", "publish"): ("MATURIN_PYPI_TOKEN", {"-p", "--password"}),
    }
    variable, options = known.get((program, verb), ("", set()))
    if not variable or _has(env, variable, "MATURIN_PASSWORD") or given & options:
        return None
    return Need(ID_TOKEN, what, publishes=True, certain=False)


def _subcommand(arguments: Sequence[str]) -> str:
    """What git is told to do, behind its own options."""
    words = list(arguments)
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-C", "-c", "--git-dir", "--work-tree", "--namespace") else words[1:]
    return words[0] if words else ""


def _value(arguments: Sequence[str], option: str) -> list[str]:
    """Every value that the option is given, in either spelling."""
    found = [after for word, after in pairwise(arguments) if word == option]
    return found + [word.partition("=")[2] for word in arguments if word.startswith(f"{option}=")]


def _has(env: Mapping[str, str], *names: str) -> bool:
    return any(env.get(name) for name in names)
