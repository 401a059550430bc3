"""All that a plugin author imports.

from absah_sdk import Capabilities, Checker, Form, Outcome, Result, hookimpl
"""

from absah_sdk.checking import (
    Artifact,
    Box,
    Capabilities,
    CheckContext,
    Checker,
    Finding,
    Form,
    Model,
    Outcome,
    Region,
    Result,
    Settings,
    Severity,
    Span,
)
from absah_sdk.document import Document, Page, TextRun
from absah_sdk.errors import AbsahError, DeadlinePassed, DocumentUnreadable, InferenceFailed
from absah_sdk.hookspecs import hookimpl

__all__ = [
    "AbsahError",
    "Artifact",
    "Box",
    "Capabilities",
    "CheckContext",
    "Checker",
    "DeadlinePassed",
    "Document",
    "DocumentUnreadable",
    "Finding",
    "Form",
    "InferenceFailed",
    "Model",
    "Outcome",
    "Page",
    "Region",
    "Result",
    "Settings",
    "Severity",
    "Span",
    "TextRun",
    "hookimpl",
]
