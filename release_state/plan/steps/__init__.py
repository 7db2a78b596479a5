"""The single steps that a recovery is made of, with their exact commands; printed, never run (pure).

Rules that bind every step: nothing destructive rests on a fact that was not observed; a version that was published
keeps its tag; a branch with commits that the base lacks is saved before it is deleted, and one with an open pull
request is not deleted at all; an immutable GitHub Release and its tag are never touched. Deletions carry the hash that
was observed, so that the remote refuses them once something has moved. Which steps are needed, and in which order, is
decided in `recovery`.
"""
