"""Git and GitHub refuse: refs, pushes, pull requests, rights, GitHub Releases.

Sources: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository;
https://docs.github.com/code-security/supply-chain-security/understanding-your-software-supply-chain/immutable-releases
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, Rank

_NO_CREDENTIALS = (
    "Git has no credentials for the push: the checkout did not keep them.",
    "Set `persist-credentials: true` in that job's checkout, or push with a token; then complete what is missing",
)
_REFUSED = (
    "GitHub refused the GitHub Release.",
    "Read its reason; check tag name, target and whether a draft of it exists",
)
GIT = (
    KnownFailure(
        "D",
        r"not permitted to create or approve pull requests",
        "The repository's settings do not let Actions create pull requests.",
        "Allow it in Settings > Actions > General > Workflow permissions, and create this pull request yourself",
    ),
    KnownFailure(
        "D",
        r"\bno commits between\b",
        "The release branch has no commit that the base branch lacks, so GitHub creates no pull request.",
        "Check whether the base branch has the released commit: then no pull request is needed",
    ),
    KnownFailure(
        "D",
        r"a pull request (?:for branch .{1,400} )?already exists",
        "The release branch already has a pull request.",
        "Compare its title and base with the release, and continue with it",
    ),
    KnownFailure(
        "auto-merge",
        r"auto merge is not allowed",
        "The repository does not allow auto-merge, so the release's pull request waits.",
        "Merge it yourself, and allow auto-merge in the repository's settings",
    ),
    KnownFailure(
        "A",
        # A step that says "skipping" did not fail.
        r"^(?!.*\bskipp).*\ba branch named .{1,300} already exists",
        "The run could not create its release branch: the name exists.",
        "Back up what you need from the branch, delete it, and start the run again with the same inputs",
    ),
    KnownFailure(
        "immutable release",
        r"assets to an immutable release|immutable release|release is immutable",
        "The GitHub Release is immutable: it takes assets only while it is a draft.",
        "Attach assets to a draft, then publish it; this one stays as it is",
    ),
    KnownFailure(
        "asset exists",
        r"asset under the same name already exists|releaseasset.{0,80}already[_ ]exists"
        r"|already[_ ]exists.{0,80}releaseasset",
        "The GitHub Release already has a file of this name.",
        "Compare the two files; replace it with `gh release upload --clobber` only if the index has the new one",
    ),
    KnownFailure(
        "release exists",
        r"a release with the same tag name already exists|\brelease .{0,80}already[_ ]exists"
        r"|already[_ ]exists.{0,80}tag_name|tag_name.{0,80}already[_ ]exists",
        "A GitHub Release of the tag exists already.",
        "Check that it is the right one, and go on with it: `gh release upload` adds files",
    ),
    KnownFailure(
        "B",
        r"^(?!.*\bskipp)(?!.*release with the same).*\btag '?.{1,300} already exists"
        r"|updates were rejected because the tag already exists|\[rejected\].{0,200}\(already exists\)"
        r"|\breference (?:already exists|update failed)",
        "The run could not create its tag: the name exists.",
        "If the tag is on the intended commit, complete the release; if not, delete and recreate it",
    ),
    KnownFailure(
        "moved tag",
        r"does not point to the expected commit|ref may have been updated after the workflow was triggered"
        r"|would clobber existing tag",
        "The tag was moved or recreated while the run was waiting.",
        "Find out which commit it must be on, then start the release for that tag anew",
        Completion.DEPENDS,
        anywhere=True,
    ),
    KnownFailure(
        "workflow permission",
        r"without [`'\"]?workflows?[`'\"]? permission|\"workflow\" scope may be required",
        "The run's token may not push changed workflow files: the right `workflows` is none of its own.",
        "Push with the token of a GitHub App or a person that has it, or leave workflow files out of the commit",
    ),
    KnownFailure(
        "protected branch",
        r"\bGH006\b|\bGH013\b|protected branch hook declined|push declined due to repository rule violations"
        r"|changes must be made through a pull request|commits must have verified signatures|cannot (?:create|update"
        r"|delete) ref due to|required status checks? (?:are|is) expected|cannot (?:create|update"
        r"|force-push to) (?:this )?(?:protected )?(?:ref|branch|tag)",
        "Branch protection or a ruleset refused the push.",
        "Let the workflow's identity bypass the rule, or push to a branch that no rule covers",
    ),
    KnownFailure(
        "detached head",
        r"you are not currently on a branch|detached head state cannot match any release groups",
        "The run is on no branch: it checked out a tag or a commit, and could not push or release.",
        "Check out the branch by its name (`ref:`), or push with HEAD:BRANCH",
    ),
    KnownFailure(
        "no git credentials",
        r"could not read (?:username|password) for|permission denied \(publickey|host key verification failed"
        r"|support for password authentication was removed"
        r"|terminal prompts disabled|authentication failed for 'https://github",
        *_NO_CREDENTIALS,
    ),
    KnownFailure(
        "no git identity",
        r"please tell me who you are|author identity unknown|empty ident name|unable to auto-detect email address",
        "Git does not know who commits.",
        "Set user.name and user.email in the job before it commits or tags",
    ),
    KnownFailure(
        "environment rules",
        r"is not allowed to deploy to .{1,100} due to environment protection rules|deployment was rejected"
        r"|environment protection rules? (?:fail|reject)",
        "The environment's rules do not let this branch or tag deploy, or a reviewer refused.",
        "Allow the ref in the environment's deployment rules, or have it approved; then run the job again",
        anywhere=True,
    ),
    KnownFailure(
        "permission",
        r"resource not accessible by (?:integration|personal access token)|\bEGITNOPERMISSION\b"
        r"|permission to .{1,300} denied to |unable to access '.{1,300}': the requested url returned error: 403"
        r"|\brepository (?:'.{1,200}' )?not found\b|not been granted the required scopes|must have (?:push"
        r"|write) access|write access to repository not granted|must have admin rights"
        r"|\b403\b.{0,100}\bcontents\b.{0,60}\bpermission|\b403\b.{0,60}\bforbidden\b.{0,80}api\.github"
        r"|release failed with status: 403",
        "The run's token lacks a right.",
        "Give the job `contents: write` and `pull-requests: write`, and check that the settings allow them",
    ),
    KnownFailure(
        "GitHub credentials",
        r"\bgh auth login\b|\bset the GH_TOKEN environment variable|\bbad credentials\b"
        r"|json web token could not be decoded|get-(?:a-repository|an-organization)-installation|\bE(?:INVALID"
        r"|NO)GHTOKEN\b",
        "GitHub refused the token: it is wrong, expired or revoked.",
        "Renew the secret that holds it, or use the run's own token, then run the failed job again",
    ),
    KnownFailure(
        "no tag",
        r"\btag .{1,200} (?:doesn't exist in the repo|exists locally but has not been pushed)"
        r"|github releases requires a tag|release notes from tag .{1,200} does not exist locally",
        "The tag of the GitHub Release is not on the remote.",
        "Push the tag on the intended commit, then run the failed job again",
    ),
    KnownFailure(
        "no release to fill",
        r"^release not found\b",
        "The GitHub Release that the job wanted to fill does not exist, or is a draft that its token does not see.",
        "Create it for the tag, then run the failed job again",
        step=r"\bgh release",
    ),
    KnownFailure(
        "no ref",
        r"src refspec .{1,200} does not match any|pathspec .{1,200} did not match any file\(|couldn't find remote ref"
        r"|a branch or tag with the name .{1,200} could not be found|unknown revision or path not in the working tree"
        r"|reference is not a tree|not a valid object name|fatal: (?:bad revision|invalid reference)",
        "The job has no such branch, tag or commit: it does not exist, or the checkout did not fetch it.",
        "Check its name on the remote; check out with history and tags (`fetch-depth: 0`), then start the "
        "release again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "push rejected",
        r"\[(?:remote )?rejected\].{0,400}\((?:non-fast-forward|fetch first|cannot lock ref|stale info)"
        r"|updates were rejected because the (?:remote contains|tip of)|not possible to fast-forward"
        r"|reconcile divergent branches|\bmerge conflict in\b|could not apply [0-9a-f]{7}"
        r"|upstream ?branch (?:'.{1,200}' )?(?:has )?changed|\bupstreambranchchanged",
        "The remote branch has commits that the run lacked: another run or a push came first.",
        "Find out who pushed what, and let no two release runs overlap; the release itself may be made already",
    ),
    KnownFailure(
        "release refused",
        r"validation failed.{0,200}\b(?:release|tag_name|target_commitish)\b|\b422\b.{0,200}(?:\b(?:release|tag_name)\b"
        r"|/releases\b(?!/)|/releases/\d{1,20}/assets)|\bgithub3?\.\S{0,80}(?:: 422|unprocessable)|body is too long"
        r"|tag_name is not a valid tag|published releases must have a valid tag|target_commitish is invalid",
        *_REFUSED,
    ),
    KnownFailure(
        "release refused",
        r"^(?:error: )?(?:too many retries|validation failed)\W*$",
        *_REFUSED,
        rank=Rank.EFFECT,
        step=r"release",
    ),
    KnownFailure(
        "D",
        r"\b(?:creating pull request|pull request create) failed",
        "The run could not create the release's pull request.",
        "Check whether one exists for this head and base; else create it with the right title and body",
    ),
    KnownFailure("no git credentials", r"could not read from remote repository", *_NO_CREDENTIALS, rank=Rank.EFFECT),
    KnownFailure(
        "git refused",
        r"failed to push some refs",
        "The push was refused, and the log does not say why.",
        "Read the lines before it; compare the remote's branch and tags with what the job wanted to push",
        rank=Rank.EFFECT,
    ),
    KnownFailure(
        "git refused",
        r"\bexit code 128\b",
        "A git command failed (exit code 128) with an unknown message.",
        "Read the lines before it",
        rank=Rank.EFFECT,
    ),
)
