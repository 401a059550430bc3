"""Give each label of a card the lines that hold its value."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from absah_identity import kinds, labels
from absah_identity.labels import Label
from absah_identity.layout import COLUMN_SLACK, Arrangement, Layout
from absah_identity.lines import Line

_FLOWING = frozenset({"name", "address", "occupation", "birth", "village", "district"})
"""Fields whose value may go on in the next row."""
_UNLABELLED = ("name", "address", "village", "district", "occupation")
"""Fields that are told by their place alone when their label was not read."""
_ANY_FORM = frozenset({"name", "address", "occupation"})
"""Fields whose value may look like that of another: a man named Islam, a street of a date."""
_NO_COLUMN = -1.0
_GAP_LETTERS = 3.0
"""A gap wider than this many letters ends a value: what follows belongs to the photo."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The value of one field as it was read, in the lines it was read from."""

    field: str
    raw: str
    lines: tuple[Line, ...]
    labelled: bool = True
    joined: bool = False
    """Whether a value of the next column may have been read with it."""

    @property
    def confidence(self) -> float:
        """That of the worst of its lines."""
        return min(line.confidence for line in self.lines)


def pair(lines: Sequence[Line], found: Sequence[Label], plan: Layout) -> list[Reading]:
    """Read all fields of an upright card: by label, by place, or by a form that tells the field."""
    free = _Free(lines, found, plan)
    readings = [free.inline(label) for label in found if label.rest]
    apart = sorted((label for label in found if not label.rest), key=lambda k: plan.row(k.line))
    if plan.arrangement is Arrangement.BESIDE:
        readings += _beside(apart, free)
    else:
        readings += [reading for label in apart if (reading := free.below(label))]
    readings += _by_kind(free, {reading.field for reading in readings})
    readings += _by_place(readings, free)
    return [free.continued(r) if r.field in _FLOWING else r for r in readings]


class _Free:
    """The lines of a card that no label and no value has taken yet."""

    def __init__(self, lines: Sequence[Line], found: Sequence[Label], plan: Layout) -> None:
        taken = {id(label.line) for label in found}
        self.lines = [line for line in lines if id(line) not in taken and _has_text(line)]
        self.plan = plan
        self.found = [label for label in found if label.field != "blood_type"]
        self._all_labels = found
        rows = [self.in_row(label) for label in self.found if not label.rest]
        firsts = [row[0].left for row in rows if row]
        self.column = statistics.median(firsts or self._inline_columns() or [_NO_COLUMN])
        """Where values begin on this card; `_NO_COLUMN` where no value tells."""

    def _inline_columns(self) -> list[float]:
        """Where values begin that share a line with their label, by the usual width of letters."""
        widths = [line.box.width / len(line.text) for line in self.lines if len(line.text) >= 8]
        letter = statistics.median(widths) if widths else 0.0
        inline = [label for label in self.found if label.rest and letter]
        return [label.line.right - letter * len(label.rest) for label in inline]

    def take(self, field: str, chosen: Sequence[Line], *, labelled: bool = True) -> Reading:
        ids = {id(line) for line in chosen}
        self.lines = [line for line in self.lines if id(line) not in ids]
        raw = " ".join(line.text.lstrip(" :;=.").strip() for line in chosen)
        return Reading(field=field, raw=raw.strip(), lines=tuple(chosen), labelled=labelled)

    def in_row(self, label: Label) -> list[Line]:
        """Lines right of a label in its row and left of the next label there, from the left."""
        row, reach = self.plan.row(label.line), self.plan.reach()
        ends = [
            other.line.left
            for other in self._all_labels
            if abs(self.plan.row(other.line) - row) < reach
            and other.line.left > label.line.left + 0.02
        ]
        end = min(ends, default=1.0)
        right = [
            line
            for line in self.lines
            if abs(self.plan.row(line) - row) < reach and label.line.x < line.left < end
        ]
        return sorted(right, key=lambda line: line.left)

    def inline(self, label: Label) -> Reading:
        """A value behind its label in one line, with what stands close to the right of it."""
        line = replace(label.line, text=label.rest)
        alone = Reading(field=label.field, raw=label.rest, lines=(line,))
        last = all(o.line is not label.line or o.start <= label.start for o in self._all_labels)
        more = _run(line, self.in_row(label)) if last else []
        if not more or label.field in ("sex", "blood_type"):
            return alone
        taken = self.take(label.field, more)
        return replace(alone, raw=f"{label.rest} {taken.raw}", lines=(line, *more))

    def below(self, label: Label) -> Reading | None:
        """The line just below a label, beginning near its left edge."""
        under = [
            line
            for line in self.lines
            if abs(line.left - label.line.left) < COLUMN_SLACK
            and 0 < line.y - label.line.y < 0.95 * self.plan.pitch
        ]
        if not under:
            return None
        value = min(under, key=lambda line: line.y)
        reading = self.take(label.field, [value])
        return replace(reading, joined=self._reaches_next(label, value))

    def _reaches_next(self, label: Label, value: Line) -> bool:
        """Whether a value runs on under the label that stands right of its own."""
        row = self.plan.row(label.line)
        return any(
            other.start > label.start
            if other.line is label.line
            else label.line.right < other.line.left < value.right
            and abs(self.plan.row(other.line) - row) < self.plan.reach()
            for other in self._all_labels
        )

    def between(self, above: Line, below: Line | None, column: float) -> list[Line]:
        """Lines of a column between two lines' rows, from the top; where `below` is None, one."""
        top = self.plan.row(above) + 0.4 * self.plan.pitch
        floor = self.plan.row(above) + 1.5 * self.plan.pitch
        if below is not None:
            floor = self.plan.row(below) - 0.4 * self.plan.pitch
        inside = [
            line
            for line in self.lines
            if top < self.plan.row(line) < floor
            and abs(line.left - column) < COLUMN_SLACK
            and kinds.kind_of(line.text) is None
        ]
        return sorted(inside, key=self.plan.row)

    def continued(self, reading: Reading) -> Reading:
        """Add rows that follow a flowing value before the next label's row begins."""
        last = reading.lines[-1]
        beside = self.plan.arrangement is Arrangement.BESIDE and self.column != _NO_COLUMN
        column = self.column if beside else last.left
        more: list[Line] = []
        for line in self.between(last, self.next_label(last), column):
            if self.plan.row(line) - self.plan.row((more or [last])[-1]) > 1.5 * self.plan.pitch:
                break
            more.append(line)
        if not more:
            return reading
        taken = self.take(reading.field, more)
        return replace(
            reading, raw=f"{reading.raw} {taken.raw}".strip(), lines=(*reading.lines, *more)
        )

    def next_label(self, above: Line) -> Line | None:
        """The first label below a line, of the line's own column where labels stand over values."""
        row = self.plan.row(above) + self.plan.reach()
        below = [
            label.line
            for label in self.found
            if self.plan.row(label.line) > row
            and (
                self.plan.arrangement is Arrangement.BESIDE
                or abs(label.line.left - above.left) < COLUMN_SLACK
            )
        ]
        return min(below, key=self.plan.row, default=None)


def _beside(apart: Sequence[Label], free: _Free) -> list[Reading]:
    """Pair labels with values beside them; nearest rows first, so that no row slips by one."""
    plan = free.plan
    offers = sorted(
        (
            (abs(plan.row(line) - plan.row(label.line)), place, line)
            for place, label in enumerate(apart)
            for line in free.in_row(label)[:2]
            if _suits(label, line) and (label.field == "blood_type" or _in_column(line, free))
        ),
        key=lambda offer: offer[:2],
    )
    chosen: dict[int, Line] = {}
    for _, place, line in offers:
        if place not in chosen and not any(line is other for other in chosen.values()):
            chosen[place] = line
    return [
        free.take(apart[place].field, [first, *_run(first, free.in_row(apart[place]))])
        for place, first in sorted(chosen.items())
    ]


def _in_column(line: Line, free: _Free) -> bool:
    return free.column == _NO_COLUMN or line.left - free.column < 2 * COLUMN_SLACK


def _suits(label: Label, line: Line) -> bool:
    """Whether a value's form does not say that it belongs to another field."""
    kind = kinds.kind_of(line.text)
    own = kind == label.field or (kind == "birth" and label.field.startswith("birth"))
    return kind is None or own or label.field in _ANY_FORM


def _run(first: Line, row: Sequence[Line]) -> list[Line]:
    """The lines of a row that go on from `first` without a wide gap."""
    run: list[Line] = []
    last = first
    for line in row:
        letter = last.box.width / max(len(last.text), 1)
        if line is first or line.left < last.right - 2 * letter:
            continue
        if line.left - last.right > _GAP_LETTERS * letter:
            break
        run.append(line)
        last = line
    return run


def _by_kind(free: _Free, known: set[str]) -> list[Reading]:
    """Fields whose label was not read but whose value's form is plain."""
    readings: list[Reading] = []
    for line in free.lines:
        field = kinds.kind_of(line.text)
        if field and field not in known:
            known.add(field)
            readings.append(free.take(field, [line], labelled=False))
    return readings


def _by_place(readings: Sequence[Reading], free: _Free) -> list[Reading]:
    """Fields whose label was not read, by their row between the fields before and after."""
    known = {reading.field: reading for reading in readings}
    seen = known.keys() | {label.field for label in free.found}
    added: list[Reading] = []
    for field in _UNLABELLED:
        before = _neighbour(field, known, seen)
        if field in seen or before is None:
            continue
        last = before.lines[-1]
        column = last.left if free.column == _NO_COLUMN else free.column
        gap = free.between(last, free.next_label(last), column)
        if gap:
            reading = free.take(field, gap[-1:], labelled=False)
            known[field] = reading
            added.append(reading)
    return added


def _neighbour(field: str, known: dict[str, Reading], seen: set[str]) -> Reading | None:
    """The reading of the field that cards print before this one, if both places are plain."""
    order = labels.ORDER
    before = order[order.index(field) - 1]
    while before in ("blood_type", "birth_date", "birth_place") and before not in known:
        before = order[order.index(before) - 1]
    return known.get(before) if before in seen else None


def _has_text(line: Line) -> bool:
    return bool(re.search(r"\w", line.text))
