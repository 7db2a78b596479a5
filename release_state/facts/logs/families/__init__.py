"""Known failures of release runs, in the order in which they are looked for: a cause comes before its effects.

The letters are the runbook's scenarios: A branch exists, B tag exists, C version is published, D no pull request.
"""

from __future__ import annotations

from release_state.facts.logs.failure import KnownFailure
from release_state.facts.logs.families.artifacts import ARTIFACTS, CHECKOUT, IMAGES
from release_state.facts.logs.families.build import BUILD
from release_state.facts.logs.families.elsewhere import ELSEWHERE, STEPS
from release_state.facts.logs.families.git import GIT
from release_state.facts.logs.families.identity import IDENTITY
from release_state.facts.logs.families.refusals import REFUSALS
from release_state.facts.logs.families.services import SERVICES
from release_state.facts.logs.families.tools import TOOLS

KNOWN_FAILURES: tuple[KnownFailure, ...] = (
    *ELSEWHERE,
    *ARTIFACTS,
    *IMAGES,
    *CHECKOUT,
    *GIT,
    *REFUSALS,
    *SERVICES,
    *IDENTITY,
    *BUILD,
    *TOOLS,
    *STEPS,
)
