"""The state that a test or the demo world sets up, and the rules by which GitHub keeps it consistent."""

from __future__ import annotations

from release_state.demo.github.state_checks import CheckState
from release_state.demo.github.state_pulls import PullState, ReleaseState
from release_state.demo.github.state_pushes import PushState


class GitHubState(PullState, ReleaseState, CheckState, PushState):
    """Everything that GitHub knows of one repository, with methods to set it up."""
