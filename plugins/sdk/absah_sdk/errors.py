"""Errors that a checker raises or meets."""


class AbsahError(Exception):
    """Base of the errors that the platform knows."""


class DocumentUnreadable(AbsahError):
    """The document cannot be read; `str()` says why, in words for the person who sent it."""


class InferenceFailed(AbsahError):
    """A model did not answer for these inputs; neighbours in the same batch were not harmed."""


class DeadlinePassed(AbsahError):
    """The time for this check ran out."""
