"""Read the EXIF tags that the checks need, from a TIFF stream of any condition.

Standard: CIPA DC-008 (Exif 3.0), TIFF 6.0. The reader follows at most five directories and a
bounded number of entries, ignores what it cannot make sense of, and never raises on bad content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from absah_authenticity import containers

MAX_ENTRIES = 512
MAX_TEXT = 256
MAX_THUMBNAIL_BYTES = 512_000

_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 13: 4}
_TEXT_TAGS = {
    0x000B: "processing_software",
    0x010F: "make",
    0x0110: "model",
    0x0131: "software",
    0x013C: "host",
    0x0132: "modified",
    0x9003: "captured",
    0x9004: "digitised",
    0x9010: "modified_offset",
    0x9011: "captured_offset",
}
_NUMBER_TAGS = {0x0112: "orientation", 0xA002: "width", 0xA003: "height"}
_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_XMP_TOOL = re.compile(rb"(?:CreatorTool|softwareAgent)(?:=\"|>)([^\"<]{1,200})[\"<]")

Values = tuple[bytes | float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exif:
    """What the tags say. Times are as the camera's clock showed them, without a zone."""

    make: str = ""
    model: str = ""
    software: tuple[str, ...] = ()
    """Every program that left its name, in EXIF or XMP."""
    captured: datetime | None = None
    captured_offset: str = ""
    """Offset of the camera's clock from UTC such as "+07:00"; empty where it is not told."""
    modified: datetime | None = None
    digitised: datetime | None = None
    gps_time: datetime | None = None
    """In UTC; midnight where only the date is told."""
    latitude: float | None = None
    longitude: float | None = None
    orientation: int | None = None
    size: tuple[int, int] | None = None
    """(width, height) as the camera noted them."""
    thumbnail: bytes = field(default=b"", repr=False)
    """An embedded JPEG, not decoded."""

    @property
    def present(self) -> bool:
        """Whether the file carries any tag that this reader knows."""
        return self != Exif()


def read(content: bytes) -> Exif:
    """Read the tags of an image file; an empty `Exif` where there are none."""
    blocks = containers.metadata(content)
    tags = _Tiff(blocks.tiff).tags() if blocks.tiff[:4] in containers.TIFF_SIGNATURES else {}
    tools = [_text((name,)) for name in _XMP_TOOL.findall(blocks.xmp)[:20]]
    return _from_tags(tags, tools)


class _Tiff:
    """A TIFF stream; offsets count from its first byte."""

    def __init__(self, stream: bytes) -> None:
        self.stream = stream
        self.order: str = "little" if stream[:2] == b"II" else "big"

    def tags(self) -> dict[str, Values]:
        """The values of all known tags by name, and "thumbnail" with the embedded JPEG."""
        first, follower = self._directory(self._number(4, 4))
        camera, _ = self._directory(self._pointer(first, _EXIF_POINTER))
        gps, _ = self._directory(self._pointer(first, _GPS_POINTER))
        second, _ = self._directory(follower)
        found: dict[str, Values] = {}
        for tag, name in {**_TEXT_TAGS, **_NUMBER_TAGS}.items():
            if value := camera.get(tag) or first.get(tag):
                found[name] = value
        found |= {f"gps_{tag}": value for tag, value in gps.items() if tag < 0x20}
        if thumbnail := self._thumbnail(second):
            found["thumbnail"] = (thumbnail,)
        return found

    def _number(self, offset: int, size: int, *, signed: bool = False) -> int:
        raw = self.stream[offset : offset + size]
        return int.from_bytes(raw, self.order, signed=signed)  # type: ignore[arg-type]

    def _directory(self, offset: int) -> tuple[dict[int, Values], int]:
        """The entries of the directory at this offset, and where the next one starts."""
        if not 8 <= offset <= len(self.stream) - 6:
            return {}, 0
        count = min(self._number(offset, 2), MAX_ENTRIES)
        entries = {}
        for index in range(count):
            start = offset + 2 + 12 * index
            if start + 12 > len(self.stream):
                break
            entries[self._number(start, 2)] = self._values(start)
        return entries, self._number(offset + 2 + 12 * count, 4)

    def _values(self, start: int) -> Values:
        kind, count = self._number(start + 2, 2), self._number(start + 4, 4)
        size = _TYPE_SIZES.get(kind, 0) * count
        if not size:
            return ()
        offset = start + 8 if size <= 4 else self._number(start + 8, 4)
        if kind in (1, 2, 6, 7):
            return (self.stream[offset : offset + min(size, MAX_TEXT)],)
        width = _TYPE_SIZES[kind]
        places = range(offset, offset + width * min(count, 4), width)
        return tuple(self._scalar(place, kind) for place in places if place < len(self.stream))

    def _scalar(self, offset: int, kind: int) -> float:
        if kind not in (5, 10):
            return self._number(offset, _TYPE_SIZES[kind], signed=kind in (8, 9))
        above = self._number(offset, 4, signed=kind == 10)
        below = self._number(offset + 4, 4, signed=kind == 10)
        return above / below if below else float("nan")

    @staticmethod
    def _pointer(entries: Mapping[int, Values], tag: int) -> int:
        value = entries.get(tag) or (0,)
        return int(value[0]) if isinstance(value[0], int) else 0

    def _thumbnail(self, entries: Mapping[int, Values]) -> bytes:
        offset = self._pointer(entries, _THUMBNAIL_OFFSET)
        length = self._pointer(entries, _THUMBNAIL_LENGTH)
        found = self.stream[offset : offset + min(length, MAX_THUMBNAIL_BYTES)]
        return found if offset and found[:2] == b"\xff\xd8" else b""


def _from_tags(tags: Mapping[str, Values], tools: list[str]) -> Exif:
    names = (_text(tags.get(key)) for key in ("software", "processing_software", "host"))
    thumbnail = tags.get("thumbnail", (b"",))[0]
    return Exif(
        make=_text(tags.get("make")),
        model=_text(tags.get("model")),
        software=tuple(dict.fromkeys(name for name in (*names, *tools) if name)),
        captured=_time(tags.get("captured")),
        captured_offset=_text(tags.get("captured_offset")),
        modified=_time(tags.get("modified")),
        digitised=_time(tags.get("digitised")),
        gps_time=_gps_time(tags),
        latitude=_degrees(tags.get("gps_2"), tags.get("gps_1"), limit=90),
        longitude=_degrees(tags.get("gps_4"), tags.get("gps_3"), limit=180),
        orientation=_whole(tags.get("orientation")),
        size=_size(tags),
        thumbnail=thumbnail if isinstance(thumbnail, bytes) else b"",
    )


def _text(values: Values | None) -> str:
    if not values or not isinstance(values[0], bytes):
        return ""
    text = values[0].split(b"\x00", 1)[0].decode("utf-8", "replace").strip()
    return "".join(letter for letter in text if letter.isprintable())


def _time(values: Values | None) -> datetime | None:
    numbers = [int(number) for number in re.findall(r"\d+", _text(values))]
    try:
        return datetime(*numbers[:6]) if len(numbers) >= 6 else None  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None


def _whole(values: Values | None) -> int | None:
    return values[0] if values and isinstance(values[0], int) else None


def _size(tags: Mapping[str, Values]) -> tuple[int, int] | None:
    width, height = _whole(tags.get("width")), _whole(tags.get("height"))
    return (width, height) if width and height else None


def _numbers(values: Values | None, count: int) -> list[float] | None:
    found = [value for value in values or () if isinstance(value, int | float)]
    good = len(found) >= count and all(abs(value) < 1e6 for value in found[:count])
    return found[:count] if good else None


def _degrees(values: Values | None, reference: Values | None, *, limit: int) -> float | None:
    parts = _numbers(values, 3)
    if parts is None:
        return None
    value = parts[0] + parts[1] / 60 + parts[2] / 3600
    if not 0 <= value <= limit:
        return None
    return round(-value if _text(reference) in ("S", "W") else value, 6)


def _gps_time(tags: Mapping[str, Values]) -> datetime | None:
    date = [int(number) for number in re.findall(r"\d+", _text(tags.get("gps_29")))]
    clock = _numbers(tags.get("gps_7"), 3) or [0.0, 0.0, 0.0]
    try:
        day = datetime(*date[:3]) if len(date) >= 3 else None  # type: ignore[arg-type]
        return day and day + timedelta(hours=clock[0], minutes=clock[1], seconds=clock[2])
    except (ValueError, OverflowError):
        return None


def zone(offset: str) -> timezone | None:
    """The zone of an EXIF offset such as "+07:00"; None where it makes no sense."""
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)", offset)
    if match is None:
        return None
    shift = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-shift if match[1] == "-" else shift) if shift < timedelta(hours=24) else None
