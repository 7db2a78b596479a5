"""Compute the next version from the commits of the base branch, by the rules that the project configures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from msgspec import Struct, structs

from release_state.common.project import find_table
from release_state.facts.commits import (
    TYPES,
    bump_version,
    classify_for_commitizen,
    classify_message,
    count_levels,
    find_highest,
)
from release_state.model.observation import Observation, Problem, known, unavailable
from release_state.model.snapshot import Branch, Remote
from release_state.model.snapshot.published import Calculation, Counted, Level
from release_state.model.target import Target, parse_version
from release_state.observe.git.command import observe_git
from release_state.observe.git.commits import BranchHistory
from release_state.observe.git.history import (
    find_changed_contents,
    find_tags_in_history,
    read_messages,
    read_messages_since,
)
from release_state.observe.git.store import Store
from release_state.observe.git.tree_files import Entries, obtain_files, read_file
from release_state.observe.http.cache import remember
from release_state.observe.next_version import semantic_release
from release_state.observe.next_version.rules import (
    FILES,
    Configuration,
    Unreadable,
    find_configuration,
    find_project_name,
    find_project_version,
)
from release_state.observe.next_version.semantic_release import SOURCE, NotCalculated

_FILE_LIMIT = 2**20


def observe_calculation(
    target: Target, history: BranchHistory, *, cancel: Event | None = None
) -> Observation[Calculation]:
    """Compute the next version of the branch.

    Reads the configuration from the tree at the branch's head. Known also if the project's own tool could not be asked:
    `next_version` then says why. Sources: Conventional Commits 1.0.0, Semantic Versioning 2.0.0.
    """
    cache = history.stores.cache_dir / "calculated"

    def ask() -> Calculation:
        base = Branch(name=history.branch, sha=history.head)
        return history.read(
            lambda store, _: _Calculator(target, history.remote, base, store, cache, cancel).calculation()
        )

    try:
        return observe_git(SOURCE, ask)
    except Unreadable as unreadable:
        return unavailable(SOURCE, f"{unreadable}, at {history.head[:12]}", "name the rules with --version-rules")


class _Calculator(Struct, frozen=True):
    target: Target
    remote: Remote
    base: Branch
    store: Store
    remembered: Path
    cancel: Event | None

    def calculation(self) -> Calculation:
        path = f".github/workflows/{self.target.workflow}"
        entries = obtain_files(self.store, self.base.sha, (*FILES, path))
        files = {name: text for name in FILES if (text := self._text(name, entries)) is not None}
        workflow = self._text(path, entries) if self.target.workflow else None
        found = find_configuration(files, self.target.version_rules, workflow or "")
        base = Calculation(
            base_head=self.base.sha,
            rules=found.rules,
            where=found.where,
            counted=unavailable(SOURCE, "no rules are configured"),
            next_version=unavailable(SOURCE, "no rules are configured"),
            project_name=find_project_name(files),
        )
        if found.rules is None:
            return base
        tags = find_tags_in_history(self.store, self.base.sha, self.remote.tags)
        if found.rules == "semantic-release":
            update = self._by_semantic_release(found, tags)
        elif found.rules == "commitizen":
            update = self._by_commitizen(found, files, tags)
        else:
            update = self._by_plain_rules(tags, classify_message)
        return structs.replace(base, **update)

    def _by_semantic_release(self, found: Configuration, tags: Sequence[tuple[str, str]]) -> dict[str, object]:
        try:
            version = semantic_release.find_usable_version(found)
            question = semantic_release.list_inputs(version, self.base.name, self.base.sha, tags, found.table)
            answer = semantic_release.read_answer(remember(self.remembered, question, lambda: self._ask(found, tags)))
        except NotCalculated as missing:
            return self._without_tool(found, tags, missing.problem)
        tool = f"python-semantic-release {version}"
        if isinstance(answer, semantic_release.NoRelease):
            nothing = {"counted": known(Counted(last_tag=None)), "next_version": known(None)}
            return {"tool": tool, "no_release": answer.no_release, **nothing}
        levels = {sha: level for sha, level in answer.commits if level != "left out"}
        messages = read_messages(self.store, list(levels))
        return {
            "tool": tool,
            "counted": known(count_levels(answer.last_tag, ((m.sha, m.subject, levels[m.sha]) for m in messages))),
            "next_version": known(answer.version if answer.is_new else None),
        }

    def _ask(self, found: Configuration, tags: Sequence[tuple[str, str]]) -> dict[str, Any]:
        if found.table.get("commit_parser") == "conventional-monorepo":
            # This parser asks git which files each commit changed, and git compares their contents.
            self.store.obtain_files(find_changed_contents(self.store, self.base.sha))
        return semantic_release.calculate(self.store, self.base.name, self.base.sha, tags, found.table, self.cancel)

    def _without_tool(
        self, found: Configuration, tags: Sequence[tuple[str, str]], problem: Problem
    ) -> dict[str, object]:
        """Return what is certain without the tool: which commits follow the convention; and a hint at the version."""
        parser = found.table.get("commit_parser", "conventional")
        unknown: Observation[Any] = Observation(value=None, unavailable=problem)
        if parser not in ("conventional", "angular"):
            return {"counted": unknown, "next_version": unknown}
        options = find_table(found.table, "commit_parser_options").items()
        lists = {key: held for key, held in options if isinstance(held, list)}
        words = {key: held for key, held in lists.items() if all(isinstance(word, str) for word in held)}
        update = self._by_plain_rules(
            tags,
            lambda message: classify_message(
                message,
                types=words.get("allowed_tags", TYPES),
                minor=words.get("minor_tags", ("feat",)),
                patch=words.get("patch_tags", ("fix", "perf")),
            ),
            major_on_zero=found.table.get("major_on_zero") is not False,
        )
        hint, last = update["next_version"], self._find_last_release(tags)
        # If 0.x versions are not allowed, or branches make pre-releases, plain rules would mislead.
        follows = found.table.get("allow_zero_version") is True or bool(last and last[1].major)
        plain = hint.value if isinstance(hint, Observation) and follows and "branches" not in found.table else None
        return {"counted": update["counted"], "plain": plain, "next_version": unknown}

    def _by_commitizen(
        self, found: Configuration, files: Mapping[str, str], tags: Sequence[tuple[str, str]]
    ) -> dict[str, object]:
        own = [key for key in ("bump_pattern", "bump_map", "customize") if key in found.table]
        if found.table.get("name", "cz_conventional_commits") != "cz_conventional_commits" or own:
            why = "the project configures commitizen rules of its own, which are not run here"
            remedy = "run cz bump --get-next yourself, where you trust the project"
            return dict.fromkeys(("counted", "next_version"), unavailable(SOURCE, why, remedy))
        update = self._by_plain_rules(
            tags, classify_for_commitizen, major_on_zero=found.table.get("major_version_zero") is not True
        )
        declared = found.table.get("version")
        if found.table.get("version_provider") in ("pep621", "poetry", "uv"):
            declared = find_project_version(files)
        last = self._find_last_release(tags)
        if isinstance(declared, str) and (last is None or parse_version(declared) != last[1]):
            tagged = last[0] if last else "no tag"
            why = f"commitizen counts from {declared}, and the last tag is {tagged}"
            return {**update, "next_version": unavailable(SOURCE, why)}
        return update

    def _by_plain_rules(
        self, tags: Sequence[tuple[str, str]], read: Callable[[str], Level | None], *, major_on_zero: bool = True
    ) -> dict[str, object]:
        last = self._find_last_release(tags)
        messages = read_messages_since(self.store, self.base.sha, last[2] if last else None)
        commits = [(m.sha, m.subject, read(m.text)) for m in messages if not m.is_merge]
        level = find_highest(level for _, _, level in commits)
        version = bump_version(last[1] if last else None, level, major_on_zero=major_on_zero)
        return {"counted": known(count_levels(last[0] if last else None, commits)), "next_version": known(version)}

    def _find_last_release(self, tags: Sequence[tuple[str, str]]) -> tuple[str, Any, str] | None:
        """Return the highest final version tagged in the history, with its tag and commit."""
        found = [(name, version, commit) for name, commit in tags if (version := self.target.parse_tag(name))]
        return max((each for each in found if not each[1].is_prerelease), key=lambda each: each[1], default=None)

    def _text(self, path: str, entries: Entries) -> str | None:
        data = read_file(self.store, self.base.sha, path, _FILE_LIMIT + 1, entries)
        if data is None:
            return None
        if len(data) > _FILE_LIMIT:
            raise Unreadable(f"{path} is larger than {_FILE_LIMIT >> 10} KiB")
        return data.decode("utf-8-sig", errors="replace")
