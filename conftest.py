"""Wires the suite to pytest, nothing else."""

pytest_plugins = ["release_state.plugin", "fixtures.target", "fixtures.snapshot"]
