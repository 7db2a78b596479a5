"""Logs of failed, and of falsely green, release jobs, each with the scenario that explains it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.incidents.forms import UPLOAD, log, step
from tests.incidents.reports import read_reports

HASH = "5f0c2b9b3a1f4c6d8e7f9a0b1c2d3e4f5a6b7c8d"


@dataclass(frozen=True)
class Case:
    """One log; `scenario` None: nobody can tell from it, and the tool must say so."""

    name: str
    text: str
    scenario: str | None
    says: str
    """Words of the first decisive line."""
    succeeded: bool = False


def failed(name: str, scenario: str | None, says: str, title: str, *output: str, code: int = 1) -> Case:
    """A job whose one step printed this and failed."""
    return Case(name, log(step(title, *output, code=code)), scenario, says)


def marked(name: str, scenario: str | None, says: str, title: str, *output: str) -> Case:
    """A job whose action marked its last line as an error itself."""
    return Case(name, log(step(title, *output[:-1], f"##[error]{output[-1]}", code=None)), scenario, says)


def green(name: str, scenario: str | None, says: str, title: str, *output: str) -> Case:
    """A job that ended well."""
    return Case(name, log(step(title, *output, code=None)), scenario, says, succeeded=True)


RETRY = [
    'WARNING  Received "503: Service Unavailable"',
    "         Package upload appears to have failed. Retry 1 of 5.",
    "Uploading orbit_kit-0.3.0-py3-none-any.whl",
]
PIP_RETRY = (
    "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken "
    "by 'ReadTimeoutError(\"HTTPSConnectionPool(host='index.example', port=443): Read timed out.\")': /simple/build/"
)

CASES: tuple[Case, ...] = (
    # ---- who is it
    marked(
        "no id-token, publish action",
        "id-token",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "pypa/gh-action-pypi-publish@release/v1",
        "Checking dist/orbit_kit-0.3.0.tar.gz: PASSED",
        "Trusted publishing exchange failure: \nOpenID Connect token retrieval failed: GitHub: missing or insufficient "
        "OIDC token permissions, the ACTIONS_ID_TOKEN_REQUEST_TOKEN environment variable was unset\n\n"
        "This generally indicates a workflow configuration error",
    ),
    failed(
        "no id-token, uv",
        "id-token",
        "id-token: write",
        "uv publish --trusted-publishing always",
        "error: Failed to obtain token for trusted publishing",
        "  Caused by: Failed to obtain OIDC token: is the `id-token: write` permission missing?",
        "  Caused by: insufficient permissions: missing ACTIONS_ID_TOKEN_REQUEST_URL",
        code=2,
    ),
    Case(
        "no id-token for a called workflow",
        "The workflow is not valid. .github/workflows/cd.yml (Line: 37, Col: 3): Error calling workflow "
        f"'o/r/.github/workflows/p.yml@{HASH[:7]}'. The nested job 'publish' is requesting 'id-token: write', "
        "but is only allowed 'id-token: none'.\n",
        "id-token",
        "only allowed 'id-token: none'",
    ),
    failed(
        "publisher differs, uv",
        "trusted publisher",
        "required claim 'sub'",
        "uv publish",
        "error: Failed to obtain token for trusted publishing",
        "  Caused by: Server returned error code 422 Unprocessable Entity, is trusted publishing correctly configured?",
        'Response: {"errors":[{"code":"invalid-publisher","description":"valid token, but no corresponding publisher '
        "(Check failed for required claim 'sub')\"}]}",
        code=2,
    ),
    marked(
        "publisher differs, publish action",
        "trusted publisher",
        "no corresponding publisher",
        "pypa/gh-action-pypi-publish@release/v1",
        "Trusted publishing exchange failure: \nToken request failed: the server refused the request for these "
        "reasons:\n\n* `invalid-publisher`: valid token, but no corresponding publisher (Publisher with these claims "
        "was not found)",
    ),
    marked(
        "token used twice",
        "trusted publisher token",
        "already used",
        "pypa/gh-action-pypi-publish@release/v1",
        "Token request failed: the server refused the request for these reasons: `invalid-reuse-token`: invalid "
        "token: already used",
    ),
    # ---- the index is down, or was
    failed(
        "503 to the end",
        "upload time-out",
        "HTTPError: 503",
        "twine upload dist/*",
        *RETRY,
        f"ERROR    HTTPError: 503 Service Unavailable from {UPLOAD}",
        "         Backend is unhealthy",
    ),
    Case(
        "503 that was got over, then an immutable release",
        log(
            step("twine upload dist/*", *RETRY, "View at:", code=None),
            step("o/gh-release@v2", "##[error]Cannot upload assets to an immutable release. - https://x", code=None),
        ),
        "immutable release",
        "immutable release",
    ),
    Case(
        "a download that was retried, then the build fails",
        log(
            step("pip install build", PIP_RETRY, "Successfully installed build-1.4.0", code=None),
            step("python -m build", "* Building sdist...",
            "ERROR Backend subprocess exited when trying to invoke build"),
        ),
        "build",
        "Backend subprocess exited",
    ),
    failed(
        "a private index keeps what it has",
        "C",
        "delete/overwrite artifact",
        "uv publish",
        "error: Failed to publish `dist/orbit_kit-0.2.1-py3-none-any.whl` to https://packages.example.com/api",
        "  Caused by: Upload failed with status code 403 Forbidden. Server says: {",
        '  "errors" : [ {',
        '    "status" : 403,',
        "    \"message\" : \"Not enough permissions to delete/overwrite artifact 'main:orbit' (user: 'deployer')\"",
        "  } ]",
        "}",
        code=2,
    ),
    failed(
        "another private index keeps what it has",
        "C",
        "already been taken",
        "twine upload -r private dist/*",
        "ERROR    HTTPError: 400 Bad Request from https://git.example/api/v4/projects/7/packages/pypi",
        '         {"message":"Validation failed: File name has already been taken"}',
    ),
    # ---- metadata and files, before the index is asked
    failed(
        "metadata newer than the tool",
        "metadata version",
        "introduced in metadata version 2.4",
        "twine upload dist/*",
        "ERROR    InvalidDistribution: Invalid distribution metadata: license-expression ",
        "         introduced in metadata version 2.4, not 2.3                            ",
    ),
    failed(
        "a file without its attestation",
        "attestation",
        "no associated attestations",
        "pypa/gh-action-pypi-publish@release/v1",
        "ERROR    InvalidDistribution: Upload with attestations requested, but          ",
        "         dist/orbit_kit-4.2.3.zip has no associated attestations               ",
    ),
    # ---- artifacts between jobs
    marked(
        "two artifacts of one name",
        "artifact clash",
        "artifact with this name already exists",
        "actions/upload-artifact@v4",
        "Artifact name is valid!",
        "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this "
        "name already exists on the workflow run",
    ),
    marked(
        "an artifact that nobody made",
        "artifact missing",
        "Artifact not found for name",
        "actions/download-artifact@v4",
        "Unable to download artifact(s): Artifact not found for name: dist\n        Please ensure that your artifact "
        "is not expired",
    ),
    failed("nothing to upload", "empty dist", "Cannot find file", "twine upload dist/*",
           "ERROR    InvalidDistribution: Cannot find file (or expand pattern): 'dist/*'"),
    marked(
        "an action that was switched off",
        "deprecated action",
        "deprecated version of",
        "actions/upload-artifact@v3",
        "This request has been automatically failed because it uses a deprecated version of `upload-artifact: v3`",
    ),
    marked("a container action off Linux", "linux only", "only supported on Linux", "pypa/gh-action-pypi-publish@v1",
           "Container action is only supported on Linux"),
    # ---- git
    failed(
        "a protected branch",
        "protected branch",
        "GH006",
        "git push",
        "remote: error: GH006: Protected branch update failed for refs/heads/main.",
        "remote: error: Changes must be made through a pull request. 4 of 4 required status checks are expected.",
        " * [new tag]         v0.3.0 -> v0.3.0",
        " ! [remote rejected]   main -> main (protected branch hook declined)",
    ),
    failed("a ruleset without a code", "protected branch", "Changes must be made", "git push",
           "remote: - Changes must be made through a pull request.",
           " ! [remote rejected] main -> main (push declined)"),
    failed(
        "workflow files that the token may not push",
        "workflow permission",
        "permission",
        "git push",
        "remote: error: GH013: Repository rule violations found for refs/heads/release/pypi-v0.3.0.",
        "remote: - refusing to allow a GitHub App to create or update workflow `.github/workflows/b.yml` without "
        "`workflows` permission",
    ),
    failed("no branch to push", "detached head", "not currently on a branch", "git push",
           "fatal: You are not currently on a branch.", "To push the history leading to the current state now",
           code=128),
    failed("no credentials for the push", "no git credentials", "could not read Username", "git push origin v0.3.0",
           "fatal: could not read Username for 'https://github.com': No such device or address", code=128),
    failed("nobody who commits", "no git identity", "Please tell me who you are", "git commit -am bump",
           "Author identity unknown", "*** Please tell me who you are.", "fatal: unable to auto-detect email",
           code=128),
    failed("a tag that is there", "B", "already exists", "bump-my-version bump minor",
           "fatal: tag '0.3.0' already exists",
           "CalledProcessError: Command '['git', 'tag']' returned exit status 128."),
    Case(
        "a tag that was tolerated, then the build fails",
        log(
            step("git tag v0.3.0 || true", "fatal: tag 'v0.3.0' already exists", code=None),
            step("python -m build", "error: command 'gcc' failed with exit code 1"),
        ),
        "build",
        "gcc",
    ),
    Case(
        "a report that fails after the real failure",
        log(
            step("twine upload dist/*", f"ERROR    HTTPError: 403 Forbidden from {UPLOAD}",
                 "         Invalid or non-existent authentication information. See the page"),
            step("slackapi/slack-github-action@v2", "##[error]Error: An HTTP protocol error occurred: status 429, "
                 "too many requests", code=None),
        ),
        "index credentials",
        "Invalid or non-existent",
    ),
    Case(
        "artifacts that nobody made after the build failed",
        log(
            step("python -m build", "ERROR Backend subprocess exited when trying to invoke build_wheel"),
            step("actions/upload-artifact@v4",
                 "##[error]No files were found with the provided path: dist/.", code=None),
        ),
        "build",
        "Backend subprocess exited",
    ),
    Case(
        "a step that may fail, then the real failure",
        log(
            step("gh release delete v0.3.0", "release not found"),
            step("pip install build twine", "Successfully installed build-1.4.0 twine-6.2.0", code=None),
            step("python -m build", "ERROR Backend subprocess exited when trying to invoke build_wheel"),
        ),
        "build",
        "Backend subprocess exited",
    ),
    marked("a tag that moved", "moved tag", "does not point to the expected commit", "actions/checkout@v4",
           f"The ref 'refs/tags/v0.3.0' does not point to the expected commit '{HASH}'. It may have been updated."),
    failed(
        "the documents' branch went on",
        "push rejected",
        "fetch first",
        "mike deploy --push 0.3 latest",
        "error: failed to push branch gh-pages to origin:",
        "  To https://github.com/example-org/orbit-kit",
        "   ! [rejected]        gh-pages -> gh-pages (fetch first)",
    ),
    # ---- GitHub
    failed("a GitHub Release that is there", "release exists", "same tag name", "gh release create v0.3.0",
           "a release with the same tag name already exists: v0.3.0"),
    marked("an asset that GitHub did not take", "release asset", "502", "softprops/action-gh-release@v2",
           "Failed to upload release asset orbit_kit-0.3.0.tar.gz. received status code 502: Bad Gateway "
           "(https://uploads.github.com/repos/o/r/releases/1/assets)"),
    marked("an immutable release", "immutable release", "immutable", "softprops/action-gh-release@v2",
           "Creating new GitHub release for tag v0.3.0...",
           "Cannot upload assets to an immutable release. - https://x"),
    marked("a right that lacks", "permission", "not accessible by integration", "softprops/action-gh-release@v2",
           "Resource not accessible by integration - https://docs.github.com/rest/releases/releases#create-a-release"),
    marked("pull requests are not allowed", "D", "not permitted to create", "googleapis/release-please-action@v4",
           "release-please failed: GitHub Actions is not permitted to create or approve pull requests. - https://x"),
    marked("an environment that does not let it", "environment rules", "not allowed to deploy", "publish",
           'Branch "v0.3.0" is not allowed to deploy to pypi due to environment protection rules.'),
    marked("no commits for a pull request", "D", "No commits between", "peter-evans/create-pull-request@v7",
           'Validation Failed: {"resource":"PullRequest","code":"custom","message":"No commits between main and rel"}'),
    failed("a pull request that is there", "D", "already exists", "gh pr create --base main",
           'a pull request for branch "release/pypi-v0.3.0" into branch "main" already exists:',
           "https://github.com/o/r/pull/7"),
    failed("a pull request that GitHub did not make", "D", "create failed", "gh pr create --base main",
           "pull request create failed: GraphQL: Head sha can't be blank, Base sha can't be blank (createPullRequest)"),
    failed("a release branch that is there", "A", "a branch named", "git checkout -b release/pypi-v0.3.0",
           "fatal: a branch named 'release/pypi-v0.3.0' already exists", code=128),
    failed("a GitHub Release that is refused", "release refused", "422", "gh release create v0.3.0",
           "HTTP 422: Validation Failed (https://api.github.com/repos/o/r/releases)",
           "Release.target_commitish is invalid"),
    marked("git without a reason", "git refused", "exit code 128", "actions/checkout@v4",
           "The process '/usr/bin/git' failed with exit code 128"),
    failed("GitHub's API is down", "GitHub", "HTTP 502", "gh release view v0.3.0",
           "HTTP 502: Bad Gateway (https://api.github.com/repos/o/r/releases/tags/v0.3.0)"),
    # ---- time and concurrency
    Case("too long", log([
        "##[error]The job running on runner GitHub Actions 5 has exceeded the maximum execution time of 360 minutes.",
        "##[error]The operation was canceled.",
    ]), "time limit", "maximum execution time"),
    Case("cancelled by somebody", log(["##[error]The operation was canceled."]), "cancelled", "canceled"),
    Case("a workflow file that GitHub cannot read",
         "The workflow is not valid. .github/workflows/cd.yml (Line: 9, Col: 5): Unexpected value 'stepz'\n",
         "workflow file", "is not valid"),
    Case("a runner that is gone", log(["##[error]The runner has received a shutdown signal. This can happen when the "
                                      "runner service is stopped, or a manually started runner is canceled."]),
         "no runner", "shutdown signal"),
    Case("displaced by another run", log(["##[error]Canceling since a higher priority waiting request for r exists",
                                          "##[error]The operation was canceled."]), "concurrency", "higher priority"),
    # ---- builds, tests, tools
    failed("a wheel that does not build", "wheel build", "cibuildwheel: error", "python -m cibuildwheel",
           "ld: library 'omp' not found", "error: command '/usr/bin/clang++' failed with exit code 1",
           "cibuildwheel: error: Command ['python', '-m', 'pip', 'wheel'] failed with code 1."),
    marked("tag and version differ", "version differs", "does not match", "check",
           "Tag v0.3.0 does not match the version in pyproject.toml (0.2.0)"),
    marked("release-please without a version", "release tool", "release-please failed",
           "googleapis/release-please-action@v4", "release-please failed: Error fetching pull request data"),
    failed("tests failed", "tests", "2 failed", "pytest", "=========== 2 failed, 40 passed in 3.00s ==========="),
    failed("nothing that is known", None, "something else", "make release", "error: something else went wrong"),
    # ---- green, and nothing was published
    green("skipped by hatch", "C", "already exists", "hatch publish",
           "dist/orbit_kit-0.2.0.tar.gz ... already exists"),
    green("skipped by twine", "C", "appears to already exist", "twine upload --skip-existing dist/*",
          "WARNING  Skipping orbit_kit-0.2.0-py3-none-any.whl because it appears to already", "         exist"),
    green("no release from a detached head", "no release", "no release will be made", "semantic-release version",
          "Detached HEAD state cannot match any release groups; no release will be made"),
    green("all is well", None, "", "twine upload dist/*", "View at:",
           "https://index.example/project/orbit-kit/0.3.0/"),
)  # fmt: skip

CASES += (  # in the words of public reports
    failed(
        "an image that nobody published, for a commit",
        "container image",
        "manifest unknown",
        "pypa/gh-action-pypi-publish@release/v1",
        "Unable to find image 'registry.example/publish:5f0c2b9' locally",
        "docker: Error response from daemon: manifest unknown.",
        "See 'docker run --help'.",
        code=125,
    ),
    failed(
        "an image that the registry did not give",
        "container image",
        "failed to authorize",
        "pypa/gh-action-pypi-publish@release/v1",
        "#3 ERROR: failed to authorize: failed to fetch oauth token: unexpected status fr"
        "om GET request to https://auth.docker.example/token: 401 Unauthorized",
        "ERROR: failed to solve: python:3.12-slim: failed to resolve source metadata",
    ),
    failed(
        "an image that was denied",
        "other registry",
        "denied",
        "docker/build-push-action@v6",
        'Error response from daemon: Get "https://registry.example/v2/": denied: denied',
    ),
    failed(
        "a bare 400",
        None,
        "400 Bad Request",
        "pypa/gh-action-pypi-publish@release/v1",
        "Uploading orbit_kit-3.1.5-py3-none-any.whl",
        "WARNING  Error during upload. Retry with the --verbose option for more details. ",
        f"ERROR    HTTPError: 400 Bad Request from {UPLOAD}          ",
        "         Bad Request  ",
    ),
    failed(
        "a name that is there, with a hash",
        "C",
        "already exists",
        "python -m twine upload dist/*",
        f"ERROR    HTTPError: 400 Bad Request from {UPLOAD}        ",
        "         File already exists ('orbit_kit-0.1.0-py3-none-any.whl', with     ",
        "         blake2_256 hash                                                        ",
        "         '9db71050bd8a32301af3c3a441f93b72').   ",
    ),
    failed(
        "an old twine without a login",
        "index credentials",
        "403",
        "twine upload dist/*",
        "HTTPError: 403 Client Error: Invalid or non-existent authentication information."
        " See https://index.example/help/#invalid-auth for details",
    ),
    failed(
        "a description, old twine",
        "description",
        "failed to render",
        "twine upload dist/*",
        "Error during upload. Retry with the --verbose option for more details.",
        f"HTTPError: 400 Bad Request from {UPLOAD}",
        "The description failed to render for 'text/x-rst'. See https://index.example/hel"
        "p/#description-content-type for more information.",
    ),
    failed(
        "a classifier",
        "classifier",
        "classifiers",
        "twine upload dist/*",
        f"ERROR    HTTPError: 400 Bad Request from {UPLOAD}",
        "         Invalid value for classifiers. Error: Classifier 'Development status ::"
        " 5 - Production/Stable' is not",
        "         a valid classifier.",
    ),
    failed(
        "semantic-release behind its branch",
        "push rejected",
        "Updates were rejected",
        "python-semantic-release",
        "error: failed to push some refs to 'https://github.com/o/r.git'",
        "hint: Updates were rejected because the tip of your current branch is behind",
        "hint: its remote counterpart.",
    ),
    failed(
        "semantic-release that cannot push",
        "release tool",
        "GitPushError",
        "python-semantic-release/python-semantic-release@v9",
        '  File "/psr/.venv/lib/python3.12/site-packages/semantic_release/gitproject.py", line 233, in git_push_branch',
        "    raise GitPushError(",
        "semantic_release.errors.GitPushError: Failed to push branch (main) to remote",
    ),
    marked(
        "release-please without rights",
        "permission",
        "Resource not accessible",
        "googleapis/release-please-action@v4",
        "Building pull requests",
        "release-please failed: Resource not accessible by integration",
    ),
    marked(
        "release-please and a workflow file",
        "release tool",
        "Error adding to tree",
        "googleapis/release-please-action@v4",
        "> Fetching release-please-config.json from branch main",
        "release-please failed: Error adding to tree: 5f0c2b9",
    ),
    failed(
        "a right that lacks, gh",
        "permission",
        "Resource not accessible",
        "gh release create",
        "release not found",
        "HTTP 403: Resource not accessible by integration (https://api.github.com/repos/o/r/releases)",
    ),
    marked(
        "a wrong token for the GitHub Release",
        "GitHub credentials",
        "Bad credentials",
        "softprops/action-gh-release@v2",
        "Unexpected error fetching GitHub release for tag refs/heads/main: HttpError: Bad credentials",
        "Bad credentials",
    ),
    marked(
        "an action that is gone",
        "workflow file",
        "Unable to resolve action",
        "x",
        "Unable to resolve action o/zip, repository not found",
    ),
    failed(
        "cibuildwheel, pip wheel",
        "wheel build",
        "failed with code 1",
        "pypa/cibuildwheel@v2.23",
        "cibuildwheel: error: Command ['python', '-m', 'pip', 'wheel', '/project', '--no-deps'] failed with code 1.",
        "This might be caused by a build configuration error.",
    ),
    marked(
        "artifact of the other generation",
        "artifact missing",
        "Artifact not found",
        "actions/download-artifact@v4",
        "Unable to download artifact(s): Artifact not found for name: dist",
    ),
    marked(
        "artifact of the other generation, old action",
        "artifact missing",
        "Unable to find any artifacts",
        "actions/download-artifact@v3",
        "Starting download for dist",
        "Unable to find any artifacts for the associated workflow",
    ),
    failed(
        "a status without a reason, poetry",
        "index credentials",
        "403",
        "poetry publish",
        " - Uploading orbit_kit-0.3.0.tar.gz 100%",
        "HTTP Error 403: Invalid or non-existent authentication information. See https://"
        "index.example/help/#invalid-auth for more information. | b'<html>\\n'",
    ),
    failed(
        "an index that takes no uploads there",
        "index address",
        "405",
        "poetry publish",
        " - Uploading orbit_kit-0.3.0.tar.gz 0%",
        "HTTP Error 405: Method Not Allowed | b''",
    ),
)

CASES += tuple(Case(name, text, scenario, says) for name, text, scenario, says in read_reports())
