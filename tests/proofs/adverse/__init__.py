"""The adverse-fact matrix: true, complete, bad facts in unexpected places."""
