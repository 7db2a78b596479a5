"""What a release run publishes beside the index: other registries, clouds, pages; and what the failed step is for.

Sources: the messages of npm, cargo, docker, anaconda-client, MkDocs and Sphinx; actions/attest, actions/deploy-pages,
aws-actions/configure-aws-credentials, google-github-actions/auth, azure/login
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, Rank, fail_before_upload

_TOOL = r"^(?:Run )?(?:(?:uvx?|npx|pipx|poetry|pdm|hatch|uv|pnpm|yarn|python3?|-m|run|exec|dlx)\s+){0,4}"
"""How the command of a step begins that runs a tool."""
_REGISTRY = (
    r"\bchangesets/action|docker/(?:login|build-push)-action|upload-nightly-action|\bcargo publish\b|\bdocker push\b"
    r"|\b(?:npm|pnpm|yarn|lerna|changeset)\b.{0,80}\bpublish\b|\banaconda\b.{0,80}\bupload\b|\b(?:gem|helm) push\b"
    r"|\bsnapcraft\b|winget|homebrew|\bvsce publish\b"
)
_OTHER_REGISTRY = (
    "Another registry (npm, crates.io, a container registry, conda) did not take the release. The index is not "
    "concerned.",
    "See whether that registry has the version already; renew its token or right, then run that job alone again",
    Completion.SAME,
)
ELSEWHERE = (
    KnownFailure(
        "other registry",
        r"^(?!.*(?:metadata|pull access|oauth)).*?(?:\bE(?:NEEDAUTH|OTP|40[0-9]|PUBLISHCONFLICT)\b|failed to push "
        r"|\b(?:push|requested) access (?:denied|to the resource is denied)|insufficient_scope|authorization failed"
        r"|incorrect username or password|\b(?:denied|unauthorized): |on crates\.io index|failed to publish to registry"
        r"|contain changes that were not yet committed|must have a version specified when publishing"
        r"|remote server responded with an error|error: .{0,300}\b(?:40[0-9]|5\d\d)\)$)",
        *_OTHER_REGISTRY,
        step=_REGISTRY,
    ),
    KnownFailure(
        "cloud credentials",
        r"could not load credentials from any|could not assume role with oidc|assumerolewithwebidentity"
        r"|\(accessdenied|is not authorized to perform|\bAADSTS\d"
        r"|google-github-actions/auth failed|unable to locate credentials|federated token",
        "A cloud (AWS, Google, Azure) did not accept the job's identity or key.",
        "Give the job `id-token: write`, and compare the cloud's trust with branch, tag and environment; run it again",
    ),
    KnownFailure(
        "GitHub attestation",
        r"failed to persist attestation",
        "GitHub did not keep the attestation: its repository or plan does not allow it. The index is not concerned.",
        "Leave this step out where attestations are not available; the index takes its own ones",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "documentation",
        r"aborted with \d+ warnings? in strict mode|warnings treated as errors|\bsphinx error\b|^extension error"
        r"|docutils\.\w{1,40}\.\w{0,40}error",
        "The documentation did not build.",
        "Fix what it names; a re-run keeps the commit, so release from a new one if the documentation belongs to it",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "documentation",
        r"get pages site failed|ensure github pages has been enabled|creating pages deployment failed",
        "GitHub did not publish the documentation's pages. The index is not concerned.",
        "Switch GitHub Pages on in the repository's settings, then run that job alone again",
    ),
)
STEPS = (
    KnownFailure(
        "other registry",
        r"\b(?:error|err!|failed|denied|forbidden)\b",
        "The step publishes elsewhere than at the index (npm, crates.io, a container registry, conda), and it failed.",
        "Read its reason; see whether the package itself was published, then run that job alone again",
        rank=Rank.EFFECT,
        step=_REGISTRY,
    ),
    KnownFailure(
        "release tool",
        r"\w{0,40}(?:error|exception)\b|\bfailed\b",
        "The release tool failed.",
        "Read its reason: branch groups, commits since the last tag, and its configuration decide",
        rank=Rank.EFFECT,
        step=rf"(?:{_TOOL}|^(?:Run )?[\w.-]{{1,80}}/[\w./-]{{0,80}}?)"
        r"(?:(?:python-)?semantic-release|release-please|release-plz|release-drafter|commitizen|cz|bump-?my-?version"
        r"|bump2?version|tbump|towncrier|git-cliff|standard-version"
        r"|release-it|npm version)\b",
    ),
)
