"""Says, read-only, whether a Python release is ready, released and verified, or what is wrong and how to mend it."""

__version__ = "0.1.0"
