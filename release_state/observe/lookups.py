"""The table of look-ups: one row for each fact that a run observes.

The order of a run, the progress line, what `--wait` asks again and the reference's table follow from it. `collect`
starts each row as soon as the rows that it comes after have answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from release_state.model.observation import Observation, known, unavailable
from release_state.model.outcome import Phase
from release_state.model.snapshot import Installation, Opened
from release_state.model.target import Target
from release_state.observe.call import Call, Key, View
from release_state.observe.http.limits import Stage

if TYPE_CHECKING:
    from release_state.observe.sources import Sources

Asked = Call | dict[str, Call] | Observation[Any] | None
"""A call, one for each part, an answer that needs no call, or None: as in a phase in which it is not asked."""


class ChangedBy(Enum):
    """Why the answer under the same key may change."""

    BY_RELEASE_RUN = "a release run makes or changes it"
    AT_ANY_TIME = "it may change at any moment"


class Lookup(Struct, frozen=True):
    """A row of the table."""

    name: str
    source: str
    """Who is asked, in words."""
    ask: Callable[[Sources, View], Asked]
    """How it is asked. Raises NotObserved if a prerequisite failed: the row has the same problem, without a request."""
    after: tuple[str, ...] = ()
    """The rows that it waits for. It sees their answers and those they waited for, and no others."""
    key: Callable[[Target, str], Key] | None = None
    """The beginning of its key for a target, or for a part: `("release", "v0.2.0")`; None: its name."""
    stage: Stage | None = Stage.FIRST
    """The share of the time for all look-ups by which it must end; None: it has a limit of its own."""
    phases: tuple[Phase, ...] = ()
    """The phases in which it is asked, once the phase is known; empty: all, without waiting for the phase."""
    otherwise: Callable[[View], Observation[Any]] | None = None
    """The answer in other phases."""
    changes: ChangedBy | None = None
    """Whether it is looked up again at the end or after a release run; None: only if its key changed."""
    needs: tuple[str, ...] = ()
    """The look-ups that a narrowed run asks along with it."""
    part_of: str = ""
    """The look-up that it belongs to, if checks do not name it; empty: it is one of its own."""
    field: str = ""
    """The field of the snapshot that it fills; empty: the one of its name."""
    what: str = ""
    """What it asks for, in Markdown; empty for a part of another look-up."""
    right: str = "none"
    """The right that it needs, in Markdown."""
    is_foreseen: bool = True
    """Whether it may be asked by the refs that the clone has, while the remote still has to answer."""

    @property
    def asked_with(self) -> str:
        """The look-up that a run names to ask it."""
        return self.part_of or self.name

    @property
    def fills(self) -> str:
        """The field of the snapshot that it fills."""
        return self.field or self.name

    def beginning(self, target: Target, part: str = "") -> Key:
        """Return the beginning of its key for a target, or for a part."""
        return self.key(target, part) if self.key else (self.name,)


def _simply(ask: Callable[[Sources, Target], Observation[Any]]) -> Callable[[Sources, View], Call]:
    """Make a call that depends only on the target."""
    return lambda at, view: Call((), lambda: ask(at, view.target))


def _of_target(name: str) -> Callable[[Target, str], Key]:
    return lambda target, part: (name, target.key)


def _of_page(target: Target, channel: str) -> Key:
    return ("index", channel, target.version)


def _not_tried(view: View) -> str:
    return f"not tried in the phase {view.phase.value}"


BY_RELEASE_RUN, AT_ANY_TIME = ChangedBy.BY_RELEASE_RUN, ChangedBy.AT_ANY_TIME
_BEFORE, _INSIDE, _AFTERWARDS = (Phase.PRE_RELEASE,), (Phase.PRE_PUBLISH,), (Phase.POST_RECOVERY,)

TRACES = ("remote", "index", "other_indexes", "pulls", "branch_pulls", "release", "other_releases", "drafts")
"""The rows that say which traces of the version exist: the phase follows from them."""
PROCESS = ("workflow_files", "earlier_pulls", "tool_pulls", "earlier_releases", "latest_release")
"""The rows that say how the project releases, beside `remote` and `index`."""
READ_BY_PROCESS = ("remote", "index", "other_indexes", "pulls", "release", *PROCESS)
"""All rows that `release_state.facts.process` reads; a test holds the two together."""

# `index` brings the witness along. That sees the runs, too, but only if something else needs them. `opened` takes what
# `published` downloaded. `published` and `history` fetch the same commits, so one waits for the other.
# What GitHub is asked second waits for its first answer: a connection that has answered needs no second one opened.
TABLE = (
    Lookup("remote", "git remote", _simply(lambda at, target: at.remote()), changes=BY_RELEASE_RUN,
           what="branches and tags of the remote (`git ls-remote`)",
           right="read access of your git to the remote"),
    Lookup("clone", "clone", _simply(lambda at, target: at.clone(target)), changes=AT_ANY_TIME,
           what="the local clone: HEAD, changes, tags; nothing is fetched into it"),
    Lookup("related_clone", "clone", lambda at, view: at.related_clone(view), after=("history",),
           key=lambda target, part: ("clone",), stage=Stage.LAST, part_of="clone", field="clone", is_foreseen=False),
    Lookup("history", "git history", lambda at, view: at.history(view), after=("remote", "clone", "index", "pulls"),
           key=_of_target("history"), stage=Stage.SECOND, needs=("remote", "clone", "index", "pulls"),
           is_foreseen=False,
           what="the commits that matter, fetched into a cache of the suite's own",
           right="read access of your git"),
    Lookup("index", "index", lambda at, view: at.index(view), key=_of_page, changes=BY_RELEASE_RUN,
           needs=("witness",),
           what="the project's page of the Simple API, of the channel's index",
           right="none; a private index: user name and password in its URL"),
    Lookup("other_indexes", "index", lambda at, view: at.other_indexes(view), after=("remote",), key=_of_page,
           stage=Stage.SECOND, part_of="open_pulls", field="index"),
    Lookup("repository", "GitHub", _simply(lambda at, target: at.github.repository()),
           what="the repository's present name and whether it is visible",
           right="`metadata: read`"),
    Lookup("pulls", "GitHub", _simply(lambda at, target: at.github.pulls(target.release_branch)),
           key=lambda target, part: ("pulls", target.release_branch), changes=BY_RELEASE_RUN, needs=("repository",),
           what="pull requests of the release branch, in any state",
           right="`pull-requests: read`"),
    Lookup("open_pulls", "GitHub", _simply(lambda at, target: at.open_pulls()), changes=BY_RELEASE_RUN,
           needs=("repository",),
           what="open pull requests from or into every release branch",
           right="`pull-requests: read`"),
    Lookup("branch_pulls", "GitHub", lambda at, view: at.branch_pulls(view), after=("remote",),
           key=lambda target, branch: ("pulls", branch) if branch else ("branch_pulls",), stage=Stage.SECOND,
           changes=BY_RELEASE_RUN, part_of="open_pulls"),
    Lookup("release", "GitHub", _simply(lambda at, target: at.github.release_by_tag(target.tag)),
           after=("repository", "remote", "index"), stage=Stage.SECOND,
           key=lambda target, part: ("release", target.tag), changes=BY_RELEASE_RUN,
           needs=("repository", "remote", "index"),
           what="the published GitHub Release of the tag",
           right="`contents: read`"),
    Lookup("other_releases", "GitHub", lambda at, view: at.other_releases(view), after=("remote", "index"),
           key=lambda target, tag: ("release", tag), stage=Stage.SECOND, changes=BY_RELEASE_RUN, part_of="release"),
    Lookup("latest_release", "GitHub", _simply(lambda at, target: at.github.latest_release()), changes=BY_RELEASE_RUN,
           needs=("repository",),
           what="the release that GitHub calls the latest",
           right="`contents: read`"),
    Lookup("earlier_pulls", "GitHub", lambda at, view: at.earlier_pulls(view), after=("repository", "remote", "index"),
           key=lambda target, branch: ("earlier_pulls", branch), stage=Stage.SECOND,
           needs=("repository", "remote", "index", "workflow_files"),
           what="pull requests of the last two versions: whether releases of this project have one",
           right="`pull-requests: read`"),
    Lookup("tool_pulls", "GitHub", lambda at, view: at.tool_pulls(view), after=("workflow_files",),
           key=lambda target, branch: ("earlier_pulls", branch), stage=Stage.LAST, part_of="earlier_pulls",
           field="earlier_pulls"),
    Lookup("earlier_releases", "GitHub", lambda at, view: at.earlier_releases(view),
           after=("repository", "remote", "index"), stage=Stage.SECOND,
           key=lambda target, tag: ("earlier_releases", tag), needs=("repository", "remote", "index"),
           what="the GitHub Releases of the last two versions: whether releases of this project have one",
           right="`contents: read`"),
    Lookup("drafts", "GitHub", lambda at, view: at.drafts(view), after=("repository", "remote", "index"),
           stage=Stage.SECOND, key=lambda target, part: ("drafts", target.tag), changes=BY_RELEASE_RUN,
           needs=("repository", "remote", "index"),
           what="drafts of a GitHub Release for the tag",
           right="`contents: write`: GitHub lists drafts to nobody else"),
    Lookup("ci", "GitHub", lambda at, view: at.ci(view), after=("remote", "workflow_files"), stage=Stage.LAST,
           changes=AT_ANY_TIME, needs=("remote", "runs", "clone", "workflow_files"),
           what="check runs, statuses and runs of one commit, of its ancestors, and what was pushed",
           right="`checks: read`, `statuses: read`, `actions: read`, `contents: read`"),
    Lookup("expected_ci", "GitHub", lambda at, view: at.expected_ci(view), after=("ci", "base_rules", "history"),
           key=lambda target, part: ("ci",), stage=Stage.LAST, phases=(*_BEFORE, *_INSIDE),
           otherwise=lambda view: view.snapshot.ci, part_of="ci", field="ci"),
    Lookup("runs", "GitHub", lambda at, view: at.runs(view), after=("workflow_files",), stage=Stage.LAST,
           changes=AT_ANY_TIME, needs=("repository", "workflow_files"),
           what="unfinished runs of the workflows that publish",
           right="`actions: read`"),
    Lookup("own_run", "environment", lambda at, view: known(at.own_run), phases=_INSIDE,
           otherwise=lambda view: known(None),
           what="the run that the gate is a step of, from its environment (no request)"),
    Lookup("own_jobs", "GitHub", lambda at, view: at.own_jobs(view), after=("workflow_files",), phases=_INSIDE,
           otherwise=lambda view: known(()), stage=Stage.LAST, changes=AT_ANY_TIME,
           needs=("repository", "workflow_files"),
           what="in the phase pre-publish, the jobs of that run that publish",
           right="`actions: read`"),
    Lookup("built", "built files", lambda at, view: at.built(view), stage=Stage.LAST, phases=(*_BEFORE, *_INSIDE),
           otherwise=lambda view: known(None), is_foreseen=False, changes=AT_ANY_TIME,
           what="the files in the folder of `--built`: names, and the metadata inside (no request)"),
    Lookup("installation", "installation", lambda at, view: at.installation(view), after=("index",),
           key=_of_target("installation"), stage=None, phases=_AFTERWARDS, needs=("index",),
           otherwise=lambda view: known(Installation(attempted=False, detail=_not_tried(view))), is_foreseen=False,
           what="installing from the index into a fresh environment"),
    Lookup("opened", "published files", lambda at, view: at.opened(view),
           after=("index", "installation", "compared_contents"), key=_of_target("opened"), stage=None,
           phases=_AFTERWARDS, otherwise=lambda view: known(Opened(left_out=_not_tried(view))), is_foreseen=False,
           needs=("index", "installation"),
           what="the version's other files, downloaded and inspected"),
    Lookup("contents", "published files", lambda at, view: at.contents(view), after=("index",),
           key=_of_target("contents"), stage=Stage.LAST, phases=_AFTERWARDS,
           otherwise=lambda view: unavailable("wheels", f"not read in the phase {view.phase.value}"),
           needs=("index",),
           what="the version's smallest wheels, up to 8 MiB each: whether they have a module, and what they lack"),
    Lookup("published", "published files", lambda at, view: at.published(view), after=("index", "history"),
           key=_of_target("published"), stage=Stage.LAST, phases=_AFTERWARDS,
           otherwise=lambda view: unavailable("published commit", f"not looked for in the phase {view.phase.value}"),
           needs=("index", "remote", "clone", "pulls"),
           what="the published files, compared with the commits they may be built from"),
    Lookup("compared_contents", "published files", lambda at, view: at.compared_contents(view),
           after=("contents", "published"), key=_of_target("compared_contents"), stage=Stage.LAST, phases=_AFTERWARDS,
           otherwise=lambda view: view.snapshot.contents, part_of="contents", field="contents", is_foreseen=False),
    Lookup("last_run", "log of the last run", lambda at, view: at.last_run(view),
           after=(*TRACES, *PROCESS, "repository", "runs"), key=_of_target("last_run"), stage=Stage.LAST,
           is_foreseen=False,
           needs=("runs",),
           what="the last finished release run and the log of its failed job",
           right="`actions: read`, and a token"),
    Lookup("witness", "log of the last run", lambda at, view: at.witness(view),
           after=("index", "remote", "repository", "runs"), key=_of_target("witness"), stage=Stage.LAST,
           is_foreseen=False,
           what="for a version missing from PyPI: earlier reports, and the steps of runs that may have published it",
           right="`actions: read`"),
    Lookup("services", "status pages", lambda at, view: at.services(view), stage=None,
           what="GitHub's and the index's status pages, one request each, without a token"),
    Lookup("rehearsal", "index", lambda at, view: at.rehearsal(view), key=lambda target, part: ("index",),
           stage=Stage.LAST, phases=_BEFORE, otherwise=lambda view: view.snapshot.rehearsal, changes=BY_RELEASE_RUN,
           needs=("index",),
           what="the project's page on TestPyPI, before a release to PyPI"),
    Lookup("workflow_files", "git history", lambda at, view: at.workflow_files(view), after=("history",),
           stage=Stage.SECOND, needs=("remote", "clone", "index"),
           what="the workflows with the local actions they use, at the base's head and at the version's tag (git)",
           right="read access of your git"),
    Lookup("rulesets", "GitHub", _simply(lambda at, target: at.settings.rulesets()), needs=("repository",),
           what="rulesets of the repository and of its owner",
           right="`metadata: read`; who may bypass them: write access"),
    Lookup("branch_rules", "GitHub", _simply(lambda at, target: at.settings.branch_rules(target.release_branch)),
           key=lambda target, part: ("branch_rules", target.release_branch), needs=("repository",),
           what="rules for the release branch",
           right="`metadata: read`"),
    Lookup("base_rules", "GitHub", lambda at, view: at.base_rules(view),
           after=("remote",), stage=Stage.SECOND, needs=("repository", "remote"),
           what="what the base branch requires of changes",
           right="`contents: read`; all of a classic protection: `administration: read`"),
    Lookup("actions_settings", "GitHub", _simply(lambda at, target: at.settings.actions_settings()),
           needs=("repository",),
           what="what Actions may do by default, and whether they may create pull requests",
           right="`administration: read`"),
    Lookup("environments", "GitHub", lambda at, view: at.environments(view), after=("workflow_files",),
           stage=Stage.LAST, phases=_BEFORE, otherwise=lambda view: known(()), needs=("repository", "workflow_files"),
           what="which refs may deploy to the environments of the jobs that publish",
           right="`actions: read`"),
    Lookup("workflow_states", "GitHub", lambda at, view: at.workflow_states(view),
           after=("repository", "workflow_files", "index"), stage=Stage.LAST, changes=AT_ANY_TIME,
           phases=(*_BEFORE, *_AFTERWARDS), otherwise=lambda view: known(()),
           needs=("repository", "workflow_files"),
           what="which workflows are switched off",
           right="`actions: read`"),
    Lookup("base_runs", "GitHub", lambda at, view: at.base_runs(view),
           after=("remote", "workflow_files"), stage=Stage.LAST, needs=("repository", "remote", "workflow_files"),
           what="the last five runs of CI on the base branch",
           right="`actions: read`"),
    Lookup("calculation", "version calculation", lambda at, view: at.calculation(view),
           after=("index", "workflow_files"),
           stage=Stage.LAST, phases=(*_BEFORE, *_AFTERWARDS),
           otherwise=lambda view: unavailable(
               "version calculation",
               f"not worked out in the phase {view.phase.value}, but for a published version without a tag",
           ),
           needs=("remote", "clone", "index", "workflow_files"),
           what="commits since the last tag and the configuration at the base branch's head, fetched into that cache",
           right="read access of your git"),
)  # fmt: skip

ROWS = {row.name: row for row in TABLE}
FIELDS = {row.fills: row for row in reversed(TABLE)}
"""The first row of each field of the snapshot."""
CHANGING = frozenset(row.name for row in TABLE if row.changes and not row.part_of)
"""The look-ups whose answer may change while a run looks."""


def name_source(name: str) -> str:
    """Return who a look-up asks, in words. An audit's own look-ups ask GitHub, except for the clone's tags."""
    if name in ROWS:
        return ROWS[name].source
    return "clone" if name == "clone_tags" else "GitHub"


def name_sources(names: Iterable[str]) -> tuple[str, ...]:
    """Return who these look-ups ask, each source once."""
    return tuple(dict.fromkeys(map(name_source, names)))


def lookups_of_phase() -> frozenset[str]:
    """Return the look-ups that the phase follows from."""
    return frozenset(name for name in (*TRACES, *PROCESS) if not ROWS[name].part_of)


def with_process(names: Iterable[str]) -> frozenset[str]:
    """Return these look-ups, with those that say how the project releases, if what is asked depends on it."""
    names = frozenset(names)
    depends = not with_needs(names).isdisjoint(("remote", "pulls", "open_pulls"))
    return names | lookups_of_phase() if depends else names


def with_needs(names: Iterable[str]) -> frozenset[str]:
    """Return these look-ups and those that a narrowed run asks along with them."""
    found, new = set[str](), set(names)
    while new:
        found |= new
        new = {each for name in new for each in ROWS[name].needs} - found
    return frozenset(found)


@cache
def seen_by(name: str) -> frozenset[str]:
    """Return the rows whose answers a row sees: those that it waits for, and those they waited for."""
    return frozenset(ROWS[name].after).union(*(seen_by(each) for each in ROWS[name].after))
