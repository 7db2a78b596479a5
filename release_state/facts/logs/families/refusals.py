"""The index takes part in the conversation and refuses the file, the version or the project.

Sources: the upload API of PyPI (pypi/warehouse: warehouse/forklift/legacy.py and metadata.py),
https://packaging.python.org/specifications/core-metadata; the messages of Artifactory, Nexus, GitLab and devpi
"""

from __future__ import annotations

from release_state.facts.logs.failure import Completion, KnownFailure, Rank

_BUILD = "Fix it in the project's metadata, build again and upload under a new commit"

_HAS_IT = (
    "The index refused a file: it has or had one of this name.",
    "Check what is published; a used version stays used: complete this one, or release the next",
    Completion.DEPENDS,
)
REFUSALS = (
    KnownFailure(
        "C",
        r"\bfile already exists\b|\ba file named .{1,300} already exists\b|\bfilename was previously used\b"
        r"|\bfilename has already been used\b|\bfile name reuse\b|local file and index file do not match"
        r"|\bfile name has already been taken|does not allow updating assets"
        r"|\b409\b.{0,80}\bconflict\b.{0,200}\b(?:already|exist|upload)|delete/overwrite artifact"
        r"|repository does not allow (?:redeploy|overwrit)",
        *_HAS_IT,
    ),
    KnownFailure(
        "description",
        r"description failed to render|checking .{1,300}\bfailed due to warnings|has syntax errors in markup"
        r"|\bdescription[_-]content[_-]type\b.{0,80}\binvalid|description-content-type' (?:must be one of"
        r"|can only specify|are \[)|not a valid content type for 'description-content-type",
        "The index cannot render the project's description (README).",
        "Fix the description and its content type, check it with `twine check --strict`, build again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "local version",
        r"use of local versions in|can(?:not|'t) use pep 440 local versions|local version (?:identifier"
        r"|label)s?.{0,60}not allowed",
        "A development version was built: the checkout has no tag of this version.",
        "Check out the tag with its history (`fetch-depth: 0`), or set the version; then build again",
    ),
    KnownFailure(
        "metadata version",
        r"introduced in metadata version|unrecognized or malformed field|is not a valid metadata version"
        r"|unknown metadata version|no enum constant .{0,80}metadataversion"
        r"|metadata is missing required fields|unsupported metadata version",
        "The built files' metadata do not fit: the build backend and the uploading tool know different versions of it.",
        "Update build backend, twine (or the publish action) and `packaging`, then build again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "licence",
        r"license[ -]expression|for ['\"]license-(?:file|expression)|unknown license(?: exception)?: "
        r"|invalid licenseref|license[ -]file.{0,200}(?:does not exist|not found|missing)|invalid license",
        "The index refused the licence in the metadata.",
        "Write an SPDX expression in `license`, name existing `license-files`, and build again with an "
        "up-to-date backend",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "classifier",
        r"is not a valid classifier|^unrecognised classifier|the classifier .{1,200} has been deprecated"
        r"|invalid value for classifiers",
        "The index does not know, or no longer takes, a classifier.",
        "Take the classifier from the list of valid ones, build again",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "file name",
        r"start and end with a letter or numeral",
        "The index refused the project's name as the metadata spell it.",
        "Correct the name in the project's metadata, build again and upload what is missing",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "metadata",
        r"can't have direct dependency|cannot have direct dependency|is not a valid url|is not a valid email address"
        r"|must be \d+ characters or less|must have an? (?:label|url)\b|invalid (?:distribution )?metadata"
        r"|\binvalid value for \w|\buse a (?:known file type|valid, hex)|use 'source' as python version"
        r"|python version is required for|is (?:a required field|not allowed as a dynamic)|must be a single line"
        r"|\bis invalid for ['\"]|unrecognized field: |(?:requires[-_]dist|requires[-_]python|provides[-_]dist"
        r"|project[-_]url).{0,120}invalid|has invalid data|should not be a tuple|multiple lines are not allowed"
        r"|is not a valid dynamic field|\bis invalid: |include at least one message digest|unknown protocol version",
        "The index refused a field of the metadata.",
        _BUILD,
        Completion.DEPENDS,
    ),
    KnownFailure(
        "file size",
        r"file too large|project size too large|\b413\b.{0,60}\b(?:too large|entity)|exceeds the maximum (?:file"
        r"|upload) size",
        "The file, or the project, is larger than the index allows.",
        "Make the file smaller, or ask the index for a higher limit; then upload what is missing",
    ),
    KnownFailure(
        "platform tag",
        r"unsupported platform tag|binary wheel for an unsupported platform|has an unsupported platform"
        r"|not supported on this platform tag",
        "The index takes no wheel with this platform tag: it was not repaired.",
        "Repair wheels (auditwheel, delocate, delvewheel; cibuildwheel does), build again and upload them",
    ),
    KnownFailure(
        "file name",
        r"filename .{1,300} is invalid|start filename for|version in filename should be|invalid (?:wheel )?filename"
        r"|invalid build number|invalid (?:source distribution )?file ?name|should contain the normalized project name"
        r"|valid source distributions: |invalid (?:sdist|project name: )"
        r"|invalid file extension|cannot upload a file with|filename is too long",
        "The index refused the file's name.",
        "Update the build backend (PEP 625 and PEP 491 rule the names), build again and upload what is missing",
    ),
    KnownFailure(
        "attestation",
        r"already ha(?:s|ve) (?:a )?publish attestations?",
        "The publish action met the attestations that an upload before it left in the folder.",
        "Publish to each index in a job of its own, or set `attestations: false` for the first one",
    ),
    KnownFailure(
        "attestation",
        r"invalid attestations? supplied|invalid json in attestation|invalid pep 740 attestation"
        r"|attestation generation failure|verify the uploaded artifact using the included attestation"
        r"|no associated attestations|attestations? (?:are|is) only supported|malformed attestations"
        r"|attestations are not currently supported|maximum of \d+ attestations"
        r"|verify(?:ing)? (?:included )?attestation|attestations? (?:with unsupported|for the same file)"
        r"|attestations temporarily disabled",
        "The index or the uploading tool refused the attestations.",
        "Publish from the workflow that the trusted publisher names, not from a reusable one, or set `attestations: "
        "false`; upload only files that were attested",
    ),
    KnownFailure(
        "distribution file",
        r"invalid distribution file|no (?:metadata in archive|pkg-info)\b|multiple pkg-info files"
        r"|payload does not have a file|unsupported sdist format"
        r"|too many top-level members|pkg-info is not a regular file|upload signed files by themselves"
        r"|neither a wheel nor a source distribution|missing required field .{1,80} in artifact"
        r"|unknown distribution (?:format|file type)|does not contain the required metadata|zip archive not accepted"
        r"|digest supplied does not match|only one sdist may be uploaded|wheel .{1,200} does not contain"
        r"|invalid(?:distribution)?: .{0,200}unknown distribution format|not a known archive|has invalid entry points",
        "The index refused the file itself.",
        "Build it anew with an up-to-date backend, check it with `twine check`, upload it",
        Completion.DEPENDS,
    ),
    KnownFailure(
        "closed release",
        r"older than \d+ days|no longer accepts? (?:new )?files|release is closed|closed to (?:new )?uploads",
        "The index takes no more files of this version: its first file is too old.",
        "Release the next version with all files",
        Completion.NEXT,
    ),
    KnownFailure(
        "project name",
        r"too similar to an existing project|conflicts with an existing project|the name .{1,200} (?:isn't"
        r"|is not) allowed|name .{1,200} (?:is prohibited|already in use)|the name .{1,200} is invalid\.",
        "The index does not allow the project's name: taken, too similar or reserved.",
        "Choose another name, or ask the index for it",
    ),
    KnownFailure(
        "project closed",
        r"project .{0,200}\b(?:is|has been|was) (?:archived|quarantined|locked|in quarantine)|while in quarantine"
        r"|owning this project is inactive|new project registration (?:is )?(?:temporarily )?disabled",
        "The project is archived, quarantined or otherwise closed on the index.",
        "See the project's page; its owner can unarchive it, its index can release it",
    ),
    KnownFailure(
        "C",
        r"^(?!.*\bskipp).*\b(?:entity|file|package|version|artifact|distribution)\b.{0,80}\balready exists?\b",
        *_HAS_IT,
        Rank.EFFECT,
        uploading=True,
    ),
    KnownFailure(
        "refused upload",
        r"\b400\b.{0,300}(?:/legacy/?[`'\"]?|server says:|http error 400:)\W{1,10}(?!(?:400 )?bad request\b"
        r"|error:? bad)(?:400 )?\w+(?:\W{1,5}\w+){2}|http error 400: (?!bad request)\w+(?:\W{1,5}\w+){2}",
        "The index refused the upload, with a reason that it states in its own words.",
        "Read its reason; fix what it names, and upload what is missing",
        Completion.DEPENDS,
        Rank.EFFECT,
    ),
    KnownFailure(
        "C",
        r"\balready exists on .{1,60}?\bskipp|\bversion .{1,60} already (?:exists|published)\b.{0,60}?\bskipp"
        r"|\bskipping .{1,200} because it appears to already exist|\.(?:whl|tar\.gz|zip) \.\.\. already exists"
        r"|\bfile .{1,200} already exists, skipping|\breleased['\"]?\s{0,3}[=:]\s{0,3}['\"]?skipped\b",
        "The index already had the version: the run published nothing, and may have skipped later steps.",
        "If that was intended, check tag, GitHub Release and pull request; else release the next version",
        Completion.DEPENDS,
        Rank.SKIPPED,
    ),
)
