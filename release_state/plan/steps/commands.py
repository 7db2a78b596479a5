"""The commands that steps consist of, each an argument list."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from typing import Literal

from release_state.common.addresses import derive_web_address, parse_host
from release_state.facts.git import refs_conflict
from release_state.facts.publishers import find_started
from release_state.facts.release import Release
from release_state.model.process import Made, Publisher
from release_state.model.target import Target, parse_repository
from release_state.settings.channels import GITHUB_API
from release_state.settings.options import OWN_CHECKS, RUN_OPTIONS, SETTINGS, Setting

PUSH = ("git", "push", "--no-follow-tags", "--no-recurse-submodules", "--no-signed")
"""The beginning of every push: it pushes the named refs alone, whatever the person's git is set to.

`push.followTags` would push tags that only the clone has, `push.recurseSubmodules` push submodules, and with `only`
nothing but them; with `push.gpgSign` a push to GitHub fails.
"""
FETCH = ("git", "fetch", "--no-tags", "--no-prune")
"""The beginning of every fetch: it fetches the named refs, and deletes and changes nothing else in the clone.

`remote.NAME.tagOpt` would fetch every tag, and fail on one that differs; `fetch.pruneTags` delete the clone's own.
"""


def name_remote(release: Release) -> str:
    """The remote as git commands name it: the observed URL, or its name in a clone where both mean the same.

    They mean the same if the name points to the observed URL, for pushes too.
    """
    clone, target = release.snapshot.clone.value, release.target
    if clone is None or clone.remote_url != target.remote_url:
        return target.remote_url
    if clone.mirrors:
        return target.remote_url  # a push by the name of a mirror's remote takes no ref, and would delete others
    # `remote.pushurl` may send pushes elsewhere, as to a fork; https and ssh are two spellings of one repository.
    ours = (parse_repository(target.remote_url, target.github_web) or "").lower()
    pushes = ((url, (parse_repository(url, target.github_web) or "").lower()) for url in clone.push_urls)
    is_same = all(url == target.remote_url or (ours and repository == ours) for url, repository in pushes)
    return target.remote if is_same else target.remote_url


def fetch(release: Release, ref: str) -> list[str]:
    """Fetch a ref or a commit from the remote."""
    return [*FETCH, name_remote(release), ref]


def push(release: Release, *changes: str, replacing: str = "", force: bool = False) -> list[str]:
    """Push these changes, all or none; `replacing` is the ref and object, `ref:object`, that the remote must have."""
    options = [
        *(["--atomic"] if len(changes) > 1 else []),
        *([f"--force-with-lease={replacing}"] if replacing else []),
        *(["--force"] if force else []),
    ]
    return [*PUSH, *options, name_remote(release), *changes]


def in_clone(release: Release, *arguments: str) -> list[str]:
    """A git command that acts on the clone from any folder."""
    return ["git", "-C", release.target.clone or ".", *arguments]


def _target(about: Release | Target) -> Target:
    return about if isinstance(about, Target) else about.target


def gh(about: Release | Target, *arguments: str) -> list[str]:
    """A gh command on the repository. The host is always named: `GH_HOST` would send it to another one."""
    target = _target(about)
    return ["gh", *arguments, "--repo", f"{parse_host(target.github_web)}/{target.repository}"]


def gh_api(about: Release | Target, path: str, *arguments: str) -> list[str]:
    """A gh api command below the repository."""
    target = _target(about)
    return on_host(target, ["gh", "api"], *arguments, f"repos/{target.repository}/{path}")


def on_host(target: Target, command: Sequence[str], *arguments: str) -> list[str]:
    """A gh command that takes `--hostname`, which refuses a port: with one, `GH_HOST` names the host."""
    host = parse_host(target.github_web)
    if ":" in host:
        return ["env", f"GH_HOST={host}", *command, *arguments]
    return [*command, "--hostname", host, *arguments]


def show_pull(about: Release | Target, number: int) -> list[str]:
    """Show a pull request. Without `--json` gh 2.23 to 2.82 request its projects, which GitHub no longer answers."""
    fields = "number,title,state,baseRefName,headRefName,headRefOid,url"
    return gh(about, "pr", "view", str(number), "--json", fields)


def set_base(release: Release, number: int, base: str) -> list[str]:
    """Change the base of a pull request; by the API, as `gh pr edit` fails for the same reason."""
    return gh_api(release, f"pulls/{number}", "--method", "PATCH", "--raw-field", f"base={base}", "--jq", ".base.ref")


def check_holds(release: Release, ref: str, sha: str) -> list[str]:
    """The command that succeeds only if the remote answers and its ref holds this object."""
    return ["sh", "-c", 'git ls-remote "$1" "$2" | grep "^$3"', "sh", name_remote(release), ref, sha]


def check_gone(*listing: str) -> list[str]:
    """The command that succeeds only if the listing succeeds and is empty.

    By itself, an empty listing looks like one that failed, and a listing that is not empty ends with 0.
    """
    return ["sh", "-c", 'left=$("$@") && test -z "$left" && echo gone', "sh", *listing]


def check_lacks(release: Release, ref: str) -> list[str]:
    """The command that succeeds only if the remote answers and lacks a ref."""
    return check_gone("git", "ls-remote", name_remote(release), ref)


def pick_free_branch(release: Release, *wanted: str) -> str:
    """The first of these names that git can create on the remote, else the last one with a number."""
    # Without regard to case: on some file systems the clone could hold but one of two.
    existing = [branch.name.casefold() for branch in release.remote.branches]
    names = chain(wanted, (f"{wanted[-1]}-{number}" for number in count(2)))
    return next(
        name
        for name in names
        if not any(name.casefold() == other or refs_conflict(name.casefold(), other) for other in existing)
    )


_AS_TYPED = frozenset({"github-status-url", "index-status-url", "reports-dir", "process"})
"""Settings whose field in a target holds a derived value, not the typed one."""
_ALWAYS = frozenset({"package", "repository"})
"""Settings that a run in another folder would not know."""


def workflow_page(target: Target, workflow: str = "") -> str:
    """The page of a workflow's runs, where a person starts one; without a workflow, that of all."""
    page = f"{target.web}/actions"
    return f"{page}/workflows/{workflow}" if workflow else page


def suite_command(target: Target, version: str | None = None, channel: str | None = None, **changed: str) -> list[str]:
    """The command that runs the suite on a version of the same project, from any folder.

    It has every setting that differs from its default, or that the command line or the environment named. For another
    version or channel, options of this one alone (phase, plan) are left out. `changed` replaces the value of a run's
    options. Addresses are without credentials, as everywhere in a target.
    """
    command = ["release-state", "--version", version or target.version, "--channel", channel or target.channel.name]
    settings = dict(target.settings)
    if target.clone is not None:
        command += ["--repo", target.clone]
    if target.github_api != GITHUB_API:
        command += ["--github-api-url", target.github_api]
    if target.github_web != derive_web_address(target.github_api):
        command += ["--github-server-url", target.github_web]
    for setting in SETTINGS:
        if (value := _typed(target, setting, settings)) is not None:
            command += [setting.option, value]
    for each in target.channels:
        # On another index, the run would judge a project that only shares the name.
        if not each.is_public_index or ("index-url", each.name) in target.settings:
            command += ["--index-url", f"{each.name}={each.index_url}"]
        if ("leaves", each.name) in target.settings:
            command += ["--leaves", f"{each.name}={','.join(each.leaves)}"]
        if each.environment is not None and ("environment", each.name) in target.settings:
            command += ["--environment", f"{each.name}={each.environment}"]
        if each.dependencies_index_url and ("dependencies-index-url", each.name) in target.settings:
            command += ["--dependencies-index-url", f"{each.name}={each.dependencies_index_url}"]
    for key, place in target.settings:
        command += [f"--{key}", place] if key == OWN_CHECKS else []
    is_same = version in (None, target.version) and channel in (None, target.channel.name)
    for option in RUN_OPTIONS:
        value = settings.get(option.key) if is_same or not option.of_version else None
        if (option.key, value) == ("phase", "pre-publish"):
            value = None  # nobody can type that outside of the run
        if option.key == "built" and changed.get("phase", settings.get("phase")) not in (None, "pre-release"):
            value = None  # the folder is of that run, or the files are uploaded
        value = changed.get(option.key, value)
        if value is not None:
            command += [f"--{option.key}", *([] if option.is_switch else [value])]
    return command


def _typed(target: Target, setting: Setting, settings: dict[str, str]) -> str | None:
    """A setting as a person types it; None if the command does not need it."""
    field = setting.key.replace("-", "_")
    is_found_out = setting.is_found and setting.key not in target.given
    if is_found_out or setting.key in _AS_TYPED or field not in Target.__struct_fields__:
        return settings.get(setting.key)
    value, default = getattr(target, field), setting.default
    if setting.key == "remote-url":
        default = f"{target.web}.git"
    text = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, tuple):
        text = ",".join(map(str, value))
    return text if setting.key in _ALWAYS or setting.key in settings or text != default else None


def explain_start(release: Release, by: Literal["tag", "release"]) -> str:
    """What pushing the tag or publishing the GitHub Release starts, to be added to a reason; empty: nothing."""
    publisher = find_started(release.target, by, tags_anew=by == "tag")
    if publisher is None:
        return ""
    there = ", which publishes"
    if release.is_published:
        skips = "skips the files that are there" if publisher.skips_existing else "finds the files there, and may fail"
        there = f": its upload {skips}"
    makes = " and makes the GitHub Release" if by == "tag" and gets_to_make(release, publisher, "release") else ""
    by_word = "as the setting process says, " * any(start.is_of_word for start in publisher.starts)
    return f"; {by_word}this starts {publisher.workflow}{there}{makes}"


def gets_to_make(release: Release, publisher: Publisher, trace: Made) -> bool:
    """Return whether a run of the publisher for the tag makes the trace: its upload does not fail before."""
    return trace in publisher.makes and (publisher.skips_existing or not release.is_published)
