"""The version that a tree declares for a package, read statically: nothing of the project runs (pure)."""
