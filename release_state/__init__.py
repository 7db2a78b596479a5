"""Checks, read-only, whether a Python release is ready or complete, what is wrong, and how to fix it."""

__version__ = "0.1.0"
