"""What comes before the upload: tests of the project's own, builds, artifacts between jobs, tools, runners.

Sources: the actions' own pages; https://docs.github.com/actions/tutorials/store-and-share-data
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, Rank, define

_NOTHING = "nothing was published"

_NO_VERSION = (
    f"The build found no tag to take the version from: {_NOTHING} by this job.",
    "Check out the tag with its history (`fetch-depth: 0`), or set the version; then build again",
)

_NOT_INSTALLED = (
    f"A command or module of the step is not installed in this job: {_NOTHING} by it.",
    "Install the tool in the job that uses it, then start the release again: a re-run keeps the old file",
    Completion.DEPENDS,
)
_EMPTY = (
    f"There was nothing to upload: `dist/` is empty or elsewhere; {_NOTHING}.",
    "Build before the upload, and upload from the folder that the build wrote to",
)

IMAGES = (
    define(
        "container image",
        r"\bmanifest unknown\b|error response from daemon:.{0,300}\b(?:denied|unauthorized|not found|refused"
        r"|timeout|unexpected http status|toomanyrequests)|no basic auth credentials"
        r"|docker (?:pull|build) failed with exit code"
        r"|failed to (?:authorize|resolve source metadata|solve):.{0,300}\b(?:oauth|metadata|authorize|registry)",
        f"The runner did not get a container image of an action: {_NOTHING} by this job.",
        "Pin the action to a released commit, not to its tag object; if the registry was down, run the job again",
        Completion.DEPENDS,
    ),
)
ARTIFACTS = (
    define(
        "artifact clash",
        r"artifact with this name already exists|createartifact.{0,200}\b409\b",
        f"Two jobs upload an artifact of one name, so the second failed: {_NOTHING}.",
        "Give each job's artifact a name of its own (`name: dist-${{ matrix.os }}`), download them with "
        "`merge-multiple`",
    ),
    define(
        "artifact name",
        r"artifact name .{0,200}\bis not valid|files in (?:the )?artifact is not valid",
        f"The name of an artifact, or of a file in it, has a character that artifacts may not have: {_NOTHING}.",
        "Build the name without slashes and colons (`${{ matrix.python }}`, not a path), then start the release again",
        Completion.DEPENDS,
    ),
    define(
        "artifact storage",
        r"artifact storage quota",
        f"The account's storage for artifacts is full: {_NOTHING} by this job.",
        "Delete old artifacts or shorten their retention; GitHub counts again after some hours, then run all "
        "jobs again",
    ),
    define(
        "artifact storage",
        r"blob storage chunk did not respond|unable to download artifact\. unexpected status|upload progress stalled"
        r"|\w+artifact: response from backend was not ok|digest validation failed for artifact"
        r"|unexpected http response from blob storage|create artifact container failed.{0,300}\b5\d\d\b"
        r"|artifact download failed after \d+ retries|failed to (?:createartifact|finalizeartifact|listartifacts"
        r"|getsignedartifacturl).{0,200}\b(?:unable to make request|e(?:timedout|connreset|notfound)|5\d\d)"
        r"|(?:down|up)load(?:ing)? (?:and extract )?(?:of )?artifact.{0,200}"
        r"\b(?:e(?:timedout|connreset)|timed ?out|50\d)",
        f"GitHub's store of artifacts did not take or give one: {_NOTHING} by this job.",
        "Run the failed job again; if it fails in the same way, update both artifact actions",
    ),
    define(
        "empty dist",
        r"failed to upload .{1,300}\bis a directory\b|\bisadirectoryerror\b.{0,300}\bdist\b",
        "The upload met a folder instead of a file: each downloaded artifact lies in a folder of its own.",
        "Download the artifacts with `merge-multiple: true` into the folder that is uploaded, then run the job again",
    ),
    define(
        "empty dist",
        r"\bno artifacts found\b",
        *_EMPTY,
        step=r"\bhatch\b.{0,80}\bpublish",
    ),
    define(
        "artifact missing",
        r"artifact not found for name|\bartifact '[^']{1,200}' not found|none of the provided artifact ids"
        r"|\bmissing artifact\b"
        r"|unable to (?:download|find).{0,60}artifact|no artifacts? found"
        r"|artifact has expired",
        f"The build job handed nothing over to this job: {_NOTHING}.",
        "Check that the build job ran and uploads under this name; artifacts expire, so run all jobs again",
    ),
    define(
        "empty dist",
        r"no files? (?:were|was) found with the provided path|cannot find file \(or expand pattern\)"
        r"|no (?:distributions?|files) (?:found|to (?:upload|publish))|dist/?.{0,40}(?:is empty|does not exist"
        r"|no such file)|\bno files to check\b|path patterns didn't match any|\bno matches found for [`'\"]"
        r"|invaliddistribution: no such file|archive \(.{1,200}\) does not exist|does not include a valid file"
        r"|\bno wheels were built",
        *_EMPTY,
    ),
    define(
        "deprecated action",
        r"uses a deprecated version of|(?:node1[26]|node20) actions? (?:are|is) (?:deprecated|no longer)"
        r"|this version of .{1,80} is (?:deprecated|no longer supported)",
        "GitHub has switched off a version of an action that the workflow uses.",
        "Update the action in the workflow file, then start the release again: a re-run keeps the old file",
        Completion.DEPENDS,
        anywhere=True,
    ),
    define(
        "linux only",
        r"container action is only supported on linux|container operations are only supported on linux",
        "The publish action runs on Linux only.",
        "Publish in a job of its own on ubuntu, then start the release again",
        Completion.DEPENDS,
        anywhere=True,
    ),
)
BUILD = (
    define(
        "workflow file",
        r"the (?:workflow|template) is not valid|fail(?:ed)? to load .{1,200}/action\.ya?ml"
        r"|unrecognized named-value|invalid workflow file|error parsing called workflow"
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
        r"no runner matching|waiting for a runner|hosted runner.{0,80}(?:lost communication|shut ?down"
        r"|encountered an error)"
        r"|the runner has received a shutdown signal|no space left on device",
        "The runner went away or is none of that name.",
        "Run the failed jobs again, and check which of tag and files the run created",
        anywhere=True,
    ),
    define(
        "version differs",
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
        r"|\[NO_COMMITS_(?:TO_BUMP|FOUND)\]|not el[ei]gible to be bumped|isn't in any release groups",
        "The release tool made no release.",
        "Read its reason: the branch, the commits since the last tag, and its configuration decide",
        rank=Rank.SKIPPED,
    ),
    define(
        "release tool",
        r"release-please failed|semantic[-_.]release.{0,120}\b(?:failed|error|exception)"
        r"|\[(?:NO_VERSION_SPECIFIED|INVALID_MANUAL_VERSION|NO_PATTERN_MAP|INVALID_CONFIG\w*)\]"
        r"|semantic_release\.errors\.|\b(?:git(?:push|tag|commit\w*|add|fetch)|notareleasebranch|missinggitremote"
        r"|unexpectedresponse|incompleterelease|parserload)error\b"
        r"|failed to (?:push (?:branch|tag) \(|create tag \(|commit changes\b)|build failed, aborting release"
        r"|unable to verify upstream due to error|\btag .{1,200} not (?:in release history|found in local repository)"
        r"|current version .{1,80} is not found in|no tag found to do an incremental|2nd git\.commit error"
        r"|release prs outstanding - aborting",
        "The release tool failed.",
        "Read its reason: branch groups, commits since the last tag, and its configuration decide",
    ),
    define(
        "no version",
        r"setuptools[-_]scm was unable to detect version|error getting the version from source"
        r"|unable to detect version control system",
        *_NO_VERSION,
        Completion.DEPENDS,
    ),
    define(
        "wheel build",
        r"cibuildwheel: (?:error|no build identifiers|build failed)|no build identifiers selected"
        r"|pure python wheel was generated|failed to build a native library|error ensuring \w{1,60} compliance"
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
        r"backend subprocess exited|does not appear to be a python project|unable to determine which files to ship"
        r"|cannot be a direct reference unless|\bno(?:version|docstring)error\b|\bconfig error: "
        r"|invalid `?pyproject\.toml|tomldecodeerror|configuration error: `project|poetry configuration is invalid"
        r"|backend ?unavailable|can't find rust compiler|failed to build|error: subprocess-exited-with-error"
        r"|building (?:sdist"
        r"|wheel).{0,200}\berror"
        r"|error: command '?[\w./+-]{1,100}'? failed|could not build wheels|metadata-generation-failed"
        r"|buildbackendexception",
        f"The build failed: {_NOTHING} by this job.",
        "Fix the build; a re-run keeps the commit, so tag a new one unless the cause lies outside of it",
        Completion.DEPENDS,
    ),
    define(
        "tests",
        r"=+ .{0,80}\b\d+ failed\b|\bFAILED \(failures=|tests? failed\b|coverage failure|nox > session .{1,80} failed",
        f"Tests failed before the upload: {_NOTHING} by this job.",
        "Fix them; a re-run keeps the commit, so release from a new one unless they fail by chance",
        Completion.DEPENDS,
    ),
    define(
        # Last: a script may have gone on without a tag, and failed at something else.
        "no version",
        r"no names found, cannot describe anything|no tag exactly matches|no tags can describe",
        *_NO_VERSION,
        Completion.DEPENDS,
    ),
    define(
        "tool usage",
        r"\berror: (?:unexpected|unrecognized) arguments?\b|\bno such option:|\berror: unknown (?:option|command|flag)"
        r"|\bunknown (?:shorthand )?flag:|argument \S{1,60} invalid choice:|the option \".{1,60}\" does not exist",
        f"A tool does not know an option that the workflow gives it: their versions do not fit: {_NOTHING} by it.",
        "Pin the tool's version, or use the option's new name; then start the release again: a re-run keeps "
        "the old file",
        Completion.DEPENDS,
    ),
    define(
        "missing tool",
        r"\binvalid command '\w{1,60}'",
        *_NOT_INSTALLED,
    ),
    define(
        "missing input",
        r"\binput required and not supplied",
        f"An action lacks an input: often a secret that is not set here, or not given to this event: {_NOTHING} by it.",
        "Set the secret in the repository or the environment that the job names, then run the failed job again",
        Completion.DEPENDS,
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
    ),
    define(
        "missing tool",
        r"\bexit code 127\b|python[\w.]*: no module named|\bmodulenotfounderror: no module named"
        r"|\b(?:command|executable file) not found\b|unable to locate executable file"
        r"|is not recognized as (?:an internal|(?:the name of )?a cmdlet|the name of)",
        *_NOT_INSTALLED,
        Rank.EFFECT,
    ),
)
