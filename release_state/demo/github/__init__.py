"""A stand-in for GitHub's REST API that behaves as the real one does, over a real bare git repository."""

from release_state.demo.github.model import Answer, Job, RecordedRequest, Reply, Step
from release_state.demo.github.server import GitHubServer

__all__ = ["Answer", "GitHubServer", "Job", "RecordedRequest", "Reply", "Step"]
