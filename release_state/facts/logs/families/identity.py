"""Who is it: trusted publishing, tokens and users.

Sources: pypi/warehouse, warehouse/oidc/; "Trusted Publishers, troubleshooting" in the documentation of PyPI;
https://docs.github.com/actions/reference/security/oidc
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, fail_before_upload

_CREDENTIALS = (
    "The index refused the upload's credentials, or the job has none.",
    "Renew the upload token and its secret, or use trusted publishing",
)
_BY_CLAIMS = r"(?!)"
"""No words show it: the claims do."""
PULL_REQUEST = KnownFailure(
    "trusted publisher",
    _BY_CLAIMS,
    "The index refused the token: its run is of a pull request, and a publisher is seldom for these.",
    "Start the upload by a tag, a GitHub Release or by hand; then start the release again",
    Completion.DEPENDS,
)
REUSABLE = KnownFailure(
    "reusable workflow",
    _BY_CLAIMS,
    "The upload is in a reusable workflow: the index looks at the workflow file that called it.",
    "Move the publishing job into the workflow that is started, and name that file in the publisher",
    Completion.DEPENDS,
)
OTHER_REPOSITORY = KnownFailure(
    "trusted publisher",
    _BY_CLAIMS,
    "The index refused the token: it is of another repository than the configured one, renamed or a fork.",
    "Name the repository's present owner and name in the publisher on the index, then run the failed job again",
)
OTHER_WORKFLOW = KnownFailure(
    "trusted publisher",
    _BY_CLAIMS,
    "The index refused the token: it is of another workflow file than the configured one.",
    "Name this file in the publisher on the index, or publish from the one that it names; then run the job again",
)
ENVIRONMENT = KnownFailure(
    "trusted publisher",
    _BY_CLAIMS,
    "The index refused the token: its job runs in another environment than the configured one.",
    "Make `environment:` of the job and the publisher's environment the same; then start the release again",
    Completion.DEPENDS,
)
NO_ENVIRONMENT = KnownFailure(
    "trusted publisher",
    _BY_CLAIMS,
    "The index does not accept this workflow as a trusted publisher, and the job has no environment.",
    "See whether the publisher on the index names an environment: give the job the same one, or leave it empty there; "
    "if it names none, compare owner, repository and workflow file",
)
CLAIMS = (PULL_REQUEST, REUSABLE, OTHER_REPOSITORY, OTHER_WORKFLOW, ENVIRONMENT, NO_ENVIRONMENT)
IDENTITY = (
    KnownFailure(
        "id-token",
        r"requesting '[^']{0,80}id-token: write[^']{0,80}', but is only allowed",
        "The calling job gives the reusable workflow too little: it lacks `id-token: write`. No run began.",
        "Give the job that calls it `id-token: write`, then start the release again",
        anywhere=True,
    ),
    fail_before_upload(
        "id-token",
        r"ACTIONS_ID_TOKEN_REQUEST_(?:TOKEN|URL)|insufficient OIDC token permissions"
        r"|`?id-token: write`? permission missing|no OIDC token discovered|OIDC token request failed"
        r"|openid connect token retrieval failed|(?:failed to (?:obtain|discover)|unable to retrieve an) OIDC token"
        r"|unable to get (?:ACTIONS_)?ID_?TOKEN|failed to get pypi token via",
        "The job lacks `id-token: write`: it could not prove who it is.",
        "Give the job `permissions: id-token: write`; a run for a pull request from a fork never gets it",
    ),
    KnownFailure(
        "pending publisher",
        r"non-user identities cannot create new projects|invalid-pending-publisher",
        "The pending publisher on the index names another project than the files do.",
        "Make the project name of the pending publisher and of the metadata the same, then run the job again",
    ),
    KnownFailure(
        "pull_request_target",
        r"invoked via 'pull_request_target' is not supported",
        "The index takes no upload from a run that `pull_request_target` started: its code may be a stranger's.",
        "Start the upload by a tag, a GitHub Release or by hand; then start the release again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "reusable workflow",
        r"calling workflow is a reusable workflow|reusable workflows are \W{0,2}not currently supported",
        "The upload is in a reusable workflow, which the index does not accept as a trusted publisher.",
        "Move the publishing job into the workflow that is started, and name that file in the publisher",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "trusted publisher token",
        r"\binvalid-(?:token|payload|reuse-token)\b|\breused-token\b|\btoken (?:has )?expired\b.{0,80}\b(?:oidc"
        r"|publisher|mint)",
        "The index refused the identity token: it was used before, has expired or is for another audience.",
        "Run the failed job again: each run gets a new token",
    ),
    KnownFailure(
        "trusted publisher",
        r"\binvalid-publisher\b|no corresponding publisher|trusted publishing exchange failure"
        r"|is trusted publishing correctly configured",
        "The index does not accept this workflow as a trusted publisher.",
        "Compare owner, repository, workflow file and environment with the index's publisher, claim by claim; in a "
        "reusable workflow the calling file counts",
    ),
    KnownFailure(
        "token of another project",
        r"(?:oidc|project)[- ]scoped token (?:is not valid for|used outside of a) project"
        r"|not match publisher restriction in token|isn't allowed to upload to project"
        r"|is not allowed to upload to project|not allowed to (?:upload|publish) to project",
        "The token, or its user, may not upload to this project.",
        "Use a token of this project, or add the user as maintainer; check the project name in the metadata",
    ),
    KnownFailure(
        "password",
        r"username/password authentication is no longer supported",
        "The index no longer takes user name and password.",
        "Use trusted publishing, or an API token with the user name `__token__`",
    ),
    KnownFailure(
        "index account",
        r"verified primary email|two[- ]factor authentication (?:must|is required|enabled)|must enable two[- ]factor"
        r"|user .{1,80} (?:has been )?(?:frozen|disabled)",
        "The index wants something of the account first: a verified address, or a second factor.",
        "Sign in to the index, do what it asks, then run the job again",
    ),
    KnownFailure(
        "index credentials",
        r"invalid or non-existent authentication information|invalid api token|api tokens are not valid for permission"
        r"|the password for .{1,100} (?:in|from) the key ring|missing credentials for|\bcredential not found\b"
        r"|could not determine credentials|could not find (?:username|password) for upload"
        r"|missing required option: (?:user|auth)\b|username and password are required"
        r"|credentials not found and non-interactive|with a password, but no username|upload failed \(40[13]\)"
        r"|username (?:and/)?or password are (?:possibly )?(?:wrong|incorrect)|\b401\b.{0,40}\bunauthorized\b"
        r"|\b403\b.{0,60}\bforbidden\b.{0,300}\b(?:legacy|upload|publish)",
        *_CREDENTIALS,
    ),
    KnownFailure(
        "index credentials",
        r"\beof when reading a line|\bhttp error 40[13]:|\b403\b.{0,60}\bforbidden\b",
        *_CREDENTIALS,
        uploading=True,
    ),
    *CLAIMS,
)
