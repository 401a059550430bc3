"""Lines and columns of the values in a JSON text, found when somebody asks for one.

JSON's parser tells them only of mistakes. Most messages are in order, so that going through a text
a second time when it is not costs less than noting every place.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from json import decoder

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^,\]}\s]*")
Path = tuple[str | int, ...]


class Places:
    """Where the values of one text stand; the text must be JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[Path, int] | None = None
        self._lines: list[int] = []

    def of(self, path: Path) -> str:
        """Line and column of the value at a path of names and indices."""
        if self._found is None:
            self._found = {}
            self._scan((), 0)
            self._lines = [match.end() for match in re.finditer("\n", self._text)]
        start = self._found.get(path, 0)
        line = bisect.bisect_right(self._lines, start)
        return f"line {line + 1}, column {start - (self._lines[line - 1] if line else 0) + 1}"

    def _scan(self, path: Path, index: int) -> int:
        """Note the value that begins here; returns where it ends."""
        index = self._space(index)
        assert self._found is not None
        self._found[path] = index
        sign = self._text[index : index + 1]
        if sign == "{":
            return self._fields(path, index + 1)
        if sign == "[":
            return self._items(path, index + 1)
        if sign == '"':
            return self._string(index)[1]
        match = _SCALAR.match(self._text, index)
        assert match is not None
        return match.end()

    def _fields(self, path: Path, index: int) -> int:
        index = self._space(index)
        while self._text[index] != "}":
            name, index = self._string(self._space(index))
            index = self._scan((*path, name), self._space(index) + 1)
            index = self._space(index)
            index += self._text[index] == ","
        return index + 1

    def _items(self, path: Path, index: int) -> int:
        index = self._space(index)
        number = 0
        while self._text[index] != "]":
            index = self._space(self._scan((*path, number), index))
            index += self._text[index] == ","
            index = self._space(index)
            number += 1
        return index + 1

    def _string(self, index: int) -> tuple[str, int]:
        text, end = decoder.scanstring(self._text, index + 1, True)  # type: ignore[attr-defined]
        return text, end

    def _space(self, index: int) -> int:
        match = _SPACE.match(self._text, index)
        assert match is not None
        return match.end()


@dataclass(frozen=True, slots=True)
class Place:
    """Where one value stands: a step from the place that it stands in."""

    places: Places
    parent: Place | None
    step: str | int | None

    def __str__(self) -> str:
        path: list[str | int] = []
        place: Place | None = self
        while place is not None and place.step is not None:
            path.append(place.step)
            place = place.parent
        return self.places.of(tuple(reversed(path)))
