"""Finds the commit that a version was published from: compares the files of its sdist with the trees of commits.

Without an sdist, the files that its wheel installs are compared, which are fewer: no tests, no changelog.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import structs

from release_state.model.observation import Observation, known
from release_state.model.snapshot import Branch, IndexFile, Published, Tag
from release_state.model.target import Channel, Target
from release_state.observe.git.command import GitFailed
from release_state.observe.git.commits import BranchHistory
from release_state.observe.git.store import WantedCommit
from release_state.observe.http.client import HttpClient, LookupFailed
from release_state.observe.index.access import Index, Provenance, observe_provenance
from release_state.observe.index.index import observe_index
from release_state.observe.published.built import Files
from release_state.observe.published.candidates import CommitRef, find_ref_commits
from release_state.observe.published.comparison import Comparison
from release_state.observe.published.contents import has_source
from release_state.observe.published.files import MOST_OF_SDIST, Refused, read_sdist, read_wheel

SOURCE = "published commit"


def observe_published(
    client: HttpClient,
    channel: Channel,
    target: Target,
    files: Sequence[IndexFile],
    history: BranchHistory,
    *,
    looks_on_base: bool = False,
    downloaded: dict[str, bytes] | None = None,
    tagged: Tag | None = None,
) -> Observation[Published]:
    """Compare the version's sdist with the commits that it may have been built from.

    One request for the sdist (else a wheel), and one for its provenance if it has one. The base's history and the heads
    of pull requests are compared only if the tag does not match; with `looks_on_base` the base's history in any case.
    A commit that cannot be fetched is no candidate. Provenance is not verified. `downloaded` keeps the compared
    file, by its address. With `tagged`, that tag alone is compared. Known and None: no files. Sources: PEP 517,
    PEP 625, PEP 740.
    """
    if not files:
        return Observation(value=None, unavailable=None)
    try:
        base = Branch(name=history.branch, sha=history.head)
        git = history.stores.git()
        refs = find_ref_commits(target, history.remote, history.clone)
        if not history.fetches:  # else the file would be downloaded in vain
            history.read(lambda store, found: None, [WantedCommit(ref.sha, ref.ref) for ref in refs], git=git)
        index = Index(client, channel, git.deadline)
        chosen, sha256 = _choose_file(files), len(base.sha) == 64
        attested = next((file for file in ([chosen] if chosen else files) if file.provenance_url), None)
        provenance = observe_provenance(index, attested) if attested else Provenance()
        published = Published(
            sdist=None, provenance_commit=provenance.commit, provenance_repository=provenance.repository
        )
        content = Files()
        if chosen:
            content = _download(index, chosen, sha256=sha256, deadline=git.deadline, downloaded=downloaded)
        if chosen is None or not content:
            return known(published)
        if provenance.commit:
            refs.append(CommitRef(provenance.commit, None, "the commit that the attestation names (not verified)"))
        if tagged:
            refs = [CommitRef(tagged.commit, f"refs/tags/{tagged.name}", f"the tag {tagged.name}")]
        remote = None if tagged else history.remote
        comparison = Comparison(git, history.stores.url, target, base, content, refs, remote, looks_on_base)
        candidates = history.read(comparison.find_candidates, [WantedCommit(r.sha, r.ref) for r in refs], git=git)
        file = {"sdist" if chosen.kind == "sdist" else "wheel": chosen.filename}
        is_bare = chosen.kind == "sdist" and not has_source(content, target.name)
        update = {**file, "is_bare": is_bare, "compared": len(content), **candidates}
        return known(structs.replace(published, **update))
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
    except GitFailed as failed:
        return Observation(value=None, unavailable=failed.as_problem(SOURCE))


def observe_instead(
    client: HttpClient, channel: Channel, target: Target, version: str, tag: Tag, history: BranchHistory
) -> Observation[Published]:
    """Compare the files of another version with the commit of the target's tag, which declares that version.

    Two requests: the index's page, and the sdist. Known and None: the version has no files.
    """
    other = structs.replace(target, version=version, process=structs.replace(target.process, tag=None))
    project = observe_index(client, channel, target.package, version)
    if project.value is None:
        return Observation(value=None, unavailable=project.unavailable)
    found = observe_published(client, channel, other, project.value.files, history, tagged=tag)
    return known(structs.replace(found.value, version=version)) if found.value else found


def _choose_file(files: Sequence[IndexFile]) -> IndexFile | None:
    """The version's sdist (of several, the one in the format of PEP 625), or else a wheel: a pure one, or the smallest.

    A wheel with compiled files has few others.
    """
    sdists = [file for file in files if file.kind == "sdist"]
    wheels = [file for file in files if file.kind == "wheel"]
    if sdists:
        return min(sdists, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename))
    return min(wheels, key=lambda f: (not f.filename.endswith("-any.whl"), f.size or 0, f.filename), default=None)


def _download(
    index: Index, file: IndexFile, *, sha256: bool, deadline: float, downloaded: dict[str, bytes] | None
) -> Files:
    """Download an sdist or a wheel and list its files; none of a wheel with compiled files alone."""
    name = file.filename
    if file.size is not None and file.size > MOST_OF_SDIST:
        raise index.failure(f"{name} has {file.size:,} bytes; more than {MOST_OF_SDIST >> 20} MiB are not compared")
    held = downloaded.get(file.url) if downloaded is not None else None
    content = index.download(file, MOST_OF_SDIST) if held is None else held
    if file.sha256 and hashlib.sha256(content).hexdigest() != file.sha256:
        raise index.failure(f"{name} was downloaded, but is not the file that the index lists: its hash differs")
    if downloaded is not None:
        downloaded[file.url] = content
    try:
        if file.kind == "wheel":
            return read_wheel(content, sha256=sha256, deadline=deadline)
        files = read_sdist(name, content, sha256=sha256, deadline=deadline)
    except Refused as refused:
        raise index.failure(f"{name} is not compared: {refused}") from None
    if not files:
        raise index.failure(f"{name} contains no file to compare")
    return files
