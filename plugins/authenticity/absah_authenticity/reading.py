"""Read all that the file itself tells, in sandboxed processes that may die one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from absah_authenticity import border, exif, jpeg, provenance, thumbnails
from absah_authenticity.exif import Exif
from absah_authenticity.jpeg import Structure
from absah_authenticity.provenance import Provenance
from absah_sdk import CheckContext, Document, DocumentUnreadable, Finding

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSignals:
    """What the file's bytes tell; None or empty where a part could not be read."""

    provenance: Provenance | None
    tags: Exif
    structure: Structure | None
    thumbnail: NDArray[np.uint8] | None = None
    unreadable: tuple[str, ...] = field(default=())
    """The parts whose reader gave up or died."""

    def findings(self) -> list[Finding]:
        """One finding for each part that could not be read."""
        return [
            Finding(
                code="metadata_unreadable",
                message="A part of the file's metadata could not be read.",
                attributes={"part": part},
            )
            for part in self.unreadable
        ]


async def read(document: Document, context: CheckContext, trust_anchors: str) -> FileSignals:
    """Read credentials, tags and structure side by side. Raises `DeadlinePassed`."""
    content, media_type = document.content, document.media_type
    found, lost = await _all(
        {
            "c2pa": _record(
                Provenance, context.isolate(_provenance, content, media_type, trust_anchors)
            ),
            "exif": _record(Exif, context.isolate(_tags, content)),
            "jpeg": _record(Structure, context.isolate(_structure, content)),
        }
    )
    tags = found.get("exif") or Exif()
    if tags.thumbnail:
        decoding = context.isolate(thumbnails.decode, tags.thumbnail)
        more, also_lost = await _all({"thumbnail": _grey(decoding)})
        found, lost = found | more, lost + also_lost
    return FileSignals(
        provenance=found.get("c2pa"),
        tags=tags,
        structure=found.get("jpeg"),
        thumbnail=found.get("thumbnail"),
        unreadable=lost,
    )


def _provenance(content: bytes, media_type: str, trust_anchors: str) -> dict[str, Any]:
    return border.to_plain(provenance.read(content, media_type, trust_anchors))


def _tags(content: bytes) -> dict[str, Any]:
    return border.to_plain(exif.read(content))


def _structure(content: bytes) -> dict[str, Any] | None:
    found = jpeg.read(content)
    return None if found is None else border.to_plain(found)


async def _record(kind: type[T], answer: Awaitable[Mapping[str, Any] | None]) -> T | None:
    values = await answer
    return None if values is None else border.from_plain(kind, values)


async def _grey(answer: Awaitable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    pixels = await answer
    if pixels.ndim != 2 or not pixels.size or pixels.dtype != np.uint8:
        raise DocumentUnreadable("the thumbnail is no picture")
    return pixels


async def _all(parts: dict[str, Awaitable[Any]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Wait for all parts; those that are unreadable are named instead of returned."""
    answers = await asyncio.gather(*(_or_none(part) for part in parts.values()))
    named = dict(zip(parts, answers, strict=True))
    lost = tuple(name for name, answer in named.items() if answer is _LOST)
    return {name: answer for name, answer in named.items() if answer is not _LOST}, lost


_LOST = object()


async def _or_none(part: Awaitable[T]) -> T | object:
    try:
        return await part
    except DocumentUnreadable:
        return _LOST
