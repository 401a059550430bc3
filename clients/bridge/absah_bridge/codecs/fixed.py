"""Fixed-width records, as mainframes write them: a kind of record a line, a field a column range.

    records:
      - name: header
        starts: "H"
        fields:
          - {name: kind, width: 1}
          - {name: unit, width: 8}
          - {name: date, width: 8}

Records may be separated by line ends or follow each other without any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic

from absah_bridge.codecs import CodecConfig, Incoming, Outgoing, charsets
from absah_bridge.codecs.charsets import Charset
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch, Leaf, Node, Series

MAX_RECORDS = 100_000
MAX_FIELDS = 500_000
MAX_MISTAKES = 20
ENDS = {"lf": "\n", "crlf": "\r\n", "none": ""}
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class FixedField(pydantic.BaseModel):
    """A field: `width` characters, filled up with `fill` on the side that `align` leaves."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    width: int = pydantic.Field(gt=0)
    align: Literal["left", "right"] = "left"
    fill: str = pydantic.Field(default=" ", min_length=1, max_length=1)


class FixedRecord(pydantic.BaseModel):
    """A kind of record, known by how it starts."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    starts: str = ""
    count: Literal["one", "many"] = "many"
    """"one" must come just once and is a field; "many" may come any number of times."""
    at: Literal["first", "last", "any"] = "any"
    """Where it must stand among the records of a message."""
    fields: tuple[FixedField, ...]

    @property
    def width(self) -> int:
        """Characters of a record."""
        return sum(field.width for field in self.fields)


class FixedConfig(CodecConfig):
    """How a system writes fixed-width records."""

    kind: Literal["fixed"] = "fixed"
    charset: Charset = "windows-1252"
    substitute: str | None = pydantic.Field(default=None, min_length=1, max_length=1)
    """Written in answers for a character that the charset has not; without one such an answer is
    refused."""
    separator: Literal["lf", "crlf", "none"] = "crlf"
    records: tuple[FixedRecord, ...] = pydantic.Field(min_length=1)

    @pydantic.model_validator(mode="after")
    def _told_apart(self) -> FixedConfig:
        names = [record.name for record in self.records]
        if len(set(names)) != len(names):
            raise ValueError("records: two kinds have one name")
        for record in self.records:
            if len({field.name for field in record.fields}) != len(record.fields):
                raise ValueError(f"records: {record.name} has two fields of one name")
        starts = [record.starts for record in self.records]
        if len(set(starts)) != len(starts):
            raise ValueError("records: two kinds start alike, so that nobody can tell them apart")
        if self.separator == "none" and len({record.width for record in self.records}) > 1:
            raise ValueError("records: without a separator all must be of one width")
        return self


class FixedCodec:
    """Reads a message as fields "one" and series "many" by the names of their records."""

    config_type = FixedConfig

    def __init__(self, config: FixedConfig, folder: Path) -> None:
        self._config = config
        # The longest start first, so that "D" does not take what "DX" is meant for.
        self._kinds = sorted(config.records, key=lambda record: -len(record.starts))

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        lines = self._lines(charsets.decode(message.body, self._config.charset))
        found: dict[str, list[Node]] = {record.name: [] for record in self._config.records}
        mistakes: list[MessageInvalid] = []
        for number, line in enumerate(lines, 1):
            try:
                kind = self._kind(line, number)
                _refuse_misplaced(kind, number, len(lines))
                found[kind.name].append(_record(kind, line, number))
            except MessageInvalid as exc:
                mistakes.append(exc)
                if len(mistakes) == MAX_MISTAKES:
                    break
        if mistakes:
            raise _all(mistakes)
        fields: dict[str, Node] = {}
        for record in self._config.records:
            nodes = found[record.name]
            if record.count == "many":
                fields[record.name] = Series(items=nodes)
            elif len(nodes) != 1:
                raise MessageInvalid(
                    Cause.MISSING_FIELD if not nodes else Cause.COUNT_MISMATCH,
                    f"must come once, came {len(nodes)} times",
                    field=record.name,
                    position=f"records 1-{len(lines)}",
                )
            else:
                fields[record.name] = nodes[0]
        return Branch(fields=fields)

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        by_name = {record.name: record for record in self._config.records}
        lines = []
        for name, value in answer.items():
            if name not in by_name:
                raise MessageInvalid(
                    Cause.ANSWER_FAILED, f"is no record; there are {', '.join(by_name)}", field=name
                )
            for item in value if isinstance(value, list) else [value]:
                if not isinstance(item, Mapping):
                    raise MessageInvalid(
                        Cause.ANSWER_FAILED, "is a record, and needs fields", field=name
                    )
                lines.append(self._line(by_name[name], item))
        end = ENDS[self._config.separator]
        return Outgoing(
            # At once: of UTF-16 there is one byte order mark, and line ends are of it too.
            body="".join(line + end for line in lines).encode(self._config.charset),
            content_type=f"text/plain; charset={self._config.charset}",
            headers={},
        )

    def _lines(self, text: str) -> Sequence[str]:
        if self._config.separator == "none":
            width = self._config.records[0].width
            self._refuse_many(-(-len(text) // width))
            return [text[start : start + width] for start in range(0, len(text), width)]
        end = ENDS[self._config.separator]
        self._refuse_many(text.count(end) + 1)
        if end not in text and "\n" in text:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED,
                "its lines end in LF, where CR and LF are set",
                position="record 1",
            )
        lines = text.split(end)
        if lines[-1] in ("", "\x1a"):  # 0x1A ends a file on old systems
            lines.pop()
        self._refuse_many(len(lines))
        return lines

    def _refuse_many(self, count: int) -> None:
        most = min(MAX_RECORDS, MAX_FIELDS // max(len(r.fields) for r in self._config.records))
        if not 0 < count <= most:
            raise MessageInvalid(
                Cause.MESSAGE_TOO_LARGE if count else Cause.NOT_WELL_FORMED,
                f"holds {count:,} records, not 1 to {most:,}",
            )

    def _kind(self, line: str, number: int) -> FixedRecord:
        for record in self._kinds:
            if line.startswith(record.starts):
                return record
        known = ", ".join(repr(record.starts) for record in self._config.records)
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            f"starts like no record; records start with {known}",
            position=f"record {number}",
        )

    def _line(self, record: FixedRecord, value: Mapping[str, Any]) -> str:
        if unknown := value.keys() - {field.name for field in record.fields}:
            raise MessageInvalid(
                Cause.ANSWER_FAILED,
                "is no field of that record",
                field=f"{record.name}.{min(unknown)}",
            )
        return "".join(
            self._cell(field, value.get(field.name), f"{record.name}.{field.name}")
            for field in record.fields
        )

    def _cell(self, field: FixedField, value: Any, place: str) -> str:
        text = "" if value is None else str(value)
        if self._config.substitute is not None:
            text = CONTROL.sub(" ", text)
        if len(text) > field.width or CONTROL.search(text):
            raise MessageInvalid(
                Cause.ANSWER_FAILED,
                f"{len(text)} characters, where {field.width} and no line end are the most",
                field=place,
            )
        adjust = text.ljust if field.align == "left" else text.rjust
        fitting = charsets.encode(
            adjust(field.width, field.fill),
            self._config.charset,
            field=place,
            substitute=self._config.substitute,
        )
        return fitting.decode(self._config.charset)


def _all(mistakes: Sequence[MessageInvalid]) -> MessageInvalid:
    first, *others = mistakes
    return MessageInvalid(
        first.cause, first.problem, field=first.field, position=first.position, others=others
    )


def _refuse_misplaced(kind: FixedRecord, number: int, last: int) -> None:
    if (kind.at == "first" and number != 1) or (kind.at == "last" and number != last):
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            f"must be the {kind.at} record of {last:,}",
            field=kind.name,
            position=f"record {number}",
        )


def _record(kind: FixedRecord, line: str, number: int) -> Branch:
    if len(line) != kind.width:
        raise MessageInvalid(
            Cause.WRONG_LENGTH,
            f"{len(line)} characters, where {kind.name} has {kind.width}",
            field=kind.name,
            position=f"record {number}",
        )
    fields: dict[str, Node] = {}
    start = 0
    for field in kind.fields:
        cell = line[start : start + field.width]
        position = f"record {number}, columns {start + 1}-{start + field.width}"
        stripped = cell.rstrip(field.fill) if field.align == "left" else cell.lstrip(field.fill)
        # A number of zeros alone is 0, not nothing.
        if not stripped and field.fill == "0" and cell:
            stripped = "0"
        fields[field.name] = Leaf(value=stripped, position=position)
        start += field.width
    return Branch(fields=fields, position=f"record {number}")
