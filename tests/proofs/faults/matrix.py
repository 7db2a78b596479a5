"""Runs the cells of the matrix: real observations of the demo world through the gateway, judged as a run judges."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import msgspec
from msgspec import structs

from release_state.model.observation import Observation, Problem
from release_state.model.outcome import Exit
from release_state.model.snapshot import LOOKUPS, BaseRules, History, Snapshot
from release_state.observe.collect import collect
from release_state.observe.lookups import ROWS, with_needs
from tests.proofs.faults.expected import Expected, expected, is_near
from tests.proofs.faults.gateway import Gateway, Visit
from tests.proofs.faults.kinds import Fault
from tests.proofs.faults.rows import Row, RowOf, rows_of
from tests.proofs.faults.states import PASSWORD, SETTINGS, Stage
from tests.support.judged import verdict_of
from tests.support.tagged import environment

PATIENT, HASTY = 40.0, 10.0
"""`--lookup-timeout` of runs whose faults are told at once, and of those that use it up; seconds."""
MARGIN = 6.0
"""Seconds that a run may take beyond the limit of its look-ups: less than a second limit."""
MOST_AT_ONCE = 6
"""Faults of one run, each in another question."""
TRACES, MOST_TRACES = frozenset({"remote", "index pypi", "pulls", "release"}), 2
"""What the phase is taken from: with more of it unknown at once, a run could not know which phase it is in."""
ADVICE = frozenset({"last_run"})
"""What decides nothing: it may rest on two faults of one run."""
ASIDE = frozenset({"clone", "history", "published", "workflow_files", "calculation", "base_runs", *SETTINGS})
"""What takes much of a run's work. Where it does not rest on the fault, it is looked at again for `WHOLE` alone."""
WHOLE = frozenset({"500", "read time-out"})
RUNS_AT_ONCE, SLOW_RUNS_AT_ONCE = 5, 8

BY_NAME = ("index", "services")
"""Fields of the snapshot that hold several facts, each under a name of its own."""
SEVERAL = ("branch_pulls", "other_releases", "earlier_pulls", "earlier_releases")
"""Fields that hold one fact in several parts; without parts where a narrowed run does not ask for it."""

Facts = dict[str, tuple[Observation[Any], ...]]


def facts(snapshot: Snapshot) -> Facts:
    """What was observed, by name; the indexes each by its own."""
    fields = structs.asdict(snapshot).items()
    found: Facts = {name: (value,) for name, value in fields if isinstance(value, Observation)}
    del found["rate_limit"]  # read off other answers
    for field in BY_NAME:
        found |= {f"{field} {name}": (value,) for name, value in getattr(snapshot, field).items()}
    return {**found, **{name: tuple(getattr(snapshot, name).values()) for name in SEVERAL}}


def groups(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows in groups in which what one of them tells does not rest on another."""
    made: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -len(row.touches)):
        for group in made:
            traces = sum(each.fact in TRACES for each in (*group, row))
            if len(group) < MOST_AT_ONCE and traces <= MOST_TRACES and not any(_meet(row, other) for other in group):
                group.append(row)
                break
        else:
            made.append([row])
    return made


def _meet(one: Row, other: Row) -> bool:
    return bool(one.touches & other.touches - ADVICE) or one.fact in other.touches or other.fact in one.touches


@dataclass(frozen=True)
class Ran:
    """A run that met faults."""

    rows: tuple[Row, ...]
    visit: Visit
    snapshot: Snapshot
    began: datetime
    seconds: float
    timeout: float


class Matrix:
    """Runs groups of cells against the stages, and says what is wrong with what came of them."""

    def __init__(self, gateway: Gateway, stages: Mapping[str, Stage]) -> None:
        self.gateway, self.stages = gateway, stages
        self._true: dict[str, Snapshot] = {}

    def run(
        self, state: str, rows: Iterable[Row] = (), fault: Fault | None = None, *, keep_answers: bool = False
    ) -> Ran:
        """Observe a state, with the fault in each of the rows."""
        stage, chosen = self.stages[state], tuple(rows)
        timeout = HASTY if fault and fault.slow else PATIENT
        # Where a source begins with the row, what cannot be connected to is the source's own address.
        direct = {row.begins: row for row in chosen if fault and fault.address and row.begins}
        whole = fault is None or fault.name in WHOLE
        left_out = ASIDE - frozenset(name for row in chosen for name in row.touches)
        wanted = None if whole else stage.state.wanted or frozenset(LOOKUPS) - left_out
        broken = {str(root): self.gateway.address(str(fault.address)) for root in direct} if fault else {}
        played = {row.name: (row.first, fault.play) for row in chosen if fault and row not in direct.values()}
        visit = self.gateway.visit(stage.services, RowOf(rows_of(state)), played)
        config = stage.config(visit, timeout, broken, keep_answers=keep_answers)
        environ = environment(stage.world) if stage.state.phase else {}
        began, start = datetime.now(timezone.utc), time.monotonic()
        (snapshot,) = collect(
            config,
            wanted,
            fixed_phase=stage.state.phase,
            token=stage.world.token,
            token_source="GITHUB_TOKEN",
            own_run_id=int(environ["GITHUB_RUN_ID"]) if environ else None,
            environ=environ,
        )
        return Ran(chosen, visit, snapshot, began, time.monotonic() - start, timeout)

    def true(self, state: str) -> Snapshot:
        """What a run without faults observes."""
        if state not in self._true:
            ran = self.run(state)
            verdict = verdict_of(ran.snapshot, fixed_phase=self.stages[state].state.phase)
            assert verdict.exit == self.stages[state].state.exit_code, (state, verdict.findings)
            self._true[state] = _told(ran)
        return self._true[state]

    def wrong(self, fault: Fault, rows: Iterable[Row]) -> list[str]:
        """What is wrong with the cells of one fault, a line each; empty where all is right."""
        runs = {state: groups(row for row in rows if row.state == state) for state in self.stages}
        for state in (state for state, made in runs.items() if made):
            self.true(state)
        at_once = 1 if fault.heavy else SLOW_RUNS_AT_ONCE if fault.slow else RUNS_AT_ONCE
        with ThreadPoolExecutor(max_workers=at_once) as pool:
            # Each visit has an address of its own: answers kept help none, and each is looked through for each more.
            begun = [
                pool.submit(self.run, state, group, fault, keep_answers=group is made[0])
                for state, made in runs.items()
                for group in made
            ]
            done = [each.result() for each in begun]
        return [line for ran in done for line in self._wrong_with(ran, fault)]

    def _wrong_with(self, ran: Ran, fault: Fault) -> list[str]:
        state = ran.rows[0].state
        true, found = self.true(state), _told(ran)
        true_facts, found_facts = facts(true), facts(found)
        lines = [
            f"{row.name}: {line}" for row in ran.rows for line in _wrong_cell(row, fault, true_facts, found_facts, ran)
        ]
        touched = frozenset(name for row in ran.rows for name in row.touches)
        # Status pages are there or not by what a run was asked for, the others say so themselves.
        asked = frozenset(name for name in true_facts if name in found_facts or not name.startswith("services "))
        wanted = self.stages[state].state.wanted
        if wanted is not None and fault.name not in WHOLE:
            asked -= frozenset(name for name in SEVERAL if ROWS[name].asked_with not in with_needs(wanted))
        kept = [name for name in asked - touched if not _was_left_out(found_facts.get(name, ()))]
        lost = [name for name in kept if found_facts.get(name) != true_facts[name]]
        lines += [f"{[row.name for row in ran.rows]}: {name} changed too: {found_facts.get(name)}" for name in lost]
        if ran.seconds > ran.timeout + MARGIN:
            lines.append(f"{[row.name for row in ran.rows]}: took {ran.seconds:.1f} s")
        lines += [f"{row.name}: {line}" for row in ran.rows for line in self._wrong_exit(row, fault, true, found)]
        return lines + _leaks(ran)

    def _wrong_exit(self, row: Row, fault: Fault, true: Snapshot, found: Snapshot) -> Iterable[str]:
        """Of a run in which this fault is the only one: what it touches is taken from the run, all else is true."""
        stage = self.stages[row.state].state
        if stage.exit_code != Exit.OK:
            return
        plain = {name: getattr(found, name) for name in row.touches if " " not in name}
        plain = {name: value for name, value in plain.items() if name in SEVERAL or not _was_left_out((value,))}
        named = {field: {**getattr(true, field), **_touched(row, field, found)} for field in BY_NAME}
        alone = structs.replace(true, **plain | named)
        verdict = verdict_of(alone, fixed_phase=stage.phase)
        is_unknown = expected(row, fault).outcome == "unknown"
        want = Exit.UNKNOWN if is_unknown and row.blocking else Exit.OK
        if expected(row, fault).outcome == "absent":
            if verdict.exit == Exit.OK and row.blocking:
                yield "a blocking fact is absent, and the run is green"
        elif verdict.exit != want:
            shown = [f"{each.id} {each.outcome.value}: {each.found}" for each in verdict.findings]
            yield f"exit {int(verdict.exit)}, expected {int(want)}: {shown}"


def _was_left_out(observed: tuple[Observation[Any], ...]) -> bool:
    return any(each.unavailable and "narrowed run" in each.unavailable.why for each in observed)


def _touched(row: Row, field: str, found: Snapshot) -> dict[str, Observation[Any]]:
    return {name: value for name, value in getattr(found, field).items() if f"{field} {name}" in row.touches}


def _wrong_cell(row: Row, fault: Fault, true: Facts, found: Facts, ran: Ran) -> Iterable[str]:
    want = expected(row, fault)
    observed = found.get(row.fact, ())
    problems = [each.unavailable for each in observed if each.unavailable] or _missing(observed)
    if want.outcome == "unknown":
        if not problems:
            yield f"expected unknown, found {observed}"
        for problem in problems[:1]:
            yield from _wrong_problem(problem, want, ran)
    elif problems:
        yield f"expected {want.outcome}, found unknown: {problems[0].why}"
    elif want.outcome == "absent" and not all(_is_absent(each.value) for each in observed):
        yield f"expected absent, found {observed}"
    elif want.outcome == "true" and observed != true.get(row.fact):
        yield f"expected the true fact, found {observed}"
    elif want.outcome == "more" and not _includes(observed, true[row.fact]):
        yield f"expected all of the true fact, found {observed}"
    answered = not fault.address or row.begins is None
    if answered and sum(asked.row == row.name for asked in ran.visit.asked) <= row.first:
        yield "was not asked at all"


def _is_absent(value: object) -> bool:
    return value is None or value == () or getattr(value, "exists", True) is False


def _missing(observed: tuple[Observation[Any], ...]) -> list[Problem]:
    """What is said within a fact: commits that could not be had, settings that are hidden."""
    hidden = [each.value.hidden for each in observed if isinstance(each.value, BaseRules) and each.value.hidden]
    return hidden + [
        Problem(source="git history", why=each.value.missing_why or "no cause")
        for each in observed
        if isinstance(each.value, History) and each.value.missing
    ]


def _wrong_problem(problem: Problem, want: Expected, ran: Ran) -> Iterable[str]:
    if not re.search(want.why, problem.why):
        yield f"the cause does not say {want.why!r}: {problem.why}"
    if not is_near(problem.retry_at, want.again, ran.began):
        yield f"to be tried again at {problem.retry_at}, expected {want.again}"
    if PASSWORD in msgspec.json.encode(problem).decode() or "demo-token" in msgspec.json.encode(problem).decode():
        yield f"a secret is in {problem}"


def _includes(found: tuple[Observation[Any], ...], true: tuple[Observation[Any], ...]) -> bool:
    """Whether every entry of the true lists is among the found ones."""

    def entries(observed: tuple[Observation[Any], ...]) -> list[str]:
        held = []
        for each in observed:
            value = each.value
            inner = next((getattr(value, name) for name in ("results", "runs") if hasattr(value, name)), value)
            held += [str(item) for item in (inner if isinstance(inner, tuple) else (inner,))]
        return held

    return set(entries(true)) <= set(entries(found))


def _leaks(ran: Ran) -> list[str]:
    """The token goes to GitHub's API alone, the remote's password to the remote alone; and nothing but GET is asked."""
    lines = []
    for asked in ran.visit.asked:
        sent = asked.headers.get("authorization", "")
        if sent and (asked.elsewhere or asked.service not in ("github", "git")):
            lines.append(f"credentials were sent to {'another host' if asked.elsewhere else asked.service}")
        if asked.method != "GET" and asked.service != "git":
            lines.append(f"{asked.method} {asked.target}")
    return lines


def _told(ran: Ran) -> Snapshot:
    """The snapshot without what differs from visit to visit: its addresses, and the times of the run itself."""
    text = msgspec.json.encode(ran.snapshot).decode()
    text = re.sub(
        rf"http://[^/\"]*/{ran.visit.name}(?:\.moved)?/(github|index|git|storage|status)", r"http://\1.example", text
    )
    snapshot = msgspec.json.decode(text, type=Snapshot)
    return structs.replace(snapshot, observed_at=datetime(2026, 1, 1, tzinfo=timezone.utc))
