"""A service is down, slow, or asks to wait; and time limits and concurrency of the run itself."""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, Rank, fail_before_upload

_TIMED_OUT = (
    "The upload to the index timed out, or the index was down; some files may have arrived.",
    "Check which files the index has, then run the failed job again; it must skip what is there",
)
_NO_DOWNLOAD = (
    "A tool or a requirement of the build could not be downloaded.",
    "Run the failed job again; see the service's status page if it goes on",
)
_ADDRESS = (
    "The upload goes to an address that takes no uploads: it is wrong, or the tool's settings name none.",
    "Correct the upload's address (with its last slash) in the workflow or the tool's settings; start it again",
    Completion.DEPENDS,
)
_NO_HOST = (
    "The upload found no host of the index's name.",
    "Check the upload's address; if it is right, run the failed job again",
)
SERVICES = (
    KnownFailure(
        "time limit",
        r"exceeded the maximum execution time of|^the action '.{1,200}' has timed out after",
        "The job exceeded its time limit; GitHub shows such a run as cancelled.",
        "Find the step that hung, and check which of branch, tag and files the run created",
        anywhere=True,
    ),
    KnownFailure(
        "concurrency",
        r"canceling since a (?:higher priority|deadlock)|higher priority waiting request for",
        "Another run of the same concurrency group displaced this one.",
        "See what the other run did; then run this one again, and let no two release runs share a group that cancels",
        anywhere=True,
    ),
    KnownFailure(
        "read-only index",
        r"read-only mode|uploads are temporarily disabled|trusted publishing is temporarily disabled",
        "The index was read-only: it took no uploads.",
        "Wait until its status page says it is over, then run the failed job again",
    ),
    KnownFailure(
        "identity service",
        r"does not indicate trusted publishing support|has trusted publishing disabled|\bnot-enabled\b"
        r"|trusted publishing functionality not enabled",
        "The index at this address offers no trusted publishing, or has switched it off.",
        "Check the upload's address; an index without trusted publishing needs a token",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "identity service",
        r"audience retrieval failed|the index produced an unexpected|index gave us an invalid response"
        r"|token-minting request returned invalid|failed to fetch: `[^`]{1,200}/_/oidc/",
        "The index could not exchange the identity token: that service was down or slow.",
        "See its status page, then run the failed job again",
    ),
    KnownFailure(
        "rate limit",
        r"\brate limit (?:is |was |has been )?(?:exceeded|reached|used up)|exceeded a secondary rate limit"
        r"|triggered an abuse detection|\b429\b.{0,40}\btoo many (?:requests|new projects)"
        r"|too many new projects created",
        "The run exceeded a rate limit.",
        "Wait until the limit resets, check what the run created, and complete it",
    ),
    KnownFailure(
        "release asset",
        r"assetuploaderror|error uploading asset|(?:release asset|uploads\.github|upload asset).{0,300}\b(?:50\d"
        r"|bad gateway|timed? ?out|econnreset|failed)|\b50\d\b.{0,200}uploads\.github",
        "GitHub did not take an asset of the GitHub Release. The index is not concerned.",
        "Run the failed job again, or upload the missing asset to the GitHub Release",
    ),
    KnownFailure(
        "GitHub",
        r"unable to access 'https://[^/'\s]{0,100}github[^'\s]{0,200}': the requested url returned error: 50\d"
        r"|could not resolve host: \S{0,20}github|remote end hung up unexpectedly|\brpc failed\b|fatal: early eof"
        r"|fatal error in commit_refs|^failed to download (?:action|archive) '|ssh: connect to host \S{0,20}github"
        r"|kex_exchange_identification|something went wrong while executing your query"
        r"|no server is currently available to service your request|we had issues producing the response|\bunicorn!"
        r"|couldn't respond to your request in time|\bhttp(?: ?error)?:? 50[0234]\b.{0,200}(?:api\.github|/api/v3/)"
        r"|(?:api\.github|/api/v3/).{0,200}\b(?:http|status(?: code)?:?|answered) ?50[0234]\b",
        "GitHub's API failed; what the step was to make, or to read, may be missing.",
        "Check which of branch, tag, pull request and GitHub Release the run created, then run the failed job again",
    ),
    KnownFailure(
        "signing service",
        r"unsignedmetadataerror|\bsigned by \d+/\d+ keys|\btuf\..{0,200}\berror\b",
        "The signing tool does not know the service's present keys: it is too old for them.",
        "Update the signing tool, or the action that brings it; then start the release again: a re-run keeps "
        "the old file",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "signing service",
        r"(?:rekor|fulcio|sigstore|tlog entry|timestamp authority).{0,300}\b(?:50\d|timed? ?out|timeout|unknown error"
        r"|connection (?:reset|aborted|refused))|(?:\b50\d\b|timed? ?out|timeout|error fetching|error creating"
        r"|connection (?:reset|aborted|refused)).{0,300}(?:rekor|fulcio|sigstore|tlog entry)",
        "The service that signs attestations did not answer.",
        "Check which files the index has, then run the failed job again; it must skip what is there",
    ),
    fail_before_upload(
        "signing service",
        r"\bsigstore\.[\w.]{1,80}\b(?:\w{0,40}error|expiredidentity)\b|fulcio.{0,300}\b(?:4\d\d|error obtaining"
        r"|expired)|\b4\d\d\b.{0,100}fulcio",
        "The service that signs attestations did not accept the job's identity: it had expired, or the service failed.",
        "Run the failed job again; a job that signs very many files can outlast its identity: sign fewer at once",
    ),
    KnownFailure(
        "index address",
        r"url: /legacy/.{0,400}(?:nodename nor servname|name or service not known|name resolution|getaddrinfo failed)",
        *_NO_HOST,
    ),
    KnownFailure(
        "certificate",
        r"certificate[ _]verify[ _]failed|\bcertificate has expired\b|self[- ]signed certificate"
        r"|unable to get local issuer",
        "The tool does not trust the server's certificate: a proxy stands between, or its own list is old.",
        "Give it the proxy's certificate or an up-to-date list (`certifi`), never switch the check off; then "
        "run it again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "download",
        r"pip\._(?:vendor|internal)\..{0,300}(?:timed ?out|connection|protocolerror)|http error \d{3} while getting"
        r"|condahttperror|^unexpected http response: 5"
        r"|npm err(?:or|!) (?:network|code e(?:timedout|connreset|notfound|ai_again))",
        *_NO_DOWNLOAD,
    ),
    KnownFailure(
        "upload time-out",
        r"error connecting to repository|max retries exceeded|\b500\b.{0,40}\bserver error|connection ?(?:reset|aborted"
        r"|refused)|remote ?disconnected|\btimed[ -]?out\b|\btimeout(?:error|exception)?:|\bhandshake operation\b"
        r"|\b(?:read|write|connect\w{0,9}|operation|gateway|upload) ?time-?out\b(?! (?:of|was|is)\b)",
        *_TIMED_OUT,
        uploading=True,
    ),
    KnownFailure(
        "index address",
        r"missing a trailing slash|with a trailing slash\)|pre-registration is no longer"
        r"|uploading documentation is no longer|your repository url|redirects? (?:are|is) (?:not (?:supported|allowed)"
        r"|allowed)|redirected to: |request was redirected, but|invalid repository url|have an invalid url"
        r"|missing '.{1,100}' section from|malformed configuration in|uploading to those sites is deprecated"
        r"|post requests are not supported by the endpoint|is an unsupported configuration"
        r"|\brepository .{1,80} is not defined|\bunknown publisher: |missing repository config of"
        r"|failed to get registry|api has been deprecated and removed|\b(?:404|405"
        r"|410)\b.{0,80}\bhttps?://[^\s/]{1,100}/(?:legacy|simple|pypi)\b",
        *_ADDRESS,
    ),
    KnownFailure(
        "index address",
        r"\b(?:httperror:|http error|upload failed|status code|client error ')\W{0,3}(?:404|405|410)\b",
        *_ADDRESS,
        uploading=True,
    ),
    KnownFailure(
        "index address",
        r"\bdns error\b|failed to lookup address|name or service not known|failure in name resolution"
        r"|getaddrinfo failed|nodename nor servname",
        *_NO_HOST,
        uploading=True,
    ),
    KnownFailure(
        "upload time-out",
        r"^(?=.*(?:upload|twine|pypi|legacy/|publish)).*?"
        r"(?:timed ?out|gateway time-?out|timeouterror|\b50[234][ :]+(?:bad|service|gateway|server|first)|\b503\b"
        r"|connection (?:reset|aborted|refused)|remotedisconnected)"
        r"|\bread ?timed ?out\b|\breadtimeout|first byte timeout|backend is unhealthy|\bhttp error 50[234]\b",
        *_TIMED_OUT,
    ),
    KnownFailure(
        "download",
        r"failed to (?:fetch|download)\b.{0,400}\b(?:dns error|error sending request|timed? ?out|client error|50\d)"
        r"|\bare you offline\?|\brequest timeout: /",
        *_NO_DOWNLOAD,
    ),
    KnownFailure(
        # A script may go on after it: last.
        "download",
        r"^curl: \(\d|gzip: stdin: |^E: (?:failed|unable) to fetch|spurious network error",
        *_NO_DOWNLOAD,
        rank=Rank.EFFECT,
    ),
    KnownFailure(
        "cancelled",
        r"the operation was cancell?ed|the run was cancell?ed",
        "A person, a newer run or the time limit cancelled the run.",
        "Check which of branch, tag and files the run created, and how long it ran",
        rank=Rank.EFFECT,
    ),
)
