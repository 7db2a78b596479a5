"""Which checks there are beside those of the suite."""
