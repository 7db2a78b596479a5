"""The fault matrix: every request of a run meets every fault, on real sockets."""
