"""What went wrong in real releases: logs, rewritten as small as they can be, each with its right answer."""
