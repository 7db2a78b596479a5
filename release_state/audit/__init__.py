"""The audit: all versions of a project on one channel, observed once and judged one by one."""
