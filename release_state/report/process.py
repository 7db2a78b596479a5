"""How the project releases, for every kind of report: what was found out and from what, what is configured.

All of it can hold names of files, jobs and tags: each text is sanitized and bounded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from release_state.common.text import sanitize
from release_state.facts.hints import find_hints
from release_state.facts.publishers import CONFIGURED, OVERRULES
from release_state.facts.release import Release
from release_state.model.observation import Model
from release_state.model.process import Publisher, Start

_LONGEST = 100
"""Characters of a name."""
_LONGEST_LINE = 300
_MOST = 20
_SHOWN = 3
"""Publishers and starts in one line."""
OVERRULED_BY = (
    "To overrule it, configure `workflow`, `started-by`, `makes`, `tag-template`, or the channel's `leaves` or "
    "`environment`."
)


class PublisherReport(Model):
    """A job that uploads to the channel's index."""

    workflow: str
    job: str
    how: str
    """The action or command."""
    starts: tuple[str, ...]
    """What starts it; empty: not known."""
    environment: str | None = None
    """The GitHub environment of the job; empty: none, null: not known, or chosen in the run."""
    makes: tuple[str, ...] = ()
    """What its workflow makes besides the upload."""


class ProcessReport(Model):
    """How the project releases, as this run understood it."""

    summary: str
    """All of it in one line."""
    workflows: tuple[str, ...]
    """The workflows that are watched, the release workflow first."""
    tag_template: str
    expected_files: tuple[str, ...]
    """Kinds of file that a release publishes."""
    leaves: tuple[str, ...]
    """What a finished release leaves on GitHub."""
    configured: tuple[str, ...]
    """The keys that the configuration gives; the others were found out, or are defaults."""
    origins: dict[str, str]
    """Where each setting of the process comes from: what it was found out from, or where it is configured."""
    publishers: tuple[PublisherReport, ...]
    candidates: tuple[str, ...]
    """The workflow files, if none of them is seen to publish."""
    evidence: tuple[str, ...]
    """What was found out and from what, a line each."""
    hints: tuple[str, ...]
    """What is configured and matches nothing, and what is likely right."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The evidence, and what is configured."""
        said = ", ".join(f"{key} ({self.origins[key]})" if key in self.origins else key for key in self.configured)
        return (*self.evidence, *([f"configured: {said}"] if said else []))


def summarize(release: Release, *, briefly: bool = False) -> str:
    """All of it in one line; briefly without the jobs."""
    kind = release.target.process_kind
    parts = (_say_workflow(release, briefly=briefly), _say_tags(release), _say_leaves(release))
    return sanitize("; ".join([*([f"{kind} (configured)"] if kind else []), *parts]), 600)


def build_process(release: Release) -> ProcessReport:
    """How the target of a snapshot is released."""
    target, process = release.target, release.target.process
    unsure = (f"not known whether releases leave a {trace}: {why}" for trace, why in process.unsure)
    given = target.given
    return ProcessReport(
        summary=summarize(release),
        workflows=_bound(target.workflows if process.publishers or "workflow" in given else ()),
        tag_template=sanitize(target.tag_template, _LONGEST),
        expected_files=target.expected_files,
        leaves=target.channel.leaves,
        origins=dict(_find_origins(release)),
        configured=_bound(key for key in given if not key.startswith("channels.") or _is_of_channel(release, key)),
        publishers=tuple(map(_publisher, process.publishers[:_MOST])),
        candidates=_bound(process.candidates),
        evidence=_bound((*process.evidence, *unsure), _LONGEST_LINE),
        hints=find_hints(release.snapshot),
    )


def _find_origins(release: Release) -> Iterator[tuple[str, str]]:
    """Yield the settings of the process that matter for this target, each with where its value comes from."""
    target, process = release.target, release.target.process
    given = dict.fromkeys(target.given, "configured") | dict(target.origins)
    leaves, environment = (f"channels.{target.channel.name}.{key}" for key in ("leaves", "environment"))
    from_files = "found out from the workflow files" if process.publishers else "not found out"
    evidence = " ".join(f"\n{line}" for line in process.evidence)
    found = dict.fromkeys(("workflow", *OVERRULES), from_files)
    if any(start.is_of_word for start in process.starts):
        found["started-by"] = f"process {target.process_kind}"
    found["tag-template"] = "found out from the tags" if "\ntags: " in evidence else "default"
    found["expected-files"] = "found out from earlier versions" if "\nfiles: " in evidence else "default"
    found[leaves] = "default, as its releases are not known" if process.unsure else "found out from earlier releases"
    found[leaves] += f", at least as process {target.process_kind} says" * bool(target.list_asked())
    is_known = any(publisher.environment is not None for publisher in process.publishers)
    found[environment] = from_files if is_known else "not found out"
    for key, where in (found | given).items():
        if not key.startswith("channels.") or _is_of_channel(release, key):
            yield key, sanitize(where, _LONGEST_LINE)


def _is_of_channel(release: Release, key: str) -> bool:
    return key.startswith(f"channels.{release.target.channel.name}.")


def _bound(texts: Iterable[str], longest: int = _LONGEST) -> tuple[str, ...]:
    texts = list(texts)
    shown = [sanitize(text, longest) for text in texts[:_MOST]]
    return (*shown, *([f"and {len(texts) - _MOST} more"] if len(texts) > _MOST else []))


def _publisher(publisher: Publisher) -> PublisherReport:
    return PublisherReport(
        workflow=sanitize(publisher.workflow, _LONGEST),
        job=sanitize(publisher.job_name, _LONGEST),
        how=sanitize(publisher.how, _LONGEST),
        starts=_bound(map(_say_start, publisher.starts)),
        environment=None if publisher.environment is None else sanitize(publisher.environment, _LONGEST),
        makes=publisher.makes,
    )


def _say_start(start: Start) -> str:
    words = {
        "tag": "tag",
        "release": "GitHub Release",
        "dispatch": "workflow_dispatch",
        "branch": "push to",
        "pull-request": "merged pull request",
        "schedule": "schedule",
        "workflow": "workflow_run",
    }[start.kind]
    filters = " ".join((*start.filters[:_SHOWN], *(["…"] if len(start.filters) > _SHOWN else [])))
    any_of_them = {"tag": "any", "branch": "any branch"}.get(start.kind, "")
    return f"{words} {filters or any_of_them}".rstrip() + ("" if start.surely else " (perhaps)")


def _say_workflow(release: Release, *, briefly: bool) -> str:
    target, process = release.target, release.target.process
    is_given = "workflow" in target.given
    said = []
    for publisher in map(_publisher, process.publishers[:_SHOWN]):
        runs = [f"job {publisher.job}: {publisher.how}"] * (not briefly and publisher.how != CONFIGURED)
        details = ["configured"] * is_given + runs
        if publisher.environment and not briefly:
            given = f"channels.{target.channel.name}.environment" in target.given
            details.append(f"environment {publisher.environment}" + " (configured)" * given)
        what = publisher.workflow + (f" ({', '.join(details)})" if details else "")
        starts = " or ".join(publisher.starts[:_SHOWN]) + " (configured)" * ("started-by" in target.given)
        said.append(f"{starts} starts {what}" if starts else f"{what}, started by what is not known")
    if len(process.publishers) > _SHOWN:
        said.append(f"{len(process.publishers) - _SHOWN} more jobs publish")
    if said:
        return ", ".join(said)
    if is_given:
        unseen = ", not seen to publish" if target.workflow and release.snapshot.workflow_files.is_known else ""
        return f"{f'workflow {target.workflow}' if target.workflow else 'no workflow'} (configured){unseen}"
    if not release.snapshot.workflow_files.is_known:
        return "which workflow publishes is not known: its files were not read"
    candidates = ", ".join(_bound(process.candidates[:_SHOWN]))
    return "no workflow is seen to publish" + (f" ({candidates})" if candidates else "")


def _say_tags(release: Release) -> str:
    target = release.target
    is_found = any(line.startswith("tags: ") for line in target.process.evidence)
    origin = " (configured)" if "tag-template" in target.given else "" if is_found else " (default)"
    own = f", this version's {target.process.tag}" if target.process.tag else ""
    makes = f"; a run makes {', '.join(target.makes) or 'none of them'} (configured)" * ("makes" in target.given)
    return f"tags {target.tag_template}{origin}{own}{makes}"


def _say_leaves(release: Release) -> str:
    target = release.target
    words = f"leaves {', '.join(target.channel.leaves) or 'nothing on GitHub'}"
    if f"channels.{target.channel.name}.leaves" in target.given:
        return f"{words} (configured)"
    unsure = [trace for trace, _ in target.process.unsure if trace in target.channel.leaves]
    return f"{words} (not known: {', '.join(unsure)})" if unsure else words
