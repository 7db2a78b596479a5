"""The next version, worked out of real histories: as the project's own tool prints it, and never by its code."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from release_state.model.observation import Observation, Problem
from release_state.model.snapshot import Calculation, Clone, Remote
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.remote import observe_remote
from release_state.observe.git.store import open_temporary_store
from release_state.observe.next_version import semantic_release
from release_state.observe.next_version.calculation import observe_calculation
from release_state.observe.next_version.semantic_release import Answer, NoRelease, NotCalculated, read_answer
from tests.support import states as s
from tests.support.gitrepo import ENV, Repo, fingerprint, make

USUAL = "allow_zero_version = true\nmajor_on_zero = false\n"
BETA = """
[tool.semantic_release.branches.main]
match = "main"
[tool.semantic_release.branches.beta]
match = "beta"
prerelease = true
prerelease_token = "beta"
"""
WORDS = """
[semantic_release.commit_parser_options]
allowed_tags = ["add", "mend"]
minor_tags = ["add"]
patch_tags = ["mend"]
"""


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@dataclass
class Project:
    """A remote with a history, and a cache of its own."""

    repo: Repo
    cache: Path
    points: list[tuple[str, str, dict[str, str], str | None]] = field(default_factory=list)

    def configure(self, table: str, name: str = "pyproject.toml", header: str = "[tool.semantic_release]") -> None:
        """Write the configuration; the next commit has it."""
        project = '[project]\nname = "Orbit"\nversion = "0.1.0"\n' if name == "pyproject.toml" else ""
        (self.repo.path / name).write_text(f"{project}{header}\n{table}")

    def commit(self, message: str) -> str:
        """A commit."""
        return self.repo.commit(message)

    def look(self, branch: str = "main", **changes: Any) -> Observation[Calculation]:
        """What the branch calls for."""
        remote = observe_remote(self.repo.path.as_uri(), 30).present()
        return observe_calculation(s.target(**changes), self.history(remote, branch))

    def history(
        self, remote: Remote, branch: str = "main", clone_path: Path | None = None, clone: Clone | None = None
    ) -> BranchHistory:
        """The history of a branch, as a look-up reads it."""
        stores = Stores(self.repo.path.as_uri(), lambda: 60, clone_path=clone_path, cache_dir=self.cache)
        return BranchHistory(stores, remote, branch, clone)

    def wanted(self, branch: str = "main", **changes: Any) -> str | None:
        """The version that is called for, as the tool would print it."""
        found = self.look(branch, **changes).present()
        if found.no_release:
            return ""
        last = found.counted.present().last_tag
        return found.next_version.known() or (last or "v0.0.0").lstrip("v")

    def point(self, branch: str = "main") -> None:
        """Work out what is called for now, to be compared with the tool's own word."""
        tags = dict(
            line.split() for line in self.repo.git("tag", "--format=%(refname:short) %(objectname)").splitlines()
        )
        self.points.append((branch, self.repo.git("rev-parse", branch), tags, self.wanted(branch)))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(make(tmp_path / "project"), tmp_path / "cache")


def why(observed: Observation[Any]) -> Problem:
    assert observed.unavailable is not None, observed
    return observed.unavailable


@pytest.mark.slow
def test_it_is_what_semantic_release_prints(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    project.configure(USUAL + BETA)
    first = project.commit("chore: begin")
    for foreign in ("archived-orbit-v9.9.9", "other-v3.0.0", "v1", "vnext", "v0.0.5-ünï", 'we"ird'):
        repo.git("tag", foreign, first)
    project.commit("feat: a first orbit")
    project.point()  # no tag of this package yet
    repo.git("tag", "--annotate", "v0.1.0", "--message", "v0.1.0")
    project.commit("docs: describe it")
    project.point()  # nothing to release
    project.commit("Fix things without saying so")
    project.commit("fix(core): keep the orbit closed")
    project.point()
    repo.git("switch", "--quiet", "--create", "side")
    project.commit("feat: beside")
    repo.git("tag", "v7.0.0")  # not in the history of main until the merge below, which squashes
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--squash", "side")
    project.commit("Bring the side in (#12)\n\n* feat: go beside it\n\n* fix: its edge")
    project.point()
    project.commit("refactor!: turn the other way\n\nBREAKING CHANGE: orbits turn the other way")
    project.point()  # 0.x: the second number
    repo.git("tag", "v0.2.0")
    repo.git("switch", "--quiet", "--create", "topic")
    project.commit("fix: on a topic")
    project.point("topic")  # in no release group
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'topic'", "topic")
    repo.git("switch", "--quiet", "--create", "beta")
    project.commit("feat: try it")
    repo.git("tag", "v0.3.0-beta.1")
    project.commit("perf: faster")
    project.point("beta")
    repo.git("switch", "--quiet", "main")
    project.point()
    project.configure("allow_zero_version = false\n")
    project.commit("chore: no zero any more")
    project.point()
    repo.git("rm", "--quiet", "pyproject.toml")
    project.configure(f'{USUAL}tag_format = "orbit-{{version}}"\n{WORDS}', "releaserc.toml", "[semantic_release]")
    project.commit("mend: words of our own")
    repo.git("tag", "orbit-1.4.0", "v0.2.0")
    project.point()

    clone = repo.clone(tmp_path / "clone")
    clone.git("remote", "set-url", "origin", "https://github.com/octo/orbit.git")
    script = Path(__file__).parent.parent / "support" / "semantic_release_cli.py"
    points = json.dumps([point[:3] for point in project.points])
    done = subprocess.run(
        [sys.executable, str(script), str(clone.path), points], env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert [point[3] for point in project.points] == printed
    assert printed == [
        *("0.1.0", "0.1.0", "0.1.1", "0.2.0", "0.2.0", "", "0.3.0-beta.2", "0.2.1", "1.0.0", "1.4.1"),
    ]


def test_what_was_counted_is_told(project: Project) -> None:
    project.configure(USUAL)
    project.commit("chore: begin")
    project.repo.git("tag", "v0.1.0")
    project.repo.git("switch", "--quiet", "--create", "side")
    feature = project.commit("feat: beside")
    project.repo.git("switch", "--quiet", "main")
    project.repo.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'side'", "side")
    strange = project.commit("Update things")
    found = project.look().present()
    counted = found.counted.present()
    assert (found.rules, found.where) == ("semantic-release", "[tool.semantic_release] of pyproject.toml")
    assert found.tool == f"python-semantic-release {semantic_release.find_installed_version()}"
    assert found.next_version.known() == "0.2.0"
    assert (counted.last_tag, counted.total, counted.levels) == ("v0.1.0", 2, {"minor": 1})
    assert [(c.sha, c.subject) for c in counted.decisive] == [(feature, "feat: beside")]
    assert [(c.sha, c.subject) for c in counted.not_conventional] == [(strange, "Update things")]
    assert found.project_name == "Orbit"
    # The same question is not asked twice: what was kept is taken, and only for the very same facts.
    (kept,) = (project.cache / "calculated").glob("*.json")
    kept.write_text(kept.read_text().replace('"0.2.0"', '"0.2.7"'))
    assert project.look().present().next_version.known() == "0.2.7"
    facts: dict[str, Any] = {"version": "10.7.0", "branch": "main", "head": strange, "tags": [], "table": {}}
    others: dict[str, Any] = {
        "version": "10.6.0",
        "branch": "beta",
        "head": feature,
        "tags": [("v0.1.0", feature)],
        "table": {"allow_zero_version": True},
    }
    asked = [semantic_release.list_inputs(**facts)]
    asked += [semantic_release.list_inputs(**{**facts, name: others[name]}) for name in others]
    assert len({json.dumps(each) for each in asked}) == 6


def test_a_parser_of_the_project_is_never_imported(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "imported"
    evil = f"open({str(marker)!r}, 'w').close()\nfrom semantic_release.commit_parser import ConventionalCommitParser\n"
    for parser in (
        "evil:ConventionalCommitParser",
        "evil.ConventionalCommitParser",
        "./evil.py:ConventionalCommitParser",
    ):
        project.configure(f'commit_parser = "{parser}"\n')
        project.repo.commit("feat: a parser", evil__py=evil)
        monkeypatch.chdir(project.repo.path)
        monkeypatch.syspath_prepend(str(project.repo.path))
        found = project.look().present()
        assert "would be imported and run" in why(found.next_version).why
        assert not found.counted.is_known
    assert not marker.exists()
    assert not (project.cache / "calculated").exists()
    trap = subprocess.run(
        [sys.executable, "-m", "semantic_release", "version", "--print"], cwd=project.repo.path, env=ENV, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert marker.exists(), f"the trap does not work: {trap.stderr}"


def test_the_clone_lends_and_is_not_changed(project: Project, tmp_path: Path) -> None:
    project.configure(USUAL)
    project.commit("feat: one")
    clone = project.repo.clone(tmp_path / "clone")
    clone.git("config", "core.hooksPath", str(tmp_path))
    before = fingerprint(clone.path)
    remote = observe_remote(project.repo.path.as_uri(), 30).present()
    seen = observe_clone(clone.path, "origin", 30, None).present()
    found = observe_calculation(s.target(), project.history(remote, "main", clone.path, seen))
    assert found.present().next_version.known() == "0.1.0"
    assert fingerprint(clone.path) == before
    assert not list(project.cache.glob("*.git")), "the clone has all of it: nothing was fetched"


def test_the_tool_gets_nothing_of_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "HTTPS_PROXY",
        "SSH_AUTH_SOCK",
        "PYTHONPATH",
        "GIT_SSH_COMMAND",
        "GIT_DIR",
    ):
        monkeypatch.setenv(name, "secret")
    with open_temporary_store(Git(20), "https://user:secret@h.example/o/n.git", None, sha256=False) as store:
        env = semantic_release._environment(store)
    assert "secret" not in json.dumps(env)
    assert (env["HOME"], env["GIT_ALLOW_PROTOCOL"], env["GIT_CONFIG_GLOBAL"]) == (os.devnull, "none", os.devnull)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[tool.semantic_release.branches.main]\nmatch = "("\n', "Invalid regex"),
    ],
)
def test_a_configuration_that_the_tool_refuses_is_unknown(table: str, said: str, project: Project) -> None:
    project.configure(table)
    project.commit("feat: one")
    found = project.look().present()
    assert said in why(found.next_version).why
    assert found.counted.is_known, "which commits follow the convention is certain all the same"


def test_a_monorepo_parser_sees_which_files_changed(project: Project) -> None:
    options = '[tool.semantic_release.commit_parser_options]\npath_filters = ["src/*"]\n'
    project.configure(f'{USUAL}commit_parser = "conventional-monorepo"\n{options}')
    project.commit("chore: begin")
    project.repo.git("tag", "v0.1.0")
    (project.repo.path / "src").mkdir()
    (project.repo.path / "src" / "a.py").write_text("a")
    mine = project.commit("fix: ours")
    project.repo.commit("feat: elsewhere", other__txt="x")
    found = project.look().present()
    assert found.next_version.known() == "0.1.1"
    assert [c.sha for c in found.counted.present().decisive] == [mine]
    assert found.counted.present().not_conventional == ()


# ---- without the tool, and with another one


@pytest.fixture
def without_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that holds nothing."""
    empty = str(tmp_path / "site")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: empty)
    monkeypatch.setattr(site, "getsitepackages", lambda: [empty])
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)


@pytest.mark.usefixtures("without_tool")
def test_without_the_tool_the_version_is_unknown_and_plain_rules_give_a_hint(project: Project) -> None:
    project.configure(USUAL)
    project.commit("chore: begin")
    project.repo.git("tag", "v0.1.0")
    project.commit("feat!: turn")
    found = project.look().present()
    problem = why(found.next_version)
    assert "not installed" in problem.why and "pip install 'python-semantic-release" in (problem.remedy or "")
    assert (found.plain, found.tool) == ("0.2.0", None)
    assert found.counted.present().levels == {"major": 1}
    project.configure(USUAL.replace("true", "false"))
    project.commit("fix: more")
    assert project.look().present().plain is None, "plain rules do not know what is called for then"


@pytest.mark.usefixtures("without_tool")
def test_what_only_the_tool_can_read_is_unknown_without_it(project: Project) -> None:
    project.configure('commit_parser = "emoji"\n')
    project.commit(":sparkles: one")
    found = project.look().present()
    assert not found.counted.is_known and not found.next_version.is_known


def test_rules_that_are_asked_for(project: Project) -> None:
    project.repo.commit("chore: begin", pyproject__toml='[project]\nname = "orbit"\n')
    assert project.look().present().rules is None
    project.repo.git("tag", "v1.2.3")
    project.commit("Feat: any case")
    assert project.wanted(version_rules="conventional") == "1.3.0"
    assert project.look(version_rules="none").present().rules is None
    project.commit("fix: x\n\nBREAKING CHANGE: all of it")
    assert project.wanted(version_rules="conventional") == "2.0.0"
    found = project.look(version_rules="conventional").present()
    assert (found.tool, found.where, found.counted.present().levels) == (
        None,
        "--version-rules",
        {"minor": 1, "major": 1},
    )


def test_commitizen(project: Project) -> None:
    project.configure('version_provider = "pep621"\nmajor_version_zero = true\n', header="[tool.commitizen]")
    project.commit("chore: begin")
    project.repo.git("tag", "v0.1.0")
    assert project.look().present().next_version.known() is None
    project.commit("refactor: counts for commitizen")
    assert project.wanted() == "0.1.1"
    project.commit("feat!: all of it")
    assert project.wanted() == "0.2.0"
    assert project.look().present().rules == "commitizen"
    project.repo.git("tag", "v0.1.9")
    assert "counts from 0.1.0" in why(project.look().present().next_version).why
    project.configure('name = "cz_customize"\n', header="[tool.commitizen]")
    project.commit("feat: rules of our own")
    assert "rules of its own" in why(project.look().present().next_version).why


def test_a_configuration_that_cannot_be_read_is_unknown(project: Project) -> None:
    project.repo.commit("feat: broken", pyproject__toml="[tool.semantic_release\n")
    assert "pyproject.toml is not valid TOML" in why(project.look()).why
    project.repo.commit("feat: huge", pyproject__toml="#" * (2**20 + 1))
    assert "larger than" in why(project.look()).why


def test_a_remote_that_does_not_answer_is_unknown(project: Project, tmp_path: Path) -> None:
    project.commit("feat: one")
    remote = observe_remote(project.repo.path.as_uri(), 30).present()
    (tmp_path / "project").rename(tmp_path / "gone")
    found = observe_calculation(s.target(), project.history(remote))
    assert why(found).source == "version calculation"


def test_an_answer_of_another_shape_is_no_answer() -> None:
    """A kept one too: a level that is none would count as a release that is not needed."""
    whole = {
        "version": "0.2.0",
        "last_tag": "v0.1.0",
        "is_new": True,
        "commits": [["a" * 40, "minor"], ["b" * 40, None]],
    }
    answer = read_answer(whole)
    assert isinstance(answer, Answer) and answer.version == "0.2.0"
    for missing in whole:
        with pytest.raises(NotCalculated, match="answered something else"):
            read_answer({key: value for key, value in whole.items() if key != missing})
    assert read_answer({"no_release": "not this branch"}) == NoRelease(no_release="not this branch")
    for wrong in ({"version": 2}, {"commits": [["a" * 40, "huge"]]}, {"is_new": "yes"}, {"other": 1}):
        with pytest.raises(NotCalculated, match="answered something else"):
            read_answer({**whole, **wrong})
