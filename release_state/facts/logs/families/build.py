"""What comes before the upload: workflow files, runners, release tools, builds and tests.

Sources: pypa/cibuildwheel, PyO3/maturin, python-semantic-release, commitizen-tools/commitizen,
googleapis/release-please; their messages.
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, Rank, define

_NO_VERSION = (
    "The build found no tag to take the version from.",
    "Check out the tag with its history (`fetch-depth: 0`), or set the version; then build again",
)

_NOT_INSTALLED = (
    "A command or module of the step is not installed in this job.",
    "Install the tool in the job that uses it, then start the release again: a re-run keeps the old file",
    Completion.DEPENDS,
)
BUILD = (
    define(
        "workflow file",
        r"the (?:workflow|template) is not valid|fail(?:ed)? to load .{1,200}/action\.ya?ml"
        r"|unrecognized named-value|failed to parse workflow|invalid workflow file|error parsing called workflow"
        r"|workflow is not reusable|unable to resolve action|missing download info for|can't find 'action\.ya?ml'",
        "GitHub could not start the workflow as its file says.",
        "Fix the workflow file, then start the release again: a re-run keeps the old file",
        Completion.DEPENDS,
        anywhere=True,
    ),
    define(
        "action not allowed",
        r"(?:is|are) not allowed to be used in |actions in this workflow must be: ",
        "The repository or its organisation does not allow an action of the workflow.",
        "Allow the action in Settings > Actions > General, or use an allowed version; then start the release again",
        Completion.DEPENDS,
        anywhere=True,
    ),
    define(
        "no runner",
        r"no runner matching|waiting for a runner|\bexit code 137\b|hosted runner.{0,80}(?:lost communication"
        r"|shut ?down"
        r"|encountered an error)"
        r"|the runner has received a shutdown signal|no space left on device",
        "The runner went away or is none of that name.",
        "Run the failed jobs again, and check which of tag and files the run created",
        anywhere=True,
    ),
    define(
        "version differs",
        r"^(?!.{0,1000}\b(?:(?:python|node|runtime|library|protocol) version\b|lock ?file\b))(?:.{0,1000})"
        r"\b(?:tag|version|release)\b.{0,120}\b(?:does not match|doesn't match|mis+[ -]?match|differs? from"
        r"|is not equal|disagree)\b.{0,200}"
        r"|expected version .{1,60}(?:but )?got",
        "The project's own check found that tag and version differ.",
        "Correct the version on the branch, and tag the commit that has it",
        Completion.DEPENDS,
    ),
    define(
        "no release",
        r"no release will be made|no release necessary|nothing to release|no commits? (?:found )?to bump"
        r"|\[NO_COMMITS_(?:TO_BUMP|FOUND)\]|not el[ei]gible to be bumped|isn't in any release groups"
        r"|configured to only publish from|new version won.t be published|no new version is released",
        "The release tool made no release.",
        "Read its reason: the branch, the commits since the last tag, and its configuration decide",
        rank=Rank.SKIPPED,
    ),
    define(
        "release tool",
        r"release-please failed|semantic[-_.]release.{0,120}\b(?:failed|error|exception)"
        r"|\[(?:NO_VERSION_SPECIFIED|INVALID_MANUAL_VERSION|NO_PATTERN_MAP|INVALID_CONFIG\w*)\]"
        r"|\[semantic-release\].{0,20}\bE[A-Z]{4,40}\b|\bsemantic-release err!|semantic_release\.errors\."
        r"|\b(?:git(?:push|tag|commit\w*|add|fetch)|notareleasebranch|missinggitremote"
        r"|unexpectedresponse|incompleterelease|parserload)error\b"
        r"|failed to (?:push (?:branch|tag) \(|create tag \(|commit changes\b)|build failed, aborting release"
        r"|unable to verify upstream due to error|\btag .{1,200} not (?:in release history|found in local repository)"
        r"|current version .{1,80} is not found in|no tag found to do an incremental|2nd git\.commit error"
        r"|release prs outstanding - aborting|working (?:directory|tree) is (?:not clean|dirty)"
        r"|you have unstaged changes"
        r"|did not find .{1,80} in file",
        "The release tool failed.",
        "Read its reason: branch groups, commits since the last tag, and its configuration decide",
    ),
    define(
        "no version",
        r"setuptools[-_]scm was unable to detect version|error getting the version from source"
        r"|unable to detect version control system",
        *_NO_VERSION,
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "wheel build",
        r"cibuildwheel: (?:error|no build identifiers|build failed)|no build identifiers selected"
        r"|failed to run custom build command|cargo metadata failed|error: could not compile `"
        r"|linker `.{1,60}` not found"
        r"|system library `.{1,60}` required by crate|pure python wheel was generated"
        r"|failed to build a native library|error ensuring \w{1,60} compliance"
        r"|library is not \w{1,60}.{0,60} compliant|couldn't find any python interpreters|cannot repair wheel"
        r"|\bdelocationerror\b|\bdelvewheel\b.{0,80}\b(?:failed|error)|unable to find library: "
        r"|maturin had a problem and crashed|command (?:\[.{1,600}\]|.{1,300}) failed with code"
        r"|auditwheel.{0,80}\b(?:error|cannot repair)"
        r"|delocate.{0,80}\berror",
        "A wheel did not build or could not be repaired.",
        "See which wheels were uploaded before it; fix the build and complete the version, or release the next one",
        Completion.DEPENDS,
    ),
    define(
        "build",
        r"fatal error: '?\S{1,80}: no such file|\bcmake error\b|unable to find vcvarsall"
        r"|visual c\+\+ .{1,20} is required"
        r"|ninja: build stopped|undefined reference to |backend subprocess exited"
        r"|does not appear to be a python project|unable to determine which files to ship"
        r"|cannot be a direct reference unless|\bno(?:version|docstring)error\b|\bconfig error: "
        r"|invalid `?pyproject\.toml|tomldecodeerror|configuration error: `project|poetry configuration is invalid"
        r"|backend ?unavailable|can't find rust compiler|failed to build|error: subprocess-exited-with-error"
        r"|building (?:sdist"
        r"|wheel).{0,200}\berror"
        r"|error: command '?[\w./+-]{1,100}'? failed|could not build wheels|metadata-generation-failed"
        r"|buildbackendexception",
        "The build failed.",
        "Fix the build; a re-run keeps the commit, so tag a new one unless the cause lies outside of it",
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "tests",
        r"=+ .{0,80}\b[1-9]\d* failed\b|\bFAILED \(failures=|(?<!\b0 )tests? failed\b|coverage failure"
        r"|nox > session .{1,80} failed",
        "Tests failed.",
        "Fix them; a re-run keeps the commit, so release from a new one unless they fail by chance",
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        # Last: a script may have gone on without a tag, and failed at something else.
        "no version",
        r"no names found, cannot describe anything|no tag exactly matches|no tags can describe",
        *_NO_VERSION,
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "lock file",
        r"lock file is not (?:compatible|up to date)|poetry\.lock is not up to date"
        r"|changed significantly since poetry\.lock"
        r"|lock ?file .{0,60}needs to be updated|lock file does not (?:exist|match)",
        "The lock file fits neither the project's requirements nor the tool's version.",
        "Lock again with the tool's version of the workflow, commit it, and release from that commit",
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "python version",
        r"the version '[^']{1,40}' with architecture .{1,40} was not found|\bno interpreter found for python",
        "The runner's image has no such Python.",
        "Name a Python that the image has, or an image that has it; then start the release again",
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "requirement",
        r"no matching distribution found for|could not find a version that satisfies|resolutionimpossible"
        r"|no solution found when resolving|do not match the hashes|externally-managed-environment"
        r"|because .{1,200} depends on .{1,200}version solving failed",
        "A requirement could not be installed: no version of it fits.",
        "Check its name and version; if it is the version published just now, wait a minute and run the job again",
        Completion.DEPENDS,
    ),
    define(
        "tool usage",
        r"\berror: (?:unexpected|unrecognized) arguments?\b|\bno such option:|\berror: unknown (?:option|command|flag)"
        r"|\bunknown (?:shorthand )?flag:|argument \S{1,60} invalid choice:|the option \".{1,60}\" does not exist",
        "A tool does not know an option that the workflow gives it: their versions do not fit.",
        "Pin the tool's version, or use the option's new name; then start the release again: a re-run keeps "
        "the old file",
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "missing tool",
        r"\binvalid command '\w{1,60}'",
        *_NOT_INSTALLED,
        before_upload=True,
    ),
    define(
        "missing input",
        r"\binput required and not supplied|\bmissing (?:required )?[\w-]{1,60} input\b|secret \w{1,60} is required"
        r"|\b[A-Z][A-Z0-9_]{2,60}_(?:TOKEN|PASSWORD|USERNAME|SECRET|KEY)\b.{0,60}\b(?:not set|unset|missing|empty"
        r"|required|not provided|unbound variable)\b"
        r"|\brequired input '?[\w-]{1,60}'? ",
        "An action lacks an input: often a secret that is not set here, or not given to this event.",
        "Set the secret in the repository or the environment that the job names, then run the failed job again",
        Completion.DEPENDS,
        before_upload=True,
    ),
    define(
        "signing",
        r"gpg: (?:signing failed|skipped)|\bno secret key\b|\bgpg\b.{0,60}\bexecutables? not available"
        r"|gpg failed to sign",
        "The files, the commit or the tag could not be signed: the key or the program is not there.",
        "Import the key without a pass-phrase prompt, or sign with the index's attestations instead; run the job again",
    ),
    define(
        # A script may go on after it: last.
        "nothing to commit",
        r"\bnothing (?:added )?to commit\b|no changes added to commit",
        "The job had nothing to commit: the version or the changelog was there already, and git ends with an error.",
        "Check whether tag and files of the version exist; let the step go on if nothing changed (`git diff --quiet`)",
        Completion.DEPENDS,
        Rank.EFFECT,
    ),
    define(
        "tool versions",
        r"importerror: cannot import name|no module named '\w+\.[\w.]+'"
        r"|attributeerror: module '[\w.]+' has no attribute",
        "Two Python packages of the step do not fit together: one is too new or too old for the other.",
        "Pin the versions of the step's tools (a constraints file), then start the release again",
        Completion.DEPENDS,
        Rank.EFFECT,
        before_upload=True,
    ),
    define(
        "wheel build",
        r"\b(?:exit code [1-9]|stopiteration\b)",
        "A wheel did not build or could not be repaired.",
        "See which wheels were uploaded before it; fix the build and complete the version, or release the next one",
        Completion.DEPENDS,
        Rank.EFFECT,
        step=r"cibuildwheel",
    ),
    define(
        "missing tool",
        r"\bexit code 127\b|python[\w.]*: no module named|\bmodulenotfounderror: no module named '\w+'(?!\.)"
        r"|\b(?:command|executable file) not found\b|unable to locate executable file"
        r"|is not recognized as (?:an internal|(?:the name of )?a cmdlet|the name of)",
        *_NOT_INSTALLED,
        Rank.EFFECT,
        before_upload=True,
    ),
)
