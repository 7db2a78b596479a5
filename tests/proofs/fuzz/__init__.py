"""Every parser, given what nobody would write: one table of targets for Hypothesis and for atheris."""
