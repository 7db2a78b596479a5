"""The audit: every version of a project's history on one channel, observed once and judged one by one."""
