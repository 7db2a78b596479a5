"""Find the steps of a workflow that push a branch which the run makes, such as a release branch (pure).

A branch that lasts is moved, not made: the base branch, the one that the run is of, a site's, or one with a fixed name
that no step creates. A name without `refs/heads/` that no step creates may be a tag's: only `release/…` counts.
Sources: https://git-scm.com/docs/git-push, https://git-scm.com/docs/git-switch, https://cli.github.com/manual/gh_api,
https://docs.github.com/rest/git/refs#create-a-reference and the actions' own pages
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from posixpath import normpath

from release_state.facts.workflow.calls import PlacedJob
from release_state.facts.workflow.model import JobStep

_PUSHERS = {"ad-m/github-push-action": "branch", "stefanzweifel/git-auto-commit-action": "branch"}
"""Actions that push, with the input that names the branch."""
_CREATORS = {
    "endbug/add-and-commit": "new_branch",
    "devops-infra/action-commit-push": "target_branch",
    "peterjgrainger/action-create-branch": "branch",
}
"""Actions that create the branch that this input names."""
_LASTING = ("main", "master", "develop", "gh-pages")
_OWN = re.compile(
    r"(?:refs/heads/)?(?:\$\{\{[^}]*\b(?:github\.(?:ref|ref_name|head_ref|base_ref)|default_branch|head_branch"
    r"|target_commitish|head\.ref|base\.ref)\b[^}]*\}\}|\$\{?GITHUB_(?:REF|REF_NAME|HEAD_REF|BASE_REF)\b[^}]*\}?"
    r"|\$\(git (?:branch --show-current|rev-parse --abbrev-ref|symbolic-ref)[^)]*\))",
    re.IGNORECASE,
)
"""A name that is nothing but that of a branch which is there: the run's own, or the default one."""
_RELEASE = re.compile(r"(?:prepare-|pre-?)?releases?/.")
_ASSIGNED = re.compile(r"(?:^|[\s\"'])(\w+)=(\"[^\"\n]*\"|'[^'\n]*'|\$\([^)\n]{0,300}\)|[^\s;]*)", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{\{\s*env\.(\w+)\s*\}\}|\$\{(\w+)\}|\$(\w+)")
_HERE = re.compile(r"origin|upstream|\$\w+|.*(?:github\.repository\b|GITHUB_REPOSITORY\b).*", re.IGNORECASE)
"""The remotes that are, or may be, the repository itself."""
_ADDRESS = re.compile(r"://|^git@")
_CREATING = {"checkout": ("-b", "-B", "--orphan"), "switch": ("-c", "-C", "--create", "--force-create", "--orphan")}
_LONGEST = 300
"""Characters of a name that are looked at: git takes no longer one."""
_VALUED = ("-C", "-c", "--git-dir", "--work-tree", "--namespace")
"""Git's own options that a value follows."""


class JobBranches:
    """The branches that a job creates and pushes; it is given the job's steps one after the other."""

    def __init__(self, job: PlacedJob, base: str) -> None:
        self._lasting = {*_LASTING, base}
        self._values = {**job.workflow.env, **job.job.env}
        self._created, self._tagged = set[str](), set[str]()
        self._is_on_new = False
        self.is_elsewhere = False
        """Whether the commands of the last step were about the clone of another repository."""
        self._folder, self._clones = PurePosixPath(), dict[PurePosixPath, bool]()
        """The folder that the step is in, and each folder with a clone: whether that is of another repository."""

    def makes_one(self, step: JobStep) -> bool:
        """Return whether a step makes a branch of the repository."""
        self._values |= {**step.env, **dict(_ASSIGNED.findall(step.run))}
        self._folder = PurePosixPath(step.folder)
        speaks, action = "git" in step.run or "gh " in step.run, step.action
        made = [self._follow(words) for words, _ in (step.commands if speaks else ())]
        if action == "actions/checkout":
            self._clones[PurePosixPath(step.inputs.get("path", ""))] = _names_another(step.inputs)
        if action in _PUSHERS and not _names_another(step.inputs):
            made.append(self._is_made(f"refs/heads/{step.inputs.get(_PUSHERS[action], '')}"))
        if action in _CREATORS:
            name = step.inputs.get(_CREATORS[action], "")
            made.append(bool(name) and not self._lasts(name))
        if action == "actions/github-script":
            script = step.inputs.get("script", "")
            made.append("createRef" in script and "refs/heads/" in script)
        names_here = "GH_REPO" in self._values or re.search("repository", step.run, re.IGNORECASE)
        self.is_elsewhere = bool(step.run) and self._is_of_another(self._folder) and not names_here
        return any(made)

    def _is_of_another(self, folder: PurePosixPath) -> bool:
        around = (self._clones[each] for each in (folder, *folder.parents) if each in self._clones)
        return next(around, False)

    def _follow(self, words: Sequence[str]) -> bool:
        """Note what a command does to the clone's branches; return whether it makes one of the repository."""
        if words[0] == "cd":
            self._folder = _enter(self._folder, words[1:2])
        if words[0] == "gh":
            return find_created_ref(words).startswith("refs/heads/")
        if words[0] != "git":
            return False
        rest, folder = list(words[1:]), self._folder
        while rest and rest[0].startswith("-"):
            folder = _enter(folder, rest[1:2] if rest[0] == "-C" else [])
            rest = rest[2:] if rest[0] in _VALUED else rest[1:]
        verb, given = (rest[0], rest[1:]) if rest else ("", [])
        names = [word for word in given if not word.startswith("-")]
        if verb in _CREATING:
            created = [after for word, after in pairwise(given) if word in _CREATING[verb]]
            self._switch((created or names or [""])[0], is_created=bool(created))
        elif verb == "branch" and names and not {"-d", "-D", "--delete", "--list"} & set(given):
            self._created.add(_spell(names[0]))
        elif verb == "tag":
            self._tagged.update(map(_spell, names[:1]))
        elif verb == "clone":
            self._clone(names, folder)
        return verb == "push" and not self._is_of_another(folder) and self._pushes(given)

    def _clone(self, names: Sequence[str], folder: PurePosixPath) -> None:
        for at, url in enumerate(names):
            if _ADDRESS.search(url):
                into = names[at + 1 : at + 2] or [PurePosixPath(url).stem]
                self._clones[_enter(folder, into)] = not _HERE.fullmatch(self._resolve(url))

    def _switch(self, name: str, *, is_created: bool) -> None:
        if self._lasts(name):
            self._is_on_new = False
        elif is_created:
            self._created.add(_spell(name))
        self._is_on_new |= _spell(name) in self._created

    def _pushes(self, given: Sequence[str]) -> bool:
        if {"--delete", "-d", "--dry-run", "-n", "--help"} & set(given):
            return False
        words = [word for before, word in pairwise(["", *given]) if before not in ("-o", "--push-option")]
        remote, *refs = [word for word in words if not word.startswith("-")] or ["origin"]
        if not _HERE.fullmatch(self._resolve(remote)):
            return False
        # With `--tags` and without a ref, only tags are pushed.
        return any(map(self._is_made, refs)) if refs else self._is_on_new and "--tags" not in given

    def _is_made(self, ref: str) -> bool:
        """Whether pushing `NAME` or `SOURCE:NAME` makes a branch."""
        source, colon, name = ref.removeprefix("+").partition(":")
        name = name if colon else source
        if name in ("HEAD", "@"):
            return self._is_on_new
        short, resolved = name.removeprefix("refs/heads/"), self._resolve(name).removeprefix("refs/heads/")
        if not source or not short or resolved.startswith("refs/") or self._lasts(short):
            return False
        if _spell(short) in self._tagged:
            return False
        if _spell(short) in self._created or _RELEASE.match(resolved):
            return True
        is_branch = short != name or (colon and _spell(source) not in self._tagged)
        # A name with a variable is of this release; what a command prints may be any name.
        return bool(is_branch) and "$" in short and "$(" not in resolved

    def _lasts(self, name: str) -> bool:
        resolved = self._resolve(name)
        return resolved.removeprefix("refs/heads/") in self._lasting or _OWN.fullmatch(resolved) is not None

    def _resolve(self, text: str) -> str:
        """The text with the values of its variables, as far as the file gives them."""

        def value(found: re.Match[str]) -> str:
            return self._values.get(found[1] or found[2] or found[3], found[0]).strip("\"'")

        return _VARIABLE.sub(value, text[:_LONGEST])[:_LONGEST]


def find_created_ref(words: Sequence[str]) -> str:
    """Return the ref that `gh api …/git/refs` creates; empty for any other command."""
    if list(words[:2]) != ["gh", "api"] or not any(word.rstrip("/").endswith("/git/refs") for word in words):
        return ""
    fields = (re.fullmatch(r"(?:-[fF]|--(?:raw-)?field=)?ref=(refs/.*)", word) for word in words)
    return next((found[1] for found in fields if found), "")


def _names_another(inputs: Mapping[str, str]) -> bool:
    named = inputs.get("repository", ".")
    return named not in ("", ".") and not re.search(r"github\.repository\b", named)


def _enter(folder: PurePosixPath, names: Sequence[str]) -> PurePosixPath:
    return PurePosixPath(normpath(folder.joinpath(*names))[:_LONGEST])


def _spell(name: str) -> str:
    """One spelling for `$NAME` and `${NAME}`."""
    return re.sub(r"\$\{(\w+)\}", r"$\1", name.removeprefix("refs/heads/"))
