"""What no plan may do, whatever state it leads out of: destroy what cannot be had again, or rest on what is unknown."""

from __future__ import annotations

import re

from packaging.version import Version

from release_state.facts.release import Release
from release_state.model.plan import Plan, Step
from release_state.model.snapshot import Snapshot
from release_state.model.target import Channel, Trace
from tests.support import states as s


def commands(steps: tuple[Step, ...]) -> list[tuple[str, ...]]:
    """Every command of the steps."""
    return [command for step in steps for command in step.commands]


def pushed_away(command: tuple[str, ...]) -> str | None:
    """The ref of the remote that a command deletes."""
    if command[:2] != ("git", "push"):
        return None
    return next((word[1:] for word in command if word.startswith(":refs/")), None)


def is_published(snapshot: Snapshot) -> bool:
    """Whether the index is known to have a file of the version, be it one that its Simple API does not list yet."""
    found = snapshot.index[snapshot.target.channel.name].value
    return found is not None and bool(found.files or found.catching_up)


def assert_nothing_is_lost(snapshot: Snapshot, plan: Plan, described: str) -> None:
    """No step destroys what cannot be had again, and none rests on what was not observed."""
    published = is_published(snapshot)
    closed: set[str] = set()
    gone: set[str] = set()
    undecided = False
    for step in plan.steps:
        undecided |= step.undecided is not None
        for command in step.commands:
            line = " ".join(command)
            filled = "{" not in line or command[0] == "release-state"  # which takes templates as they are
            assert "None" not in command and filled, f"{described}: {line}"
            pushes = command[0] == "git" and "push" in command[1:4]
            assert not pushes or "--no-follow-tags" in command, f"{described}: may push tags that nobody named: {line}"
            # All or none, so that the command destroys nothing where somebody types it alone.
            kept = [word for word in command if "--atomic" in command and not word.startswith((":", "--"))]
            if command[:3] == ("gh", "pr", "close"):
                closed.add(command[3])
                if any(str(pull.number) == command[3] for pull in snapshot.pulls.value or ()):
                    assert_nobody_rests(snapshot, "pull-request", f"{described}: {line}")
            ref = pushed_away(command)
            local = _changed_local_tag(command)
            deletes = ref is not None or "DELETE" in command or local is not None
            moves = "--force" in command or any(word.startswith("+refs/tags/") for word in command)
            assert not (deletes or moves) or step.destroys, f"{described}: not marked as destroying: {line}"
            if local:
                aside = any("update-ref" in each and each[-2:] == local for each in step.commands)
                assert aside, f"{described}: a tag of the clone is lost: {line}"
            if ref is not None:
                assert step.precondition, described
                assert any(word.startswith("--force-with-lease=") for word in command), f"{described}: {line}"
                assert_deletable(snapshot, ref, kept, closed, described)
                gone.add(ref.removeprefix("refs/tags/"))
            if command[3:5] == ("tag", "--delete"):
                assert_nobody_rests(snapshot, "tag", f"{described}: {line}")
            if moved := _moved_tag(command):
                assert_nobody_rests(snapshot, "tag", f"{described}: {line}")
                assert_movable(snapshot, moved, kept, described)
            if "workflow" in command:
                assert not undecided, f"{described}: {line}"
                left = {tag.name for tag in Release(snapshot).version_tags} - gone
                assert not published and not left, f"{described}: {line}"
            if "DELETE" in command:
                assert_at_rest(snapshot, described)
                assert_nobody_rests(snapshot, "release", f"{described}: {line}")
            if "DELETE" in command and step.mends == "release":  # a draft is never immutable
                assert snapshot.release.is_known, described
                found = snapshot.release.value
                assert not (found and found.immutable is not False), described


def _changed_local_tag(command: tuple[str, ...]) -> tuple[str, str] | None:
    """The ref that keeps the tag of the clone which a command deletes or moves, and its object."""
    if command[3:4] != ("update-ref",) or not any(word.startswith("refs/tags/") for word in command):
        return None
    name = next(word for word in command if word.startswith("refs/tags/")).removeprefix("refs/tags/")
    return f"refs/backup/tags/{name.replace('/', '-')}-{command[-1][:7]}", command[-1]


def _moved_tag(command: tuple[str, ...]) -> str | None:
    """The tag of the remote that a command moves."""
    leased = next((word for word in command if word.startswith("--force-with-lease=refs/tags/")), None)
    return command[-1] if leased and command[:2] == ("git", "push") and command[-1].startswith("refs/tags/") else None


def assert_deletable(snapshot: Snapshot, ref: str, kept: list[str], closed: set[str], described: str) -> None:
    """A ref of the remote may go: nothing rests on it, nobody uses it, and what it alone holds is kept."""
    assert_at_rest(snapshot, described)
    if ref.startswith("refs/tags/"):
        assert snapshot.index[snapshot.target.channel.name].is_known, described
        assert not is_published(snapshot), f"{described}: the tag of a published version"
        assert_not_held(snapshot, described)
        assert_nobody_rests(snapshot, "tag", f"{described}: {ref}")
        tag = snapshot.remote.present().tag(ref.removeprefix("refs/tags/"))
        backup = re.compile(rf"{tag.object if tag else ''}:refs/backup/tags/.+")
        assert any(map(backup.fullmatch, kept)), f"{described}: the tag is lost"
        return
    name = ref.removeprefix("refs/heads/")
    own = name == snapshot.target.release_branch
    asked = snapshot.pulls if own else snapshot.branch_pulls[name]
    assert snapshot.open_pulls.is_known and asked.is_known, f"{described}: pull requests not known"
    still_open = [pull for pull in snapshot.open_pulls.present() if str(pull.number) not in closed]
    used = [pull for pull in still_open if name in (pull.head_branch, pull.base_branch)]
    assert not used, f"{described}: an open pull request needs it"
    branch = snapshot.remote.present().branch(name)
    assert branch
    if branch.sha == s.BASE:
        return  # the very head of the base branch: it holds nothing else
    lineage = snapshot.history.present().lineage(branch.sha)
    merged = any(pull.merged and pull.head_sha == branch.sha for pull in asked.present())
    if lineage.ahead and not any(pull.merged for pull in asked.present()):
        assert_nobody_rests_on_branch(snapshot, name, f"{described}: {name}")
    if lineage.ahead and not merged:
        assert any(word.startswith(f"{branch.sha}:refs/heads/") for word in kept), f"{described}: commits are lost"


def has_published(snapshot: Snapshot, channel: Channel, version: Version, described: str) -> bool:
    """Whether a channel's index is known to have a version; that it does not has to be known as well."""
    observed = snapshot.index.get(channel.name)
    assert observed is not None and observed.is_known, f"{described}: {channel.name} may rest on it"
    page = observed.present()
    assert page.releases or page.status != "quarantined", f"{described}: {channel.name} is quarantined"
    own = version == snapshot.target.parsed_version and bool(page.files or page.catching_up)
    return own or any(Version(found.version) == version for found in page.releases)


def assert_nobody_rests(snapshot: Snapshot, trace: Trace, described: str) -> None:
    """No other channel that leaves such a trace is published, which is known; a template can make it one's own."""
    target = snapshot.target
    if trace == "pull-request" and "{channel}" in target.branch_template:
        return
    for channel in target.channels:
        if channel.name != target.channel.name and trace in channel.leaves:
            rests = has_published(snapshot, channel, target.parsed_version, described)
            assert not rests, f"{described}: {channel.name} rests on it"


def assert_nobody_rests_on_branch(snapshot: Snapshot, name: str, described: str) -> None:
    """No published version waits for its pull request from a release branch: that of the branch's channel, or any."""
    target = snapshot.target
    parsed = target.parse_release_branch(name)
    assert parsed, described
    own = parsed.channel == target.channel.name and Version(parsed.version) == target.parsed_version
    for channel in target.channels:
        named = channel.name == parsed.channel
        if "pull-request" not in channel.leaves or ("{channel}" in target.branch_template and not named):
            continue
        if not (own and channel.name == target.channel.name):
            rests = has_published(snapshot, channel, Version(parsed.version), described)
            assert not rests, f"{described}: {channel.name} rests on it"


def assert_movable(snapshot: Snapshot, ref: str, kept: list[str], described: str) -> None:
    """A tag may move: its version is published from another commit, what it was is kept, and nothing holds it."""
    tag = snapshot.remote.present().tag(ref.removeprefix("refs/tags/"))
    assert tag and is_published(snapshot) and snapshot.published.is_known, described
    assert any(word.startswith(f"{tag.object}:refs/backup/tags/") for word in kept), f"{described}: the tag is lost"
    assert_at_rest(snapshot, described)
    assert_not_held(snapshot, described)


def assert_at_rest(snapshot: Snapshot, described: str) -> None:
    """No run of the release workflow is at work, which is known."""
    assert snapshot.runs.is_known, f"{described}: a run may be making it"
    assert all(run.is_finished for run in snapshot.runs.present().runs), described


def assert_not_held(snapshot: Snapshot, described: str) -> None:
    """No GitHub Release holds the tag for ever, as far as is known; and the channel has tags at all."""
    assert snapshot.release.is_known, f"{described}: a release may rest on the tag"
    assert not (snapshot.release.value and snapshot.release.value.immutable is not False), described
    assert "tag" in snapshot.target.channel.leaves, f"{described}: not this channel's tag"
