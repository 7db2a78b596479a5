"""Who answers each look-up."""

from __future__ import annotations

#: Look-ups by where their answer comes from; what is not named here comes from GitHub.
_SOURCES = {
    "remote": "git remote",
    "clone": "clone",
    "related_clone": "clone",
    "history": "git history",
    "index": "index",
    "installation": "installation",
    "opened": "published files",
    "published": "published files",
    "workflow_files": "git history",
    "last_run": "log of the last run",
    "witness": "log of the last run",
    "services": "status pages",
    "calculation": "version calculation",
    "clone_tags": "clone",
}


def name_source(lookup: str) -> str:
    """Who a look-up asks, in words."""
    return _SOURCES.get(lookup, "GitHub")
