"""Many projects in one run: the audit or a gate of each, observed side by side, with a row for each in one report."""
