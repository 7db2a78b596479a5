"""Which checks there are beside those of the suite, and the list of all for an editor."""
