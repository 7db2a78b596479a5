"""States for the checks of single subjects: where a check holds, needs action, or is unknown."""
