"""What a job works on: its checkout, artifacts of the jobs before it, and the images of actions.

Sources: git's and Git LFS's messages; actions/checkout; actions/toolkit, packages/artifact;
actions/upload-artifact and actions/download-artifact;
https://docs.github.com/actions/tutorials/store-and-share-data
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, fail_before_upload

_EMPTY = (
    "There was nothing to upload, as `dist/` is empty or elsewhere.",
    "Build before the upload, and upload from the folder that the build wrote to",
)

_NO_IMAGE = (
    "The runner did not get a container image of an action.",
    "Pin the action to a released commit, not to its tag object; if the registry was down, run the job again",
    Completion.DEPENDS,
)
IMAGES = (
    fail_before_upload(
        "container image", r"no basic auth credentials", *_NO_IMAGE, step=r"^(?!.*\b(?:docker|podman|image) push)"
    ),
    fail_before_upload(
        "container image",
        r"\bmanifest unknown\b|error response from daemon:.{0,300}\b(?:denied|unauthorized|not found|refused|timeout"
        r"|unexpected http status|toomanyrequests)|docker (?:pull|build) failed with exit code|failed to (?:authorize"
        r"|resolve source metadata|solve):.{0,300}\b(?:oauth|metadata|authorize|registry)",
        *_NO_IMAGE,
    ),
)
ARTIFACTS = (
    fail_before_upload(
        "artifact clash",
        r"artifact with this name already exists|createartifact.{0,200}\b409\b",
        "Two jobs upload an artifact of one name, so the second failed.",
        "Give each job's artifact a name of its own (`name: dist-${{ matrix.os }}`), download them with "
        "`merge-multiple`",
    ),
    fail_before_upload(
        "artifact name",
        r"artifact name .{0,200}\bis not valid|files in (?:the )?artifact is not valid",
        "The name of an artifact, or of a file in it, has a character that artifacts may not have.",
        "Build the name without slashes and colons (`${{ matrix.python }}`, not a path), then start the release again",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "artifact storage",
        r"artifact storage quota",
        "The account's storage for artifacts is full.",
        "Delete old artifacts or shorten their retention; GitHub counts again after some hours, then run all "
        "jobs again",
    ),
    fail_before_upload(
        "artifact storage",
        r"blob ?not ?found|specified blob does not exist|get container items\b.{0,40}\b(?:failed|not retryable)"
        r"|blob storage chunk did not respond|unable to download artifact\. unexpected status|upload progress stalled"
        r"|\b\w{1,60}artifact: response from backend was not ok|digest validation failed for artifact"
        r"|unexpected http response from blob storage|create artifact container failed.{0,300}\b5\d\d\b"
        r"|artifact download failed after \d+ retries|failed to (?:createartifact|finalizeartifact|listartifacts"
        r"|getsignedartifacturl).{0,200}\b(?:unable to make request|e(?:timedout|connreset|notfound)|5\d\d)|(?:down"
        r"|up)load(?:ing)? (?:and extract )?(?:of )?artifact.{0,200}\b(?:e(?:timedout|connreset)|timed ?out|50\d)",
        "GitHub's store of artifacts did not take or give one.",
        "Run the failed job again; if it fails in the same way, update both artifact actions",
    ),
    KnownFailure(
        "empty dist",
        r"failed to upload .{1,300}\bis a directory\b|\bisadirectoryerror\b.{0,300}\bdist\b",
        "The upload met a folder instead of a file: each downloaded artifact lies in a folder of its own.",
        "Download the artifacts with `merge-multiple: true` into the folder that is uploaded, then run the job again",
    ),
    fail_before_upload("empty dist", r"\bno artifacts found\b", *_EMPTY, step=r"\bhatch\b.{0,80}\bpublish"),
    fail_before_upload("empty dist", r"\bpattern .{1,200} does not match any files", *_EMPTY, step=r"release"),
    fail_before_upload(
        "artifact missing",
        r"artifact not found for name|\bartifact '[^']{1,200}' not found|none of the provided artifact ids"
        r"|\bmissing artifact\b|unable to (?:download|find).{0,60}artifact|no artifacts? found|artifact has expired",
        "The build job handed nothing over to this job.",
        "Check that the build job ran and uploads under this name; artifacts expire, so run all jobs again",
    ),
    fail_before_upload(
        "empty dist",
        r"no files? (?:were|was) found with the provided path|cannot find file \(or expand pattern\)"
        r"|no (?:distributions?|files) (?:found|to (?:upload|publish))|no such file or directory: '?[^']{0,200}\bdist\b"
        r"|enoent: no such file or directory, \w{1,8} '[^']{0,200}(?:\bdist\b|\.whl|\.tar\.gz)|dist/?.{0,40}(?:is empty"
        r"|does not exist|no such file)|\bno files to check\b|path patterns didn't match any"
        r"|\bno matches found for [`'\"]|invaliddistribution: no such file|archive \(.{1,200}\) does not exist"
        r"|does not include a valid file|\bno wheels were built",
        *_EMPTY,
    ),
    KnownFailure(
        "deprecated action",
        r"uses a deprecated version of|(?:node1[26]|node20) actions? (?:are|is) (?:deprecated|no longer)"
        r"|this version of .{1,80} is (?:deprecated|no longer supported)",
        "GitHub has switched off a version of an action that the workflow uses.",
        "Update the action in the workflow file, then start the release again: a re-run keeps the old file",
        Completion.DEPENDS,
        anywhere=True,
    ),
    KnownFailure(
        "linux only",
        r"container action is only supported on linux|container operations are only supported on linux",
        "The publish action runs on Linux only.",
        "Publish in a job of its own on ubuntu, then start the release again",
        Completion.DEPENDS,
        anywhere=True,
    ),
)


CHECKOUT = (
    fail_before_upload(
        "submodule",
        r"\bin \.gitmodules\b|into submodule path .{1,300} failed|fetched in submodule path",
        "The checkout did not get a submodule: its address is missing, or the token may not read it.",
        "Correct `.gitmodules`, or give the checkout a token that reads the submodule; then start the release again",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "LFS",
        r"over its data quota|/info/lfs|\bsmudge (?:error|filter lfs failed)",
        "The checkout did not get files of Git LFS: they are missing, or the account's quota is used up.",
        "Raise the quota or push the missing files, then run the failed job again",
    ),
    KnownFailure(
        "no checkout",
        r"fatal: not a git repository",
        "The job has no checkout of the repository, and its command needs one.",
        "Check out the repository in that job, or name it (`gh … --repo OWNER/NAME`), then start the release again",
        Completion.DEPENDS,
        step=r"\b(?:git|gh) ",
    ),
    KnownFailure(
        "unsafe folder",
        r"dubious ownership in repository",
        "Git refuses the checkout: another user owns it than the one in the container.",
        "Add it to git's `safe.directory` in that step, then start the release again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "dirty checkout",
        r"local changes to the following files would be overwritten",
        "A step before has changed files of the checkout, so git does not go to another commit.",
        "Commit or leave out what that step writes, then start the release again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "shallow history",
        r"refusing to merge unrelated histories|shallow update not allowed|\bno merge base\b",
        "The checkout has too little history for what git has to do.",
        "Check out with history (`fetch-depth: 0`), then start the release again",
        Completion.DEPENDS,
    ),
)
