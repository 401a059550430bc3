"""What a document is as it is kept, and as it is uploaded."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass

from absah_server.core import names

MAX_CHUNK_BYTES = 256 * 1024


class DocumentState(enum.StrEnum):
    """Where a kept document stands."""

    UPLOADING = "UPLOADING"
    READY = "READY"
    DELETED = "DELETED"
    """Its content is gone; records still name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDocument:
    """A document of a tenant's. `digest` is its SHA-256 in lower-case hexadecimal.

    `received_bytes` says how much of it has arrived, `media_type` what its bytes are once it is
    READY. Without `expire_time` it goes with the last validation that needs it.
    """

    digest: str
    state: DocumentState
    size_bytes: int
    received_bytes: int
    media_type: str
    create_time: datetime.datetime
    expire_time: datetime.datetime | None

    @property
    def name(self) -> str:
        return names.document_name(self.digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadHeader:
    """What an upload says first: what is coming, and where in it the first chunk begins."""

    digest: str
    size_bytes: int
    offset_bytes: int
