"""The checkout is not what the job needs: none, of another user, changed, cut off, or without its parts.

Sources: actions/checkout; git's and Git LFS's messages
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, fail_before_upload

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
