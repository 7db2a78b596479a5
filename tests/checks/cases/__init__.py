"""States for the checks of files of their own: where a fact holds, where action is needed, where it is unknown."""
