"""The single steps of a recovery, with their exact commands; printed, never run (pure).

Rules for every step: nothing destructive depends on an unknown fact. A published version keeps its tag. A branch with
commits that the base lacks is backed up before its deletion, and one with an open pull request is not deleted. An
immutable GitHub Release and its tag are never touched. A deletion carries the observed hash, so that the remote
refuses it if the ref has moved. `recovery` and `directions` decide which steps are needed, and in which order.
"""
