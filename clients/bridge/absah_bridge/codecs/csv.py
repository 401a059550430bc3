"""CSV messages (RFC 4180), with names in the first line or in the configuration."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic

from absah_bridge.codecs import CodecConfig, Incoming, Outgoing, charsets
from absah_bridge.codecs.charsets import Charset
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch, Leaf, Node, Series

MAX_ROWS = 100_000
MAX_FIELDS = 500_000
MAX_COLUMNS = 1000
MAX_FIELD_CHARACTERS = 16 * 2**20


class CsvConfig(CodecConfig):
    """How a system writes CSV."""

    kind: Literal["csv"] = "csv"
    charset: Charset = "utf-8"
    delimiter: str = pydantic.Field(default=",", min_length=1, max_length=1)
    quote: str = pydantic.Field(default='"', min_length=1, max_length=1)
    columns: tuple[str, ...] = ()
    """Names of the columns; if not given, those of the first line. Answers are written by these
    names, or by those of their first row."""
    substitute: str | None = pydantic.Field(default=None, min_length=1, max_length=1)
    """Written in answers for a character that the charset has not; without one such an answer is
    refused."""
    header: bool = True
    """Whether the first line holds the names."""


class CsvCodec:
    """Reads a message as the series `rows`, and writes that series of an answer."""

    config_type = CsvConfig

    def __init__(self, config: CsvConfig, folder: Path) -> None:
        """Raises ValueError where nothing names the columns."""
        if not config.header and not config.columns:
            raise ValueError("columns: name the columns, or say header: true")
        self._config = config

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        text = charsets.decode(message.body, self._config.charset)
        if text.count(self._config.delimiter) > MAX_FIELDS:
            # A delimiter within quotes counts here too: a bound needs no more.
            raise MessageInvalid(Cause.MESSAGE_TOO_LARGE, f"has more than {MAX_FIELDS:,} fields")
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self._config.delimiter,
            quotechar=self._config.quote,
            strict=True,
        )
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        try:
            names = self._names(next(reader, [])) if self._config.header else self._config.columns
            rows: list[Node] = []
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    rows.append(_row(names, cells, line))
                if len(rows) > MAX_ROWS:
                    raise MessageInvalid(
                        Cause.NOT_WELL_FORMED, f"holds more than {MAX_ROWS:,} rows"
                    )
                line = reader.line_num + 1
        except csv.Error as exc:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED, f"is not CSV: {exc}", position=f"line {reader.line_num}"
            ) from exc
        return Branch(fields={"rows": Series(items=rows)})

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        rows = answer.get("rows", [])
        if set(answer) - {"rows"} or not isinstance(rows, list):
            raise MessageInvalid(
                Cause.ANSWER_FAILED, "an answer in CSV has just the series rows", field="rows"
            )
        names = self._config.columns or tuple(rows[0] if rows else ())
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, delimiter=self._config.delimiter, quotechar=self._config.quote)
        if self._config.header:
            writer.writerow(names)
        for row in rows:
            writer.writerow(["" if row.get(name) is None else row[name] for name in names])
        return Outgoing(
            body=charsets.encode(
                buffer.getvalue(),
                self._config.charset,
                field="rows",
                substitute=self._config.substitute,
            ),
            content_type=f"text/csv; charset={self._config.charset}",
            headers={},
        )

    def _names(self, first: Sequence[str]) -> Sequence[str]:
        names = [name.strip() for name in first]
        expected = self._config.columns
        if expected and tuple(names) != expected:
            raise MessageInvalid(
                Cause.SCHEMA_VIOLATION,
                f"the columns are not {', '.join(expected)}",
                position="line 1",
            )
        if not 0 < len(set(names)) == len(names) <= MAX_COLUMNS or "" in names:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED,
                f"the first line does not name 1 to {MAX_COLUMNS:,} different columns",
                position="line 1",
            )
        return names


def _row(names: Sequence[str], cells: Sequence[str], line: int) -> Branch:
    if len(cells) != len(names):
        raise MessageInvalid(
            Cause.WRONG_LENGTH,
            f"{len(cells)} fields, where there are {len(names)} columns",
            field="rows",
            position=f"line {line}",
        )
    return Branch(
        fields={
            name: Leaf(value=cell, position=f"line {line}, field {number}")
            for number, (name, cell) in enumerate(zip(names, cells, strict=True), 1)
        },
        position=f"line {line}",
    )
