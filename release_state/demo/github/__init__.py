"""A stand-in for GitHub's REST API that behaves as the real one does, over a real bare git repository."""

from release_state.demo.github.model import Job, Step
from release_state.demo.github.server import GitHubServer

__all__ = ["GitHubServer", "Job", "Step"]
