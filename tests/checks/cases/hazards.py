"""Workflow files that never start, start twice, fail half-way or publish too much; and those that look like it."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from release_state.model.observation import Observation, known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Environment, RefPattern, Snapshot
from release_state.model.snapshot.runs import WorkflowState
from tests.support import states as s
from tests.support import workflows as w

HOLDS, ACTION, UNKNOWN = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN
NONE = Outcome.NOT_APPLICABLE
SILENT = s.ready(workflow_files=s.failed("git"))
PUBLISH = f"uses: pypa/gh-action-pypi-publish@{w.SHA}"


def ship(on: str, *steps: str, job: str = "", before: str = "", **others: str) -> Snapshot:
    """A ready state whose release workflow has one job with these steps, and perhaps another before it."""
    lines = "".join(f"      - {step}\n" for step in steps or (PUBLISH,))
    text = f"on: {on}\njobs:\n{before}  ship:\n    runs-on: ubuntu-latest\n{job}    steps:\n{lines}"
    return s.ready(workflow_files=w.observed(text, unread=(), **others))


TAGS, RELEASED = "{push: {tags: ['v*']}}", "{release: {types: [published]}}"
WHEELS = "  wheels:\n    steps: [{run: make}]\n"
KEEPS = f"uses: actions/checkout@{w.SHA}"
DROPS = f"{{{KEEPS}, with: {{persist-credentials: false}}}}"
TESTS = f"{{{PUBLISH}, with: {{repository-url: 'https://test.pypi.example/legacy/'}}}}"
TAGGER = "on: workflow_dispatch\npermissions: {contents: write}\njobs: {t: {steps: [{run: gh release create v1}]}}\n"
OWN = TAGGER.replace("run: gh", "env: {GH_TOKEN: '${{ secrets.PAT }}'}, run: gh")


def artifact(name: str, version: str = "v4") -> str:
    """A step that uploads an artifact."""
    return f"{{uses: actions/upload-artifact@{version}, with: {{name: {name}, path: dist}}}}"


def fetched(version: str, more: str = "") -> str:
    """A step that downloads that artifact."""
    return f"{{uses: actions/download-artifact@{version}, with: {{name: dist{more}}}}}"


PINNED = f"{{uses: actions/download-artifact@{w.SHA}, with: {{name: dist}}}}"
SAYS = f"uses: actions/download-artifact@{w.SHA}  # v4.1.8\n        with: {{name: dist}}"
OF_A_RUN = fetched("v4", ", run-id: 7")
MATRIX = "    strategy: {matrix: {os: [a, b]}}\n"

BY_INPUT = "{workflow_dispatch: {inputs: {index: {}}}}"
IF_INPUT = TESTS.replace("{uses", "{if: \"inputs.index == 'test'\", uses", 1)
BY_HAND_OR_TAG = "{push: {tags: ['v*']}, workflow_dispatch: {}}"
IF_TAG = f"{{{PUBLISH}, if: \"startsWith(github.ref, 'refs/tags/')\"}}"
BOTH = "{push: {tags: ['v*']}, release: {types: [published]}}"
BY_VERSION = "{workflow_dispatch: {inputs: {version: {}}}}"
STAMPED = (
    'run: "B=docs-$(date +%s)\\ngit checkout -b \\"$B\\"\\ngit push origin \\"$B\\"\\ngh pr create --head \\"$B\\""'
)
PUSHES = "{run: git push origin $VERSION, env: {VERSION: '${{ inputs.version }}'}}"
OFF_MAIN = "${{ github.ref != 'refs/heads/main' }}"
NOTES = TAGGER.replace("workflow_dispatch", TAGS).replace(
    "run: gh release create v1", "uses: softprops/action-gh-release@v2"
)
OF_THE_TAG = NOTES.replace(TAGS, "{push: {tags: ['v*']}, workflow_dispatch: {}}")


MONTHLY = 'run: "VERSION=$(date +%Y.%m)\\ngit tag \\"$VERSION\\"\\ngit push origin \\"$VERSION\\""'
ALONG = STAMPED.replace("git push origin", "git push origin main")
CANCELLED = (
    "  tag:\n    concurrency: {group: release, cancel-in-progress: true}\n    steps: [{run: git push origin main}]\n"
)
ANYWHERE = f"{{{PUBLISH}, with: {{repository-url: '${{{{ vars.INDEX }}}}'}}}}"
NIGHTLY = TAGGER.replace("workflow_dispatch", "{schedule: [{cron: '0 1 * * *'}]}")
OLD_ONE = f"uses: actions/upload-artifact@{w.SHA}  # v3.1.3\n        with: {{name: dist}}"


def cancels(group: str, on: str, when: str = "true") -> Snapshot:
    """A ready state whose workflow uploads, with a group in which a newer run cancels the older."""
    block = f'concurrency: {{group: "{group}", cancel-in-progress: "{when}"}}'
    text = f"on: {on}\n{block}\njobs: {{ship: {{steps: [{{{PUBLISH}}}]}}}}\n"
    return s.ready(workflow_files=w.observed(text))


SKIPPED = (
    "  changes:\n    if: github.event_name == 'pull_request'\n    steps: [{run: make}]\n"
    "  check:\n    needs: changes\n    if: always()\n    steps: [{run: make}]\n"
)
AFTER = "    needs: check\n"
ON_TAG = "    if: startsWith(github.ref, 'refs/tags/')\n"
UNLESS = "    if: ${{ !cancelled() && needs.check.result == 'success' }}\n"
PULL_OR_TAG = "{pull_request: {}, push: {tags: ['v*']}}"

CALLED, IF_GIVEN = "{push: {branches: [main]}, workflow_call: {inputs: {tag: {}}}}", "    if: inputs.tag != ''\n"
CALLER = f"on: {TAGS}\njobs: {{p: {{uses: ./.github/workflows/release.yml, with: {{tag: v1}}}}}}\n"


def on_systems(*systems: str, step: str = PUBLISH) -> Snapshot:
    """A ready state whose upload has a matrix of these runners."""
    job = f"    strategy: {{matrix: {{os: [{', '.join(systems)}]}}}}\n    runs-on: ${{{{ matrix.os }}}}\n"
    text = f"on: {TAGS}\njobs:\n  ship:\n{job}    steps: [{{{step}}}]\n"
    return s.ready(workflow_files=w.observed(text, unread=()))


def switched(on: str, state: str) -> Snapshot:
    """A ready state whose release workflow is in this state."""
    return structs.replace(ship(on), workflow_states=known((WorkflowState(file="release.yml", state=state),)))


IN_ROOM = "    environment: pypi\n"
BY_HAND = "{workflow_dispatch: {}}"
PROTECTED = known((Environment(name="pypi", admits="protected"),))


def room(on: str, *admitted: str, job: str = IN_ROOM, **changes: Any) -> Snapshot:
    """A ready state whose upload has an environment that these `kind pattern`s may deploy to."""
    patterns = tuple(
        RefPattern(kind=kind, pattern=pattern) for kind, _, pattern in (e.partition(" ") for e in admitted)
    )
    environment = Environment(name="pypi", admits="selected", patterns=patterns)
    return structs.replace(ship(on, job=job), **{"environments": known((environment,)), **changes})


def base(*, protected: bool) -> Observation[Any]:
    """The base branch, with protection or without."""
    return known(structs.replace(s.base_rules().present(), protected=protected))


TWO_ROOMS = structs.replace(
    ship(TAGS, job=IN_ROOM, before=f"  first:\n    environment: live\n    steps: [{{{PUBLISH}}}]\n"),
    environments=known((*PROTECTED.present(), Environment(name="live", admits="selected"))),
    base_rules=s.failed(),
)
"""Two jobs upload: nothing may deploy to the environment of one, and of the other's it is not known."""

CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("WORKFLOW-7", "by a tag", ship(TAGS), HOLDS),
    ("WORKFLOW-7", "a branch that is none", ship("{push: {branches: [master]}}"), ACTION),
    ("WORKFLOW-7", "the base branch", ship("{push: {branches: [main]}}"), HOLDS),
    ("WORKFLOW-7", "tags that take no v", ship("{push: {tags: ['[0-9]*']}}"), ACTION),
    (
        "WORKFLOW-7",
        "tags that do not take it, and by hand",
        ship("{push: {tags: ['x*']}, workflow_dispatch: {}}"),
        HOLDS,
    ),
    (
        "WORKFLOW-7",
        "a condition that nothing meets",
        ship(TAGS, job="    if: github.event_name == 'release'\n"),
        ACTION,
    ),
    (
        "WORKFLOW-7",
        "a branch that is none, of what may be an upload",
        ship("{push: {branches: [master]}}", "{run: make publish, env: {UV_PUBLISH_TOKEN: x}}"),
        HOLDS,
    ),
    ("WORKFLOW-7", "created, without drafts", ship("{release: {types: [created]}}"), HOLDS),
    (
        "WORKFLOW-7",
        "created, beside drafts",
        ship(
            "{release: {types: [created]}}",
            workflows_d="on: push\njobs: {d: {steps: [{uses: release-drafter/release-drafter@v6}]}}\n",
        ),
        ACTION,
    ),
    ("WORKFLOW-7", "a release of another workflow's own token", ship(RELEASED, workflows_t=TAGGER), ACTION),
    ("WORKFLOW-7", "a release of a tag that is there", ship(TAGS, workflows_t=OF_THE_TAG), HOLDS),
    (
        "WORKFLOW-7",
        "a release of a tag that it names",
        ship(TAGS, workflows_t=OF_THE_TAG.replace("@v2}", "@v2, with: {tag_name: '${{ inputs.tag }}'}}")),
        ACTION,
    ),
    ("WORKFLOW-7", "a release of a person's token", ship(RELEASED, workflows_t=OWN), HOLDS),
    ("WORKFLOW-7", "a skipped job behind one that always runs", ship(TAGS, job=AFTER, before=SKIPPED), ACTION),
    ("WORKFLOW-7", "the same, with a guard", ship(TAGS, job=AFTER + ON_TAG, before=SKIPPED), ACTION),
    ("WORKFLOW-7", "the same, beside pull requests", ship(PULL_OR_TAG, job=AFTER + ON_TAG, before=SKIPPED), ACTION),
    ("WORKFLOW-7", "the same, not cancelled", ship(TAGS, job=AFTER + UNLESS, before=SKIPPED), HOLDS),
    (
        "WORKFLOW-7",
        "pushed for tests, and called for the upload",
        ship(CALLED, job=IF_GIVEN, workflows_c=CALLER),
        HOLDS,
    ),
    ("WORKFLOW-7", "a regular expression for tags", ship("{push: {tags: ['^v.*$']}}"), ACTION),
    ("WORKFLOW-7", "switched off", switched(TAGS, "disabled_inactivity"), ACTION),
    ("WORKFLOW-7", "switched on", switched(TAGS, "active"), HOLDS),
    ("WORKFLOW-7", "states silent", structs.replace(ship(TAGS), workflow_states=s.failed()), UNKNOWN),
    ("WORKFLOW-7", "by a comment", ship("{issue_comment: {types: [created]}}"), HOLDS),
    ("WORKFLOW-7", "nothing uploads", ship(TAGS, "run: make"), NONE),
    ("WORKFLOW-7", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-8", "by a tag", ship(TAGS), HOLDS),
    ("WORKFLOW-8", "by tag and release", ship("{push: {tags: ['v*']}, release: {types: [published]}}"), ACTION),
    (
        "WORKFLOW-8",
        "by both, and it skips what is there",
        ship("{push: {tags: ['v*']}, release: {types: [published]}}", f"{{{PUBLISH}, with: {{skip-existing: true}}}}"),
        HOLDS,
    ),
    (
        "WORKFLOW-8",
        "by both, and one is left out",
        ship("{push: {tags: ['v*']}, release: {types: [published]}}", job="    if: github.event_name == 'push'\n"),
        HOLDS,
    ),
    ("WORKFLOW-8", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-9", "plain", ship(TAGS, job="    needs: wheels\n", before=WHEELS), HOLDS),
    ("WORKFLOW-9", "always", ship(TAGS, job="    needs: wheels\n    if: always()\n", before=WHEELS), ACTION),
    (
        "WORKFLOW-9",
        "always, with a result",
        ship(TAGS, job="    needs: wheels\n    if: always() && needs.wheels.result == 'success'\n", before=WHEELS),
        HOLDS,
    ),
    ("WORKFLOW-9", "always, after nothing", ship(TAGS, job="    if: always()\n"), HOLDS),
    ("WORKFLOW-9", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-10", "one", ship(TAGS, artifact("dist"), PUBLISH), HOLDS),
    ("WORKFLOW-10", "of a matrix", ship(TAGS, artifact("dist"), PUBLISH, job=MATRIX), ACTION),
    ("WORKFLOW-10", "of a matrix of one", ship(TAGS, artifact("dist"), PUBLISH, job=MATRIX.replace(", b", "")), HOLDS),
    (
        "WORKFLOW-10",
        "of a matrix of one and more",
        ship(TAGS, artifact("dist"), PUBLISH, job=MATRIX.replace("[a, b]", "[a], include: [{os: b}]")),
        ACTION,
    ),
    ("WORKFLOW-10", "of a matrix, each its own", ship(TAGS, artifact("'d-${{ matrix.os }}'"), job=MATRIX), HOLDS),
    ("WORKFLOW-10", "of a matrix, an old version", ship(TAGS, artifact("dist", "v3"), PUBLISH, job=MATRIX), HOLDS),
    ("WORKFLOW-10", "twice", ship(TAGS, artifact("dist"), artifact("dist"), PUBLISH), ACTION),
    ("WORKFLOW-10", "both old", ship(TAGS, artifact("dist", "v3"), fetched("v3"), PUBLISH), HOLDS),
    ("WORKFLOW-10", "both new", ship(TAGS, artifact("dist", "v4.6.2"), fetched("v5"), PUBLISH), HOLDS),
    ("WORKFLOW-10", "new after old", ship(TAGS, artifact("dist", "v3"), fetched("v4"), PUBLISH), ACTION),
    ("WORKFLOW-10", "old after new", ship(TAGS, artifact("dist", "v4"), fetched("v3.0.2"), PUBLISH), ACTION),
    ("WORKFLOW-10", "pinned to a commit", ship(TAGS, artifact("dist", "v3"), PINNED, PUBLISH), HOLDS),
    ("WORKFLOW-10", "pinned to a commit that says", ship(TAGS, artifact("dist", "v3"), SAYS, PUBLISH), ACTION),
    ("WORKFLOW-10", "of another run", ship(TAGS, artifact("dist", "v3"), OF_A_RUN, PUBLISH), HOLDS),
    (
        "WORKFLOW-10",
        "one of an unknown version",
        ship(TAGS, artifact("dist", "v3"), artifact("dist", w.SHA), fetched("v4"), PUBLISH),
        HOLDS,
    ),
    ("WORKFLOW-10", "of another name", ship(TAGS, artifact("docs", "v3"), fetched("v4"), PUBLISH), HOLDS),
    (
        "WORKFLOW-10",
        "of a computed name",
        ship(TAGS, artifact("dist", "v3"), artifact("'${{ env.NAME }}'"), fetched("v4"), PUBLISH),
        HOLDS,
    ),
    ("WORKFLOW-10", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-11", "kept", ship(TAGS, KEEPS, "run: git push origin v1"), HOLDS),
    ("WORKFLOW-11", "not kept", ship(TAGS, DROPS, "run: git push origin v1"), ACTION),
    ("WORKFLOW-11", "not kept, with an address", ship(TAGS, DROPS, "run: git push https://x@host/o/r v1"), HOLDS),
    ("WORKFLOW-11", "not kept, signed in", ship(TAGS, DROPS, "run: gh auth setup-git; git push origin v1"), HOLDS),
    ("WORKFLOW-11", "not kept, nothing pushed", ship(TAGS, DROPS, PUBLISH), HOLDS),
    ("WORKFLOW-11", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-12", "one", ship(TAGS), HOLDS),
    ("WORKFLOW-12", "two of one folder", ship(TAGS, TESTS, PUBLISH), ACTION),
    (
        "WORKFLOW-12",
        "two of one folder, without attestations",
        ship(TAGS, TESTS.replace("with: {", "with: {attestations: false, "), PUBLISH),
        HOLDS,
    ),
    ("WORKFLOW-12", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-13", "on Linux", ship(TAGS), HOLDS),
    (
        "WORKFLOW-13",
        "on macOS",
        s.ready(
            workflow_files=w.observed(f"on: {TAGS}\njobs: {{s: {{runs-on: macos-latest, steps: [{{{PUBLISH}}}]}}}}\n")
        ),
        ACTION,
    ),
    ("WORKFLOW-13", "git silent", SILENT, UNKNOWN),
    # False alarms of the older checks.
    ("WORKFLOW-3", "by a tag, without a group", ship(TAGS), HOLDS),
    ("WORKFLOW-3", "by a tag, and it pushes", ship(TAGS, KEEPS, "run: git push origin main", PUBLISH), ACTION),
    (
        "WORKFLOW-3",
        "cancels pull requests alone",
        s.ready(
            workflow_files=w.observed(
                "on: {push: {tags: ['v*']}, pull_request: {}}\n"
                "concurrency: {group: '${{ github.ref }}', cancel-in-progress: "
                "\"${{ github.event_name == 'pull_request' }}\"}\n"
                f"jobs: {{s: {{if: \"startsWith(github.ref, 'refs/tags/')\", steps: [{{{PUBLISH}}}]}}}}\n"
            )
        ),
        HOLDS,
    ),
    ("WORKFLOW-4", "one index", ship("workflow_dispatch"), NONE),
    ("WORKFLOW-4", "two indexes in turn", ship("workflow_dispatch", TESTS, PUBLISH), NONE),
    ("WORKFLOW-4", "two indexes, one by a free input", ship(BY_INPUT, IF_INPUT, PUBLISH), ACTION),
    ("WORKFLOW-4", "by hand to one, by a tag to the other", ship(BY_HAND_OR_TAG, TESTS, IF_TAG), NONE),
    ("WORKFLOW-4", "by hand nothing", ship(BY_HAND_OR_TAG, job="    if: github.event_name == 'push'\n"), NONE),
    ("WORKFLOW-3", "by hand, it pushes a branch of this second", ship("workflow_dispatch", STAMPED, PUBLISH), HOLDS),
    (
        "WORKFLOW-3",
        "by hand, it pushes a branch of one name",
        ship("workflow_dispatch", STAMPED.replace("$(date +%s)", "next"), PUBLISH),
        ACTION,
    ),
    (
        "WORKFLOW-3",
        "by hand, it pushes a branch of this second, and main",
        ship("workflow_dispatch", STAMPED, "run: git push origin main", PUBLISH),
        ACTION,
    ),
    ("WORKFLOW-3", "by a tag, cancelling in a group of each tag", cancels("${{ github.ref }}", TAGS), HOLDS),
    ("WORKFLOW-3", "by a tag, cancelling in one group", cancels("p-${{ github.event.push.ref }}", TAGS), ACTION),
    ("WORKFLOW-3", "by a tag, cancelling in groups of kinds", cancels("${{ github.ref_type }}", TAGS), ACTION),
    ("WORKFLOW-3", "by hand, cancelling", cancels("${{ github.ref }}", "workflow_dispatch"), ACTION),
    ("WORKFLOW-3", "by hand, it pushes a tag that a person names", ship(BY_VERSION, KEEPS, PUSHES, PUBLISH), HOLDS),
    (
        "WORKFLOW-3",
        "by hand, it pushes a tag that it computes",
        ship(BY_VERSION, KEEPS, PUSHES.replace("inputs.version", "steps.next.outputs.version"), PUBLISH),
        ACTION,
    ),
    ("WORKFLOW-3", "by hand, it pushes a tag of this month", ship("workflow_dispatch", MONTHLY, PUBLISH), ACTION),
    ("WORKFLOW-3", "by hand, it pushes main along", ship("workflow_dispatch", ALONG, PUBLISH), ACTION),
    ("WORKFLOW-3", "by hand, a job that pushes cancels", ship("workflow_dispatch", PUBLISH, before=CANCELLED), ACTION),
    ("WORKFLOW-4", "an index that only a run can tell", ship("workflow_dispatch", ANYWHERE), ACTION),
    ("WORKFLOW-8", "by both, and nightly GitHub Releases beside", ship(BOTH, workflows_n=NIGHTLY), ACTION),
    ("WORKFLOW-10", "two of an old version behind a commit", ship(TAGS, OLD_ONE, OLD_ONE, PUBLISH), HOLDS),
    ("WORKFLOW-3", "by hand, not cancelling on main", cancels("r", "workflow_dispatch", OFF_MAIN), HOLDS),
    (
        "WORKFLOW-3",
        "the job that pushes has a group of its own",
        ship(
            "{push: {branches: [main]}}",
            KEEPS,
            "run: git push origin main",
            PUBLISH,
            job="    concurrency: 'release-${{ github.ref }}'\n",
        ),
        HOLDS,
    ),
    (
        "WORKFLOW-8",
        "by both, but the run of the tag makes the release",
        ship(BOTH, PUBLISH, "{run: gh release create v1, env: {GH_TOKEN: '${{ github.token }}'}}"),
        HOLDS,
    ),
    ("WORKFLOW-7", "a tag that a run of the tag uses", ship(TAGS, workflows_t=NOTES), HOLDS),
    ("WORKFLOW-14", "its tag", room(TAGS, "tag v*"), HOLDS),
    ("WORKFLOW-14", "by the full name", room(TAGS, "tag refs/tags/v*"), HOLDS),
    ("WORKFLOW-14", "a server that names no kind", room(TAGS, " v*"), HOLDS),
    ("WORKFLOW-14", "a branch of that name", room(TAGS, "branch v*"), ACTION),
    ("WORKFLOW-14", "the base branch, for a tag", room(TAGS, "branch main"), ACTION),
    ("WORKFLOW-14", "the base branch, for a GitHub Release", room(RELEASED, "branch main"), ACTION),
    ("WORKFLOW-14", "nothing", room(TAGS), ACTION),
    ("WORKFLOW-14", "tags of another spelling", room(TAGS, "tag [0-9]*"), ACTION),
    ("WORKFLOW-14", "tags behind a slash", room(TAGS, "tag */v*"), ACTION),
    ("WORKFLOW-14", "the base branch, by hand", room(BY_HAND, "branch main"), HOLDS),
    ("WORKFLOW-14", "its tag, by hand", room(BY_HAND, "tag v*"), HOLDS),
    ("WORKFLOW-14", "a branch that is none, by hand", room(BY_HAND, "branch master"), ACTION),
    (
        "WORKFLOW-14",
        "another branch that is there",
        room(BY_HAND, "branch rel/*", remote=s.remote(s.branch("rel/a"))),
        HOLDS,
    ),
    ("WORKFLOW-14", "tags alone, for a push", room("{push: {branches: [main]}}", "tag v*"), ACTION),
    ("WORKFLOW-14", "the base branch, for a push", room("{push: {branches: [main]}}", "branch m*"), HOLDS),
    ("WORKFLOW-14", "tags alone, by tag or by hand", room(BY_HAND_OR_TAG, "tag v*"), HOLDS),
    ("WORKFLOW-14", "a run of another workflow", room("{workflow_run: {workflows: [ci]}}", "tag v*"), HOLDS),
    ("WORKFLOW-14", "all", structs.replace(room(TAGS), environments=known((Environment(name="pypi"),))), HOLDS),
    ("WORKFLOW-14", "not there yet", structs.replace(room(TAGS), environments=known(())), HOLDS),
    (
        "WORKFLOW-14",
        "protected, for a tag",
        room(TAGS, environments=PROTECTED, base_rules=base(protected=True)),
        ACTION,
    ),
    (
        "WORKFLOW-14",
        "protected, by hand",
        room(BY_HAND, environments=PROTECTED, base_rules=base(protected=True)),
        HOLDS,
    ),
    (
        "WORKFLOW-14",
        "protected, and whether a branch is is not known",
        room(TAGS, environments=PROTECTED, base_rules=base(protected=False)),
        UNKNOWN,
    ),
    ("WORKFLOW-14", "one not known, the other refuses", TWO_ROOMS, ACTION),
    (
        "WORKFLOW-14",
        "one not known, the other admits",
        structs.replace(TWO_ROOMS, environments=known((*PROTECTED.present(), Environment(name="live")))),
        UNKNOWN,
    ),
    (
        "WORKFLOW-14",
        "protected, GitHub silent, and no ref is known that starts it",
        room("{push: {tags: ['x*']}}", environments=PROTECTED, base_rules=s.failed()),
        HOLDS,
    ),
    ("WORKFLOW-14", "protected, GitHub silent", room(TAGS, environments=PROTECTED, base_rules=s.failed()), UNKNOWN),
    ("WORKFLOW-14", "not shown", room(TAGS, environments=s.failed()), UNKNOWN),
    ("WORKFLOW-14", "git silent", SILENT, UNKNOWN),
    ("WORKFLOW-14", "no environment", room(TAGS, job=""), NONE),
    ("WORKFLOW-14", "one that a run computes", room(TAGS, job="    environment: ${{ vars.ROOM }}\n"), NONE),
    ("WORKFLOW-13", "each system of a matrix", on_systems("ubuntu-latest", "macos-latest"), ACTION),
    ("WORKFLOW-13", "Linux of a matrix", on_systems("ubuntu-latest", "ubuntu-24.04"), HOLDS),
    (
        "WORKFLOW-13",
        "each system, the upload on Linux",
        on_systems("ubuntu-latest", "macos-latest", step=f"{PUBLISH}, if: runner.os == 'Linux'"),
        HOLDS,
    ),
    (
        "WORKFLOW-13",
        "each system, the upload on one of them",
        on_systems("ubuntu-latest", "windows-latest", step=f"{PUBLISH}, if: \"matrix.os == 'windows-latest'\""),
        ACTION,
    ),
]
