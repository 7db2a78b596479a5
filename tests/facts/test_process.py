"""How a project releases: from its tags, its workflow files and its earlier releases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from packaging.version import Version

from release_state.facts.process import explain_unknown, makes_releases, require_workflows, resolve
from release_state.facts.publishers import find_started, is_release_run, list_run_filters
from release_state.facts.release import Release
from release_state.facts.spelling import find_tag_spelling
from release_state.model.observation import NotObserved, Observation, known, unavailable
from release_state.model.snapshot import Branch, GitHubRelease, Remote, Snapshot, Tag, WorkflowFile, WorkflowFiles
from release_state.model.target import Target
from release_state.plan.steps.publication import run_workflow
from tests.support.hostile import OBEYED
from tests.support.states import BASE, NOW, run
from tests.support.states import branch as make_branch
from tests.support.states import remote as make_remote
from tests.support.states import tag as make_tag
from tests.support.states import target as make_target

FAILED: Observation[Any] = unavailable("GitHub", "no answer")
FOLDER = ".github/workflows"
ON_TAG = "on: {push: {tags: ['v*']}}\njobs: {up: {steps: [{run: uv publish}]}}\n"
ON_RELEASE = "on: {release: {types: [published]}}\njobs: {up: {steps: [{run: uv publish}]}}\n"
UPLOAD_EXTRA = ON_TAG.replace("uv publish", "uv publish dist/orbit_demo_extra-*.whl dist/orbit_demo_extra-*.tar.gz")
OLD_JOB = (
    "on: {push: {branches: [main]}}\njobs:\n  up:\n    if: contains(github.ref, 'refs/tags/')\n"
    "    steps: [{run: tox -e release, env: {TWINE_PASSWORD: x}}]\n"
)
OF_ANOTHER = ON_RELEASE.replace("{up: {", "{up: {if: \"startsWith(github.event.release.tag_name, 'mars-v')\", ")
DOCTOR = (
    "on: {push: {branches: [main]}}\njobs: {a: {steps: [{run: bash bin/check-environment, env: {PYPI_TOKEN: x}}]}}\n"
)
DOCTOR = DOCTOR.replace(": x}", ": '${{ secrets.PYPI_TOKEN }}'}")
PREVIEW = DOCTOR.replace("bin/check-environment", "bin/upload").replace("PYPI_TOKEN: '", "HF_TOKEN: '")
CI = "on: [push, pull_request]\njobs: {test: {steps: [{run: pytest}]}}\n"


def tags(*names: str, commits: str = "") -> tuple[Tag, ...]:
    """Tags of these names, each on a commit of its own, or of the letters given."""
    letters = commits or "abcdef0123456789"
    return tuple(
        Tag(name=name, object=letters[at] * 40, commit=letters[at] * 40, annotated=False)
        for at, name in enumerate(names)
    )


def target(version: str = "0.3.0", *given: str, package: str = "orbit-demo", **changes: Any) -> Target:
    """A target whose configuration says nothing but `given`."""
    return make_target(version=version, package=package, given=given, **changes)


@pytest.mark.parametrize(
    ("names", "published", "version", "template", "tag"),
    [
        (["v0.1.0", "v0.2.0"], "0.1.0 0.2.0", "0.3.0", "v{version}", None),
        (["0.1.0", "0.2.0"], "0.1.0 0.2.0", "0.3.0", "{version}", None),
        (["0.1.0", "0.2.0"], "", "0.3.0", "{version}", None),
        (["v0.1.0", "0.2.0"], "0.1.0 0.2.0", "0.3.0", "{version}", None),
        (["v2026.01.09"], "2026.1.9", "2026.1.9", "v{version}", "v2026.01.09"),
        (["2026.01.09", "2026.02.01"], "2026.1.9 2026.2.1", "2026.2.1", "{version}", "2026.02.01"),
        (["v0.1.0", "v0.2.0-post1"], "0.1.0 0.2.0.post1", "0.2.0.post1", "v{version}", "v0.2.0-post1"),
        (["rel_0_1_0", "rel_0_2_0b1"], "0.1.0 0.2.0b1", "0.3.0", "rel_{underscored}", None),
        (["v.1.7.10", "v.1.7.11"], "1.7.10 1.7.11", "1.7.12", "v.{version}", None),
        (["py-0.1.0", "py-0.2.0", "rs-9.0.0"], "0.1.0 0.2.0", "0.3.0", "py-{version}", None),
        (["v1.0.0-rc.1", "v0.9.0"], "1.0.0rc1 0.9.0", "1.1.0", "v{semver}", None),
        (["orbit-demo-v0.1.0", "other-v0.9.0", "v5.0.0"], "0.1.0", "0.2.0", "{package}-v{version}", None),
        (["other-v0.1.0"], "", "0.2.0", "v{version}", None),
        (["rel_0_1_0", "latest"], "0.1.0", "0.3.0", "rel_{underscored}", None),
        (["x{y}_0_1_0", "x}0.1.0"], "0.1.0", "0.3.0", "v{version}", None),
        ([], "", "0.1.0", "v{version}", None),
        (["v9", "v8.1.0"], "8.1.0", "9.0.0", "v{version}", None),
        (["v0.1.0", "0.2.0"], "0.1.0", "0.2.0", "v{version}", None),
        (["v0.1.0", "0.2.0"], "0.1.0 0.2.0", "0.2.0", "v{version}", "0.2.0"),
        (["orbit-demo-0.1", "1.0", "1.1", "1.2"], "0.1 1.0 1.1 1.2", "1.3", "{version}", None),
        (["orbit-demo-0.1", "1.0", "1.1"], "0.1 1.0 1.1", "1.3", "{package}-{version}", None),
        (["orbit-demo-0.1", "1.0", "1.1", "1.2"], "0.1 1.1 1.2", "1.3", "{package}-{version}", None),
        (["orbit-demo-v0.1.0", "v0.2.0", "v0.9.0"], "0.1.0 0.2.0", "0.3.0", "{package}-v{version}", None),
        (["python-v0.1.0", "rust-v0.9.0"], "0.1.0", "0.2.0", "python-v{version}", None),
        (
            ["py-orbit-demo-x-v0.1.0", "py-orbit-demo-x-v0.2.0", "py-orbit_demo-v0.2.0"],
            "0.1.0 0.2.0",
            "0.3.0",
            "py-orbit_demo-v{version}",
            None,
        ),
    ],
)
def test_the_spelling_of_tags(names: list[str], published: str, version: str, template: str, tag: str | None) -> None:
    found = find_tag_spelling(target(version), tags(*names), set(map(Version, published.split())))
    assert (found.template, found.tag) == (template, tag)


def test_a_configured_template_stays_and_takes_its_own_spellings_alone() -> None:
    given = target("0.2.0", "tag-template")
    assert find_tag_spelling(given, tags("0.1.0", "0.2.0"), {Version("0.1.0")}).tag is None
    padded = find_tag_spelling(target("2026.1.9", "tag-template"), tags("v2026.01.09"), set())
    assert (padded.template, padded.tag) == ("v{version}", "v2026.01.09")


def test_tags_of_one_version_on_two_commits_are_none() -> None:
    both = tags("0.1.0", "0.2.0", "v0.1.0", "0.2", commits="abac")
    assert find_tag_spelling(target("0.2.0"), both, {Version("0.1.0")}).tag is None
    apart = tags("v0.1.0", "v0.2.0-post1", "0.2.0.post1", commits="abc")
    assert find_tag_spelling(target("0.2.0.post1"), apart, {Version("0.1.0")}).tag is None


def snapshot(texts: dict[str, str], about: Target | None = None, **changes: Any) -> Snapshot:
    """What was observed of a project with these workflow files and two earlier versions."""
    files = tuple(WorkflowFile(path=f"{FOLDER}/{name}", text=text) for name, text in texts.items())
    values: dict[str, Any] = {
        "remote": known(
            Remote(
                url="file:///x",
                default_branch="main",
                branches=(Branch(name="main", sha=BASE),),
                tags=tags("v0.1.0", "v0.2.0"),
            )
        ),
        "workflow_files": known(WorkflowFiles(commit=BASE, branch="main", files=files)),
        "earlier_pulls": {"release/pypi-v0.2.0": known(())},
        "earlier_releases": {"v0.2.0": known(None), "v0.1.0": known(None)},
        "latest_release": known(None),
        "release": known(None),
        "pulls": known(()),
    }
    base = Snapshot(observed_at=NOW, target=about or target(), phase="pre-release", phase_reason="")
    return structs.replace(base, **values | changes)


def test_the_workflow_that_publishes_is_found_by_what_it_does() -> None:
    found = resolve(snapshot({"ci.yml": CI, "ship.yml": ON_TAG, "release.yml": CI}))
    assert found.target.workflow == "ship.yml" and found.target.workflows == ("ship.yml",)
    assert found.workflow_files.present().path == f"{FOLDER}/ship.yml"
    assert [start.kind for start in found.target.process.starts] == ["tag"]
    assert any("ship.yml" in line and "a pushed tag (v*)" in line for line in found.target.process.evidence)


def test_every_workflow_that_publishes_is_watched_and_a_sibling_packages_is_not() -> None:
    other = ON_TAG.replace("'v*'", "'other-v*'")
    found = resolve(snapshot({"a.yml": ON_TAG, "b.yml": ON_RELEASE, "other.yml": other}))
    assert found.target.workflows == ("a.yml", "b.yml")


def test_the_workflow_at_the_versions_tag_is_watched_too() -> None:
    def found(texts: dict[str, str], at_tag: dict[str, str]) -> list[tuple[str, str]]:
        before, after = (snapshot(each).workflow_files.present() for each in (at_tag, texts))
        files = structs.replace(after, at_tag=before.files)
        process = resolve(snapshot(texts, workflow_files=known(files))).target.process
        return [(each.workflow, each.starts[0].kind) for each in process.publishers]

    assert found({"ship.yml": ON_TAG}, {"old.yml": ON_TAG}) == [("ship.yml", "tag"), ("old.yml", "tag")]
    assert found({"ship.yml": ON_RELEASE}, {"ship.yml": ON_TAG}) == [("ship.yml", "release"), ("ship.yml", "tag")]
    assert found({"ship.yml": ON_TAG}, {"ship.yml": f"# old\n{ON_TAG}"}) == [("ship.yml", "tag")]
    assert found({"ci.yml": CI}, {"old.yml": ON_TAG}) == [("old.yml", "tag")]
    guessed = ON_TAG.replace("uv publish", "make publish")
    assert found({"ship.yml": ON_TAG}, {"old.yml": guessed}) == [("ship.yml", "tag")]


def test_a_run_of_the_tag_is_of_the_publisher_that_the_tag_has() -> None:
    def found(texts: dict[str, str], at_tag: dict[str, str]) -> list[str]:
        before, after = (snapshot(each).workflow_files.present() for each in (at_tag, texts))
        files = structs.replace(after, at_tag=before.files)
        publishers = resolve(snapshot(texts, workflow_files=known(files))).target.process.publishers
        return [f"{each.workflow} {each.starts[0].kind}" for each in publishers if each.is_at_tag]

    assert found({"ship.yml": ON_RELEASE}, {"ship.yml": ON_TAG}) == ["ship.yml tag"]
    assert found({"ship.yml": ON_TAG}, {"ship.yml": f"# old\n{ON_TAG}"}) == ["ship.yml tag"]
    assert found({"a.yml": ON_TAG, "b.yml": ON_RELEASE}, {"a.yml": ON_TAG}) == ["a.yml tag"]
    assert found({"ship.yml": ON_TAG}, {"ci.yml": CI}) == [], "it came after the tag"
    before = snapshot({"ship.yml": ON_TAG}).workflow_files.present()
    files = structs.replace(before, at_tag=(), unread=())
    process = resolve(snapshot({"ship.yml": ON_TAG}, workflow_files=known(files))).target.process
    assert not any(each.is_at_tag for each in process.publishers), "the tag has no workflow at all"
    # What the tag's file does is not seen: the base branch's tells more than nothing.
    assert found({"ship.yml": ON_TAG}, {"ship.yml": CI}) == ["ship.yml tag"]
    assert found({"ship.yml": ON_TAG}, {"old.yml": ON_TAG.replace("uv publish", "make publish")}) == []


def test_a_project_without_a_known_upload_has_candidates_and_one_without_workflows_has_none() -> None:
    found = resolve(snapshot({"ci.yml": CI, "release.yml": CI}))
    assert found.target.workflow == "" and found.target.process.candidates == ("ci.yml", "release.yml")
    assert "ci.yml, release.yml" in explain_unknown(found.target).why
    nothing = resolve(snapshot({}))
    assert (nothing.target.workflow, nothing.target.process.candidates) == ("", ())
    assert "the base branch has no workflow files" in nothing.target.process.evidence
    seen = "no workflow file is seen to publish to pypi: ci.yml, release.yml"
    assert seen in found.target.process.evidence and seen not in nothing.target.process.evidence
    assert nothing.workflow_files.known() is None


def test_what_is_configured_is_not_replaced() -> None:
    given = target("0.3.0", "workflow", "tag-template", "channels.pypi.leaves", workflow="mine.yml")
    found = resolve(snapshot({"ship.yml": ON_TAG, "mine.yml": CI}, given)).target
    assert (found.workflow, found.tag_template, found.channel.leaves) == (
        "mine.yml",
        "v{version}",
        given.channel.leaves,
    )
    assert found.process.candidates == () and found.process.publishers == ()


def test_a_configured_start_replaces_what_the_workflow_file_says() -> None:
    both = "on: {push: {tags: ['v*']}, workflow_dispatch: }\njobs: {up: {steps: [{run: uv publish}]}}\n"

    def starts(text: str, *given: str, **changes: Any) -> list[tuple[str, tuple[str, ...], bool]]:
        (publisher,) = resolve(
            snapshot({"ship.yml": text}, target("0.3.0", *given, **changes))
        ).target.process.publishers
        return [(start.kind, start.filters, publisher.only_releases) for start in publisher.starts]

    assert starts(both) == [("tag", ("v*",), True), ("dispatch", (), True)]
    assert starts(both, "started-by", started_by=("tag",)) == [("tag", ("v*",), False)]
    assert starts(both, "started-by", started_by=("release",)) == [("release", (), False)]
    own = "on: {workflow_dispatch: }\njobs: {up: {steps: [{run: ./ship.sh}]}}\n"
    named: dict[str, Any] = {"workflow": "ship.yml", "started_by": ("dispatch",)}
    assert starts(own, "workflow", "started-by", **named) == [("dispatch", (), True)]


def test_the_environment_is_the_jobs_or_as_configured() -> None:
    def found(named: str, configured: str | None = None) -> tuple[str | None, str]:
        text = ON_TAG.replace("{steps", f"{{{named}steps")
        about = target("0.3.0")
        channel = structs.replace(about.channel, environment=configured)
        process = resolve(snapshot({"ship.yml": text}, structs.replace(about, channel=channel))).target.process
        return process.publishers[0].environment, next(line for line in process.evidence if "ship.yml" in line)

    said = "workflow: ship.yml, job up runs uv publish{}; started by a pushed tag (v*)"
    assert found("environment: live, ") == ("live", said.format(", environment live"))
    assert found("environment: {name: live, url: x}, ")[0] == "live"
    assert found("") == ("", said.format(""))
    assert found("environment: '${{ inputs.to }}', ") == (None, said.format("")), "a run chooses it"
    assert found('environment: "li\\u202eve", ')[0] is None, "GitHub would be asked about another"
    for named in ("", "environment: live, ", "environment: '${{ inputs.to }}', "):
        assert found(named, "mine") == ("mine", said.format(", environment mine"))
        assert found(named, "")[0] == ""


def test_what_a_run_makes_is_said_with_the_step_that_makes_it() -> None:
    text = "on: {push: {tags: ['v*']}}\njobs:\n  up: {steps: [{run: uv publish}]}\n"
    text += "  tell:\n    steps:\n      - {name: Draft, run: gh release create v1 --draft --verify-tag}\n"
    text += "      - {uses: peter-evans/create-pull-request@v7}\n"

    def made(*given: str) -> list[str]:
        found = resolve(snapshot({"ship.yml": text}, target("0.3.0", *given))).target.process.evidence
        return [line for line in found if line.startswith("makes: ")]

    assert made() == [
        "makes: draft, by ship.yml, job tell, step “Draft”",
        "makes: pull-request, by ship.yml, job tell, step 2",
    ]
    assert made("makes") == [], "what is configured was not found out"


def test_a_branch_that_a_run_pushes_is_said_with_its_step_and_the_base_branch_is_none() -> None:
    def found(script: str, *given: str, **changes: Any) -> tuple[tuple[str, ...], list[str]]:
        step = f"{{name: {json.dumps(OBEYED + 'Cut')}, run: {json.dumps(script)}}}"
        text = ON_TAG.replace("{run: uv publish}", f"{step}, {{run: uv publish}}")
        process = resolve(snapshot({"ship.yml": text}, target("0.3.0", *given, **changes))).target.process
        return process.publishers[0].makes, [line for line in process.evidence if line.startswith("makes: ")]

    made, [line] = found("git push origin HEAD:release/0.3")
    assert made == ("branch",) and line.startswith("makes: branch, by ship.yml, job up, step “")
    assert line.endswith("Cut”") and not set(OBEYED) & set(line)
    assert found("git push origin HEAD:main") == ((), [])
    assert found("git push origin HEAD:release/0.3", base_branch="release/0.3") == ((), [])
    # What is configured replaces it, in either direction.
    assert found("git push origin HEAD:release/0.3", "makes", makes=("tag",)) == (("tag",), [])
    assert found("git push origin HEAD:main", "makes", makes=("branch",)) == (("branch",), [])


def test_what_a_run_makes_is_as_configured() -> None:
    text = ON_TAG.replace("uv publish", "git tag v1 && uv publish")
    found = resolve(snapshot({"ship.yml": text})).target.process.publishers[0]
    assert (found.makes, found.tag_jobs) == (("tag",), ("up",))
    for makes, jobs in ((("release",), ()), (("tag", "draft"), ("up",)), ((), ())):
        given = resolve(snapshot({"ship.yml": text}, target("0.3.0", "makes", makes=makes))).target
        (publisher,) = given.process.publishers
        assert (publisher.makes, publisher.tag_jobs) == (makes, jobs)


def test_what_nobody_configured_of_an_unseen_upload_comes_from_its_file() -> None:
    text = (
        "on: workflow_dispatch\npermissions: {contents: write}\n"
        "jobs: {up: {steps: [{run: ./ship.sh}, {run: gh release create v1}]}}\n"
    )
    given: dict[str, Any] = {"workflow": "ship.yml", "started_by": ("dispatch",)}
    found = resolve(snapshot({"ship.yml": text}, target("0.3.0", "workflow", "started-by", **given))).target
    [publisher] = found.process.publishers
    assert "release" in publisher.makes and [start.kind for start in publisher.starts] == ["dispatch"]


def test_a_trace_that_no_earlier_release_left_and_no_workflow_makes_is_not_asked_for() -> None:
    assert resolve(snapshot({"ship.yml": ON_TAG})).target.channel.leaves == ("tag",)
    assert resolve(snapshot({"ship.yml": ON_RELEASE})).target.channel.leaves == ("tag", "release")
    made = ON_TAG.replace("[{run: uv publish}]", "[{run: uv publish}, {run: gh pr create}, {run: gh release create x}]")
    # What a tag starts opens its pull request when the release is made.
    assert resolve(snapshot({"ship.yml": made})).target.channel.leaves == ("tag", "release")
    by_hand = made.replace("{push: {tags: ['v*']}}", "workflow_dispatch")
    assert resolve(snapshot({"ship.yml": by_hand})).target.channel.leaves == target().channel.leaves


BY_HAND = ON_TAG.replace("{push: {tags: ['v*']}}", "workflow_dispatch")
SCHEDULED = ON_TAG.replace("{push: {tags: ['v*']}}", "{schedule: [{cron: 0 0 * * *}]}")
ALSO_BY_HAND = SCHEDULED.replace("}]}", "}], workflow_dispatch: {}}")
ASKING = ON_TAG.replace(
    "{push: {tags: ['v*']}}", "{workflow_dispatch: {inputs: {package: {type: choice, options: [%s]}}}}"
)


def test_a_nightly_workflow_is_watched_for_a_nightly_version() -> None:
    found = resolve(snapshot({"nightly.yml": SCHEDULED, "ship.yml": ON_TAG}, about=target("0.3.0.dev1")))
    assert found.target.workflows == ("nightly.yml", "ship.yml")


@pytest.mark.parametrize(
    ("files", "workflows"),
    [
        ({"a.yml": UPLOAD_EXTRA, "b.yml": UPLOAD_EXTRA.replace("_extra", "")}, ["b.yml"]),
        ({"a.yml": UPLOAD_EXTRA}, ["a.yml"]),
        ({"a.yml": ON_TAG, "b.yml": OLD_JOB}, ["a.yml"]),
        ({"a.yml": OF_ANOTHER, "b.yml": ON_RELEASE}, ["b.yml"]),
        ({"a.yml": DOCTOR, "b.yml": DOCTOR.replace("check-environment", "publish-package")}, ["b.yml"]),
        ({"a.yml": PREVIEW, "b.yml": ON_TAG.replace("run: uv publish", "uses: o/actions/publish-pypi@v1")}, ["b.yml"]),
        ({"a.yml": SCHEDULED, "b.yml": ON_TAG}, ["b.yml"]),
        ({"a.yml": SCHEDULED}, ["a.yml"]),
        ({"a.yml": SCHEDULED.replace("uv publish", "uv publish && git tag x"), "b.yml": ON_TAG}, ["a.yml", "b.yml"]),
        ({"a.yml": ALSO_BY_HAND, "b.yml": ON_TAG}, ["a.yml", "b.yml"]),
        ({"ship_dev.yml": BY_HAND, "ship.yml": BY_HAND}, ["ship.yml", "ship_dev.yml"]),
        ({"a.yml": ASKING % "other, more", "b.yml": BY_HAND}, ["b.yml"]),
        ({"a.yml": ASKING % "orbit, more", "b.yml": BY_HAND}, ["a.yml", "b.yml"]),
    ],
    ids=[
        "another package's files",
        "nobody else's",
        "a job that nothing starts",
        "another package's GitHub Release",
        "a check",
        "another service",
        "of nightly versions",
        "a schedule alone",
        "a schedule that makes the tag",
        "of nightly versions, or by hand of any",
        "of development versions by its name alone",
        "asks for another package",
        "asks for this package",
    ],
)
def test_what_only_looks_like_the_upload(files: dict[str, str], workflows: list[str]) -> None:
    assert list(resolve(snapshot(files)).target.workflows) == workflows


@pytest.mark.parametrize(
    "changes",
    [
        {
            "earlier_pulls": {"release/pypi-v0.2.0": FAILED},
            "earlier_releases": {"v0.2.0": FAILED, "v0.1.0": known(None)},
        },
        {"workflow_files": FAILED},
        {
            "workflow_files": known(
                WorkflowFiles(
                    commit=BASE,
                    branch="main",
                    files=(WorkflowFile(path=f"{FOLDER}/ship.yml", text=ON_TAG),),
                    unread=(f"{FOLDER}/large.yml",),
                )
            )
        },
    ],
)
def test_what_could_not_be_read_lowers_nothing(changes: dict[str, Any]) -> None:
    assert resolve(snapshot({"ship.yml": ON_TAG}, **changes)).target.channel.leaves == target().channel.leaves


def test_of_the_jobs_of_one_workflow_that_of_the_package_publishes_it() -> None:
    """Every tag starts the workflow; a condition says whose job uploads."""
    job = "{if: \"startsWith(github.ref, 'refs/tags/%s-v')\", steps: [{run: uv publish}]}"
    text = f"on: {{push: {{tags: ['*-v*']}}}}\njobs: {{up: {job % 'orbit-demo'}, other: {job % 'other'}}}\n"
    tags = [make_tag(f"{name}-v0.{number}.0") for name in ("orbit-demo", "other") for number in (1, 2)]
    found = resolve(snapshot({"ship.yml": text}, remote=make_remote(*tags))).target
    assert found.tag_template == "{package}-v{version}"
    assert [each.job_name for each in found.process.publishers] == ["up"]


def test_one_earlier_release_is_enough_to_ask_for_the_next() -> None:
    there = GitHubRelease(
        id=1, tag="v0.1.0", name="", draft=False, prerelease=False, html_url="x", created_at=NOW, has_notes=True
    )  # fmt: skip
    found = resolve(snapshot({"ship.yml": ON_TAG}, earlier_releases={"v0.2.0": known(None), "v0.1.0": known(there)}))
    assert "release" in found.target.channel.leaves


def test_runs_of_a_workflow_that_also_tests_count_by_what_starts_the_upload() -> None:
    guard = "if: github.ref_type == 'tag', "
    both = ON_TAG.replace("{push: {tags: ['v*']}}", "[push, pull_request]").replace("{steps", "{" + guard + "steps")
    found = resolve(snapshot({"all.yml": both}))
    about, remote = found.target, found.remote.value
    filters = list_run_filters(about, "all.yml", "main")
    assert filters[0] == {"event": "push", "branch": "v0.3.0"}
    unfinished = {each["status"] for each in filters[1:]}
    assert unfinished == {"in_progress", "queued", "waiting", "pending", "requested"}, "of any version"
    assert is_release_run(run(workflow="all.yml", event="push", head_branch="v0.3.0"), about, remote)
    assert not is_release_run(run(workflow="all.yml", event="push", head_branch="main"), about, remote)
    namesakes = make_remote(make_branch("v0.3.0"), make_tag("v0.3.0")).present()
    assert is_release_run(run(workflow="all.yml", event="push", head_branch="v0.3.0"), about, namesakes), (
        "tag or branch"
    )
    assert not is_release_run(run(workflow="all.yml", event="pull_request", head_branch="x"), about, remote)
    assert find_started(about, "tag") is not None and find_started(about, "release") is None
    alone = resolve(snapshot({"ship.yml": ON_TAG})).target
    assert list_run_filters(alone, "ship.yml", "main") == ({},)
    assert is_release_run(run(workflow="ship.yml", event="workflow_dispatch"), alone, remote)


LARGE = WorkflowFiles(commit=BASE, branch="main", unread=(f"{FOLDER}/large.yml",))


@pytest.mark.parametrize(
    ("files", "given", "are_known"),
    [
        ({"ship.yml": ON_TAG}, (), True),
        ({"ci.yml": CI}, (), False),
        ({}, (), True),
        (LARGE, (), False),
        (LARGE, ("workflow",), True),
        (None, (), False),
        (None, ("workflow",), True),
    ],
    ids=[
        "seen",
        "none is seen to publish",
        "there is none",
        "one unread",
        "configured",
        "unread",
        "unread, configured",
    ],
)
def test_which_workflows_publish_is_known(files: Any, given: tuple[str, ...], are_known: bool) -> None:
    about = target("0.3.0", *given, workflow="ship.yml" if given else "")
    observed = {} if isinstance(files, dict) else {"workflow_files": FAILED if files is None else known(files)}
    found = resolve(snapshot(files if isinstance(files, dict) else {}, about, **observed))
    if are_known:
        require_workflows(found.target, found.workflow_files)
    else:
        with pytest.raises(NotObserved):
            require_workflows(found.target, found.workflow_files)


def test_whether_a_workflow_makes_github_releases() -> None:
    def made(text: str) -> bool:
        found = resolve(snapshot({"ship.yml": text}))
        return makes_releases(found.target, found.workflow_files.value)

    assert made(ON_RELEASE) and made(ON_TAG.replace("uv publish", "uv publish && gh release create v1"))
    assert not made(ON_TAG) and not made(CI)
    with pytest.raises(NotObserved):
        made(CI.replace("pytest", "gh release create v1"))


def test_a_called_workflow_has_the_inputs_of_its_call() -> None:
    def kinds(index: str) -> list[str]:
        call = f"jobs: {{call: {{uses: ./.github/workflows/up.yml, with: {{index: {index}}}}}}}\n"
        texts = {
            "ship.yml": "on: {push: {tags: ['v*']}, workflow_dispatch: {}}\n" + call,
            "up.yml": "on: {workflow_call: {inputs: {index: {type: string}}}}\n"
            "jobs: {up: {if: \"inputs.index == 'pypi'\", steps: [{run: uv publish}]}}\n",
        }
        return [start.kind for start in resolve(snapshot(texts)).target.process.starts]

    assert kinds("pypi") == ["tag", "dispatch"]
    assert kinds("other") == []


def test_why_there_is_no_workflow_to_start() -> None:
    def why(texts: dict[str, str], **changes: Any) -> str:
        return run_workflow(Release(resolve(snapshot(texts, **changes)))).reason

    assert why({}, workflow_files=FAILED) == "no answer"
    assert why({"ci.yml": CI}).startswith("no workflow file is seen to publish to pypi: ci.yml")
    assert why({}) == "the project has no release workflow"
