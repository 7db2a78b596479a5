"""What comes before the upload: workflow files, runners, release tools, builds and tests.

Sources: pypa/cibuildwheel, PyO3/maturin, python-semantic-release, commitizen-tools/commitizen,
googleapis/release-please; their messages.
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, Rank, fail_before_upload

_NO_VERSION = (
    "The build found no tag to take the version from.",
    "Check out the tag with its history (`fetch-depth: 0`), or set the version; then build again",
)

FAILED = (
    "The build failed.",
    "Fix the build; a re-run keeps the commit, so tag a new one unless the cause lies outside of it",
    Completion.DEPENDS,
)
_FULL = (
    "The runner ran out of disk or memory.",
    "Free space or build less at once (one job of the compiler), then run the failed jobs again",
)
_TESTS = (
    "Tests failed.",
    "Fix them; a re-run keeps the commit, so release from a new one unless they fail by chance",
    Completion.DEPENDS,
)
BUILD = (
    KnownFailure(
        "missing input",
        r"\bsecret \w{1,60} is required, but not provided while calling",
        "The calling job does not hand a secret on to the reusable workflow. No run began.",
        "Hand it on (`secrets:` of the calling job), then start the release again",
        Completion.DEPENDS,
        anywhere=True,
    ),
    KnownFailure(
        "workflow file",
        r"the (?:workflow|template) is not valid|fail(?:ed)? to load .{1,200}/action\.ya?ml"
        r"|every step must define a|could not be found at the uri|'using: \w{1,20}' is not supported"
        r"|^file not found: '.{1,300}/_actions/|\.ya?ml \(line: \d+, col: \d+\): |you have an error in your yaml syntax"
        r"|unrecognized named-value|failed to parse workflow|invalid workflow file|error parsing called workflow"
        r"|workflow is not reusable|unable to resolve action|missing download info for|can't find 'action\.ya?ml'",
        "GitHub could not start the workflow as its file says.",
        "Fix the workflow file, then start the release again: a re-run keeps the old file",
        Completion.DEPENDS,
        anywhere=True,
    ),
    KnownFailure(
        "action not allowed",
        r"(?:is|are) not allowed to be used in |actions in this workflow must be: ",
        "The repository or its organisation does not allow an action of the workflow.",
        "Allow the action in Settings > Actions > General, or use an allowed version; then start the release again",
        Completion.DEPENDS,
        anywhere=True,
    ),
    KnownFailure(
        "billing",
        r"job was not started because .{0,80}\b(?:payments|spending limit|billing)\b",
        "GitHub started no job: the account's payment or spending limit is at fault.",
        "Settle it in the account's billing settings, then run all jobs again",
        anywhere=True,
    ),
    KnownFailure(
        "no runner",
        r"no runner matching|waiting for a runner|not acquired by runner|internal error when running your job"
        r"|any online and idle|awaiting a runner|no enabled runners online|this is a scheduled .{0,40}brownout"
        r"|hosted runner.{0,80}(?:lost communication|shut ?down|encountered an error)"
        r"|the runner has received a shutdown signal",
        "The runner went away or is none of that name.",
        "Run the failed jobs again, and check which of tag and files the run created",
        anywhere=True,
    ),
    KnownFailure("no runner", r"no space left on device|\bexit code 137\b", *_FULL, anywhere=True),
    KnownFailure("no runner", r"fatal error: killed|: out of memory\b|\bsignal: 9, sigkill", *_FULL),
    KnownFailure(
        "version differs",
        r"^(?!.{0,1000}\b(?:(?:python|node|runtime|library|protocol) version\b|lock ?file\b))(?:.{0,1000})\b(?:tag"
        r"|version|release)\b.{0,120}\b(?:does not match|doesn't match|mis+[ -]?match|differs? from|is not equal"
        r"|disagree)\b.{0,200}|expected version .{1,60}(?:but )?got",
        "The project's own check found that tag and version differ.",
        "Correct the version on the branch, and tag the commit that has it",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "no release",
        r"no release will be made|no release necessary|nothing to release|no commits? (?:found )?to bump"
        r"|\[NO_COMMITS_(?:TO_BUMP|FOUND)\]|not el[ei]gible to be bumped|isn't in any release groups"
        r"|configured to only publish from|new version won.t be published|no new version is released",
        "The release tool made no release.",
        "Read its reason: the branch, the commits since the last tag, and its configuration decide",
        rank=Rank.SKIPPED,
    ),
    KnownFailure(
        "release tool",
        r"release-please failed|semantic[-_.]release.{0,120}\b(?:failed|error|exception)|\[(?:NO_VERSION_SPECIFIED"
        r"|INVALID_MANUAL_VERSION|NO_PATTERN_MAP|INVALID_CONFIG\w*)\]|\[semantic-release\].{0,20}\bE[A-Z]{4,40}\b"
        r"|\bsemantic-release err!|semantic_release\.errors\.|\b(?:git(?:push|tag|commit\w*|add|fetch)"
        r"|notareleasebranch|missinggitremote|unexpectedresponse|incompleterelease|parserload)error\b"
        r"|failed to (?:push (?:branch|tag) \(|create tag \(|commit changes\b)|build failed, aborting release"
        r"|unable to verify upstream due to error|\btag .{1,200} not (?:in release history|found in local repository)"
        r"|current version .{1,80} is not found in|no tag found to do an incremental|2nd git\.commit error"
        r"|release prs outstanding - aborting|working (?:directory|tree) is (?:not clean|dirty)"
        r"|you have unstaged changes|did not find .{1,80} in file|failed to list the news fragment"
        r"|invalid news fragment|npm err(?:or|!) version not changed",
        "The release tool failed.",
        "Read its reason: branch groups, commits since the last tag, and its configuration decide",
    ),
    fail_before_upload(
        "no version",
        r"(?:setuptools[-_]scm was|lookuperror:) unable to detect version|did not match (?:the latest|any) tag"
        r"|versioning for this project requires|error getting the version from source"
        r"|unable to detect version control system",
        *_NO_VERSION,
        Completion.DEPENDS,
    ),
    KnownFailure(
        "wheel build",
        r"cibuildwheel: (?:error|no build identifiers|build failed)|no build identifiers selected"
        r"|failed to run custom build command|cargo metadata failed|error: could not compile `"
        r"|linker `.{1,60}` not found|system library `.{1,60}` required by crate|pure python wheel was generated"
        r"|failed to build a native library|error ensuring \w{1,60} compliance|library is not \w{1,60}.{0,60} compliant"
        r"|couldn't find any python interpreters|cannot repair wheel|\bdelocationerror\b"
        r"|\bdelvewheel\b.{0,80}\b(?:failed|error)|unable to find library: |maturin had a problem and crashed"
        r"|auditwheel.{0,80}\b(?:error|cannot repair)|delocate.{0,80}\berror",
        "A wheel did not build or could not be repaired.",
        "See which wheels were uploaded before it; fix the build and complete the version, or release the next one",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "build",
        r"fatal error: '?\S{1,80}: no such file|\bcmake error\b|unable to find vcvarsall"
        r"|visual c\+\+ .{1,20} is required|undefined reference to |linker command failed|ld returned \d+ exit status"
        r"|\.(?:c|cc|cpp|cxx|h|hpp|pyx|f90|mm?)(?::\d+:\d+:|\(\d+\):) (?:fatal )?error\b|meson\.build:\d+:\d+: error"
        r"|does not appear to be a python project|unable to determine which files to ship"
        r"|cannot be a direct reference unless|\bno(?:version|docstring)error\b|\bconfig ?error: "
        r"|invalid `?pyproject\.toml|tomldecodeerror|configuration error: `project|poetry configuration is invalid"
        r"|backend ?unavailable|can't find rust compiler|error: command '?[^'\"]{1,300}'? failed|\bprojecterror\b"
        r"|unknownpluginerror|can't open file .{0,200}\bsetup\.py|no file/folder found for package"
        r"|multiple top-level packages discovered|neither 'setup\.py' nor 'pyproject\.toml' found"
        r"|package directory .{1,200} does not exist|zip does not support timestamps",
        *FAILED,
    ),
    fail_before_upload(
        "build", r"invalid (?:pep 440 )?version: '", *FAILED, step=r"^(?!.*\b(?:cz|commitizen|semantic-release)\b)"
    ),
    fail_before_upload(
        "tests",
        r"=+ .{0,80}\b[1-9]\d* failed\b|\bFAILED \((?:failures|errors)=|(?<!\b0 )tests? failed\b|coverage failure"
        r"|nox > session .{1,80} failed|\berrors? during collection\b|^[=\s]*[1-9]\d* (?:failed|errors?)\b.{0,80} in \d"
        r"|required test coverage of|\btest result: FAILED|^\W*(?:no tests ran|tests: .{0,40}\b[1-9]\d* failed)",
        *_TESTS,
    ),
    fail_before_upload(
        "tests", r"fatal python error: |\bsegmentation fault\b", *_TESTS, step=r"\b(?:pytest|unittest|tox|nox)\b"
    ),
    fail_before_upload(
        "tests",
        r"\bfound [1-9]\d* (?:known vulnerabilit|errors?\b)|files were modified by this hook|\bwould (?:be reformatted"
        r"|reformat)|\b[1-9]\d* errors?, \d+ warnings?\b|\bW\d{3}: wheel |in version control and sdist do not match"
        r"|imports are incorrectly sorted",
        "A check of the code, of its requirements or of the built files failed.",
        "Fix what it names; a re-run keeps the commit, so release from a new one",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        # Last: a script may have gone on without a tag, and failed at something else.
        "no version",
        r"no names found, cannot describe anything|no tag exactly matches|no tags can describe",
        *_NO_VERSION,
        Completion.DEPENDS,
    ),
)
