"""Turn what a caller has at hand into documents of a request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absah.v1 import document_service_pb2
from absah.v1 import validation_service_pb2 as pb2


@dataclass(frozen=True, slots=True)
class Text:
    """A document that is text at hand, not a file."""

    text: str


Content = str | os.PathLike[str] | bytes | Text
"""A path, a file's bytes, or text."""
Source = Content | document_service_pb2.StoredDocument
"""The same, or what was uploaded before."""

PRIORITIES = {
    "low": pb2.PRIORITY_LOW,
    "normal": pb2.PRIORITY_NORMAL,
    "high": pb2.PRIORITY_HIGH,
}


def document(role: str, source: Source) -> pb2.Document:
    """Make one document; a path is read. Raises OSError."""
    if isinstance(source, document_service_pb2.StoredDocument):
        return pb2.Document(role=role, name=source.name)
    if isinstance(source, Text):
        return pb2.Document(role=role, text=source.text)
    if isinstance(source, bytes):
        return pb2.Document(role=role, content=source)
    path = Path(source)
    return pb2.Document(role=role, filename=path.name, content=path.read_bytes())


def request(
    policy: str,
    documents: Mapping[str, Source | Iterable[Source]],
    *,
    checkers: Iterable[str] = (),
    claims: Mapping[str, Any] | None = None,
    request_id: str = "",
    priority: str = "normal",
    return_artifacts: bool = False,
) -> pb2.ValidateRequest:
    """Make a request; a role may have one source or several. Raises OSError."""
    made = pb2.ValidateRequest(
        request_id=request_id,
        policy=policy,
        checkers=checkers,
        documents=[
            document(role, source)
            for role, sources in documents.items()
            for source in _several(sources)
        ],
        priority=PRIORITIES[priority],
        return_artifacts=return_artifacts,
    )
    if claims:
        made.claims.update(dict(claims))
    return made


def _several(sources: Source | Iterable[Source]) -> Iterable[Source]:
    if isinstance(sources, str | os.PathLike | bytes | Text | document_service_pb2.StoredDocument):
        return (sources,)
    return sources
