"""What a step lacks before it can build: tools, options, inputs, a Python, what its command names.

Sources: the messages of pip, uv, Poetry, npm, make, tox and the shell; actions/runner for a step's outputs.
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, Rank, fail_before_upload
from release_state.facts.logs.families.build import FAILED

_NOT_INSTALLED = (
    "A command or module of the step is not installed in this job.",
    "Install the tool in the job that uses it, then start the release again: a re-run keeps the old file",
    Completion.DEPENDS,
)
_NOT_THERE = (
    "The step's command names a file, target or environment that is not there or may not be run.",
    "Compare the command in the workflow file with the commit's files, then start the release again",
    Completion.DEPENDS,
)
_NO_WHEEL = (
    "A wheel did not build or could not be repaired.",
    "See which wheels were uploaded before it; fix the build and complete the version, or release the next one",
    Completion.DEPENDS,
    Rank.EFFECT,
)
TOOLS = (
    fail_before_upload(
        "lock file",
        r"lock file is not (?:compatible|up to date)|poetry\.lock is not up to date"
        r"|changed significantly since poetry\.lock|lock ?file .{0,60}needs to be updated|lock file does not (?:exist"
        r"|match)|only install packages when your|key \"(?:files|content-hash|hashes)\" does not exist"
        r"|dependencies lock file is not found|lock ?file .{0,60}is not up to date|cannot update the lock file",
        "The lock file fits neither the project's requirements nor the tool's version.",
        "Lock again with the tool's version of the workflow, commit it, and release from that commit",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "python version",
        r"the version '[^']{1,40}' with architecture .{1,40} was not found|\bno interpreter found for python"
        r"|requires a different python|python version .{1,40} is not (?:allowed|supported) by the project"
        r"|unable to find a compatible version|incompatible with the project's python requirement",
        "The runner's image has no such Python.",
        "Name a Python that the image has, or an image that has it; then start the release again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "requirement",
        r"no matching distribution found for|could not find a version that satisfies|resolutionimpossible"
        r"|no solution found when resolving|do not match the hashes|unable to locate package|packagesnotfound"
        r"|because .{1,200} depends on .{1,200}version solving failed|\bERESOLVE\b|no matching version found for"
        r"|failed to select a version for|no matching package named|is not a supported wheel on this platform"
        r"|^error: invalid requirement"
        r"|unsatisfiable (?:error|dependencies)|doesn't have a source distribution or wheel for",
        "A requirement could not be installed: no version of it fits.",
        "Check its name and version; if it is the version published just now, wait a minute and run the job again",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "python environment",
        r"externally-managed-environment|no virtual environment found|ensurepip is not"
        r"|could not install packages due to an oserror",
        "The step may not install into this Python: it is the system's, is not writable, or uv knows no environment.",
        "Set up a Python of the job's own (`actions/setup-python`, `python -m venv`), then start the release again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "step output",
        r"unable to process (?:file )?command '|\binvalid format '|matching delimiter not found",
        "GitHub could not read what a script wrote to its outputs or environment.",
        "Write several lines with a delimiter to `$GITHUB_OUTPUT`, never by `::set-env`; then start the release again",
        Completion.DEPENDS,
    ),
    fail_before_upload(
        "tool usage",
        r"\berror: (?:unexpected|unrecognized) arguments?\b|\bno such option:|\berror: unknown (?:option|command|flag)"
        r"|\bunknown (?:shorthand )?flag:|argument \S{1,60} invalid choice:|the option \".{1,60}\" does not exist"
        r"|requested command .{1,40} does not exist|\bno such command\b",
        "A tool does not know an option that the workflow gives it: their versions do not fit.",
        "Pin the tool's version, or use the option's new name; then start the release again: a re-run keeps "
        "the old file",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "missing tool",
        r"cannot connect to the docker daemon",
        "The runner has no running Docker service, which the step needs.",
        "Run the step on a runner that has one (GitHub's Linux images), then start the release again",
        Completion.DEPENDS,
    ),
    fail_before_upload("missing tool", r"\binvalid command '\w{1,60}'", *_NOT_INSTALLED),
    fail_before_upload(
        "missing input",
        r"\binput required and not supplied|\bmissing (?:required )?[\w-]{1,60} input\b|secret \w{1,60} is required"
        r"|\b[A-Z][A-Z0-9_]{2,60}_(?:TOKEN|PASSWORD|USERNAME|SECRET|KEY)\b.{0,60}\b(?:not set|unset|missing|empty"
        r"|required|not provided|unbound variable)\b|\brequired input '?[\w-]{1,60}'? |^username and password required"
        r"|parameter token or opts\.auth is required|\] \w{1,30} option is required"
        r"|argument is empty\. maybe the secret|a value is required for '--",
        "An action lacks an input: often a secret that is not set here, or not given to this event.",
        "Set the secret in the repository or the environment that the job names, then run the failed job again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "signing",
        r"gpg: (?:signing failed|skipped)|\bno secret key\b|\bgpg\b.{0,60}\bexecutables? not available"
        r"|gpg failed to sign",
        "The files, the commit or the tag could not be signed: the key or the program is not there.",
        "Import the key without a pass-phrase prompt, or sign with the index's attestations instead; run the job again",
    ),
    fail_before_upload(
        "script",
        r"no rule to make target|\bmissing script: |environments not found in configuration|\bsessions not found\b"
        r"|\.sh: .{0,200}\bpermission denied\b|\bunknown environment '|recipe .{1,80} not found in justfile"
        r"|: line \d+: (?:\[{1,2}\S{0,60}: command not found|syntax error|\w{1,60}: unbound variable)"
        r"|^no file in .{1,300} matched to \[|could not open requirements file"
        r"|pathspec .{1,200} did not match any files\b",
        *_NOT_THERE,
    ),
    fail_before_upload(
        # A script may go on after it: last.
        "script",
        r"^(?:cat|chmod|cp|find|head|ls|mv|sed|sh|bash|tar): .{0,200}\bno such file or directory",
        *_NOT_THERE,
        Rank.EFFECT,
    ),
    KnownFailure(
        # A script may go on after it: last.
        "nothing to commit",
        r"\bnothing (?:added )?to commit\b|no changes added to commit",
        "The job had nothing to commit: the version or the changelog was there already, and git ends with an error.",
        "Check whether tag and files of the version exist; let the step go on if nothing changed (`git diff --quiet`)",
        Completion.DEPENDS,
        Rank.EFFECT,
    ),
    KnownFailure(
        "wheel build",
        r"command (?:\[.{1,600}\]|.{1,300}) failed with code|^(?!.*upload).*\bmaturin failed\b",
        *_NO_WHEEL,
    ),
    fail_before_upload(
        "tool versions",
        r"importerror: cannot import name|no module named '\w+\.[\w.]+'"
        r"|attributeerror: module '[\w.]+' has no attribute",
        "Two Python packages of the step do not fit together: one is too new or too old for the other.",
        "Pin the versions of the step's tools (a constraints file), then start the release again",
        Completion.DEPENDS,
        Rank.EFFECT,
    ),
    KnownFailure("wheel build", r"\b(?:exit code [1-9]|stopiteration\b)", *_NO_WHEEL, step=r"cibuildwheel"),
    fail_before_upload(
        "build",
        r"ninja: build stopped|backend subprocess exited|failed (?:to build|building wheel)"
        r"|subprocess-exited-with-error|building (?:sdist|wheel).{0,200}\berror|could not build wheels"
        r"|metadata-generation-failed|buildbackendexception|\bin setup command: |cmake configuration failed"
        r"|\.[cm]?tsx?\(\d+,\d+\): error|^error during build:|failed to calculate checksum of ref"
        r"|did not complete successfully: exit code|^(?:hatchling|setuptools|distutils|flit(?:_core)?|poetry\.core"
        r"|pdm\.backend|scikit_build_core|mesonpy)\.\w",
        *FAILED,
        Rank.EFFECT,
    ),
    fail_before_upload(
        "missing tool",
        r"\bexit code 127\b|python[\w.]*: no module named|^no module named '\w+'$"
        r"|\bmodulenotfounderror: no module named '\w+'(?!\.)"
        r"|\b(?:command|executable file) not found\b|unable to locate executable file"
        r"|is not recognized as (?:an internal|(?:the name of )?a cmdlet|(?:the|a) name of)",
        *_NOT_INSTALLED,
        Rank.EFFECT,
    ),
)
