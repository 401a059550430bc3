"""Draw identity cards that are plainly specimens, in many layouts.

The layout is that of an Indonesian identity card (KTP-el): region at the top, number, labelled
rows, photo and signing place at the right. Styles vary what readers meet in the wild: other
spellings of labels, other fonts and colours, rows left out, a label above its value instead of
before it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from absah_ops.specimens import fonts, words
from absah_ops.specimens.people import Person

SIZE = (1012, 638)
"""Pixels of a card of 85.6 by 54 mm at 300 dpi."""

LABELS: dict[str, tuple[str, ...]] = {
    "nik": ("NIK",),
    "name": ("Nama", "Nama", "Nama Lengkap", "NAMA"),
    "birth": ("Tempat/Tgl Lahir", "Tempat/Tgl Lahir", "Tempat, Tanggal Lahir", "Tempat/TglLahir"),
    "sex": ("Jenis Kelamin", "Jenis kelamin", "JENIS KELAMIN"),
    "address": ("Alamat", "Alamat", "ALAMAT"),
    "rt_rw": ("RT/RW", "RT/RW", "RT / RW"),
    "village": ("Kel/Desa", "Kel/Desa", "Kelurahan/Desa", "Kel / Desa"),
    "district": ("Kecamatan", "Kecamatan", "KECAMATAN"),
    "religion": ("Agama", "Agama", "AGAMA"),
    "marital_status": ("Status Perkawinan", "Status Perkawinan", "Status"),
    "occupation": ("Pekerjaan", "Pekerjaan", "PEKERJAAN"),
    "nationality": ("Kewarganegaraan", "Kewarganegaraan", "Warga Negara"),
    "valid_until": ("Berlaku Hingga", "Berlaku Hingga", "Berlaku s/d"),
}
INDENTED = frozenset({"rt_rw", "village", "district"})
OPTIONAL = ("religion", "marital_status", "occupation", "nationality", "valid_until", "rt_rw")


@dataclass(frozen=True, kw_only=True, slots=True)
class CardStyle:
    """How a card is drawn; the default is the usual one."""

    typeface: fonts.Typeface = fonts.SANS
    labels: dict[str, str] = field(default_factory=lambda: {k: v[0] for k, v in LABELS.items()})
    ground: tuple[int, int, int] = (176, 208, 232)
    ink: tuple[int, int, int] = (22, 24, 34)
    waves: bool = True
    colon: str = ":"
    """What stands between label and value; "" leaves only the gap."""
    value_column: float = 0.255
    """Where values begin, as a fraction of the width."""
    size: float = 25.0
    """Height of the letters, in pixels."""
    title: str = ""
    """A line over the region, such as KARTU TANDA PENDUDUK."""
    stacked: bool = False
    """Whether labels stand above their values, in two columns."""
    capitals: bool = True
    date_format: str = "{d:02d}-{m:02d}-{y}"
    omitted: frozenset[str] = frozenset()


def make_style(seed: int, typefaces: Sequence[fonts.Typeface] = fonts.TYPEFACES) -> CardStyle:
    """Invent the style of this number; about a third are the usual layout with small changes."""
    rng = random.Random(f"card style {seed}")  # noqa: S311
    usual = rng.random() < 0.35
    return CardStyle(
        typeface=rng.choice(typefaces),
        labels={k: v[0] if usual else rng.choice(v) for k, v in LABELS.items()},
        ground=rng.choice(((176, 208, 232), (200, 222, 240), (243, 244, 246), (228, 221, 204))),
        waves=rng.random() < 0.7,
        colon=":" if usual else rng.choice((":", ":", " :", "")),
        value_column=rng.uniform(0.25, 0.30),
        size=rng.uniform(22, 27),
        title="" if usual else rng.choice(("", "", "KARTU TANDA PENDUDUK")),
        stacked=not usual and rng.random() < 0.2,
        capitals=usual or rng.random() < 0.8,
        date_format="{d:02d}-{m:02d}-{y}"
        if usual
        else rng.choice(("{d:02d}-{m:02d}-{y}", "{d:02d}/{m:02d}/{y}", "{d} {month} {y}")),
        omitted=frozenset(() if usual else rng.sample(OPTIONAL, rng.choice((0, 0, 1, 2)))),
    )


def draw_identity_card(
    person: Person, *, seed: int = 0, style: CardStyle | None = None
) -> Image.Image:
    """Draw a card of `SIZE`, RGB. `seed` varies pattern and signing date, not the person."""
    style = style or CardStyle()
    rng = random.Random(f"card {seed}")  # noqa: S311
    image = _ground(style, rng)
    pen = _Pen(image=image, style=style)
    top = _draw_header(pen, person)
    if style.stacked:
        _draw_stacked(pen, person, top)
    else:
        _draw_rows(pen, person, top)
    _draw_photo(pen, person, rng)
    pen.text(
        (0.5, 0.985), "SPECIMEN - BUKAN DOKUMEN RESMI", size=17, ink=(190, 30, 30), anchor="ms"
    )
    return image


def printed_fields(person: Person, style: CardStyle) -> dict[str, str]:
    """The fields that a card in this style shows, as `Person.fields` names them."""
    return {k: v for k, v in person.fields().items() if k not in style.omitted}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pen:
    image: Image.Image
    style: CardStyle

    def text(
        self,
        at: tuple[float, float],
        text: str,
        *,
        size: float | None = None,
        bold: bool = False,
        ink: tuple[int, int, int] | None = None,
        anchor: str = "ls",
    ) -> float:
        """Write with the baseline at a point in fractions; return the right end as a fraction."""
        size = size or self.style.size
        font = self.style.typeface.at(size, bold=bold)
        x, y = at[0] * SIZE[0], at[1] * SIZE[1]
        ImageDraw.Draw(self.image).text(
            (x, y),
            text,
            font=font,
            fill=ink or self.style.ink,
            anchor=anchor,
            stroke_width=self.style.typeface.stroke(size, bold=bold),
        )
        return (x + font.getlength(text)) / SIZE[0]

    def width(self, text: str) -> float:
        return float(self.style.typeface.at(self.style.size).getlength(text)) / SIZE[0]

    def cased(self, value: str) -> str:
        return value if self.style.capitals else value.title()


def _ground(style: CardStyle, rng: random.Random) -> Image.Image:
    image = Image.new("RGB", SIZE, style.ground)
    if style.waves:
        draw = ImageDraw.Draw(image)
        paler = tuple(min(c + 14, 255) for c in style.ground)
        for step in range(-4, 26):
            y = step * 30 + rng.randint(0, 12)
            draw.arc((-300, y - 120, 760, y + 170), 10, 120, fill=paler, width=3)
            draw.arc((420, y - 140, 1400, y + 130), 60, 200, fill=paler, width=3)
    return image


def _draw_header(pen: _Pen, person: Person) -> float:
    y = 0.075
    if pen.style.title:
        pen.text((0.5, y), pen.style.title, bold=True, anchor="ms")
        y += 0.055
    pen.text((0.5, y), f"PROVINSI {person.province}", bold=True, anchor="ms")
    pen.text((0.5, y + 0.055), person.regency, bold=True, anchor="ms")
    return y + 0.055


def _values(person: Person, style: CardStyle) -> dict[str, str]:
    date = person.birth_date
    printed = style.date_format.format(
        d=date.day, m=date.month, y=date.year, month=words.MONTHS[date.month - 1].upper()
    )
    values = person.fields() | {
        "birth": f"{person.birth_place}, {printed}",
        "sex": "LAKI-LAKI" if person.sex == "L" else "PEREMPUAN",
    }
    return {key: values[key] for key in LABELS if key not in style.omitted}


def _draw_rows(pen: _Pen, person: Person, top: float) -> None:
    values = _values(person, pen.style)
    y = top + 0.095
    left = 0.03
    widest = max(pen.width(pen.style.labels[key]) + 0.03 * (key in INDENTED) for key in values)
    column = max(pen.style.value_column, left + widest + 0.012)
    number_size = pen.style.size * 1.35
    pen.text((left, y), pen.style.labels["nik"], size=number_size, bold=True)
    pen.text(
        (column, y), f"{pen.style.colon} {values.pop('nik')}".strip(), size=number_size, bold=True
    )
    start = column + 0.018 * bool(pen.style.colon)
    parts = {
        key: list(_wrapped(pen, pen.cased(value), 0.715 - start)) for key, value in values.items()
    }
    pitch = min((0.935 - y) / (sum(map(len, parts.values())) + 0.2), 0.062)
    for key, lines in parts.items():
        y += pitch
        pen.text((left + 0.03 * (key in INDENTED), y), pen.style.labels[key])
        pen.text((column, y), pen.style.colon.strip())
        for number, line in enumerate(lines):
            y += pitch * bool(number)
            end = pen.text((start, y), line)
        if key == "sex" and person.blood_type:
            pen.text((max(end + 0.05, 0.5), y), f"Gol. Darah : {person.blood_type}")


def _wrapped(pen: _Pen, value: str, width: float) -> Iterator[str]:
    line = ""
    for word in value.split():
        longer = f"{line} {word}".strip()
        if line and pen.width(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


def _draw_stacked(pen: _Pen, person: Person, top: float) -> None:
    values = _values(person, pen.style)
    rows = (len(values) + 1) // 2
    pitch = (0.94 - top) / (rows + 0.4)
    for place, (key, value) in enumerate(values.items()):
        x = 0.03 if place < rows else 0.40
        y = top + pitch * (place % rows + 0.62)
        pen.text((x, y), pen.style.labels[key], size=pen.style.size * 0.68, ink=(70, 74, 90))
        size = pen.style.size * 0.84
        fitting = size * min(1.0, 0.33 / max(pen.width(value) * 0.84, 0.01))
        pen.text((x, y + pitch * 0.44), pen.cased(value), size=fitting)


def _draw_photo(pen: _Pen, person: Person, rng: random.Random) -> None:
    draw = ImageDraw.Draw(pen.image)
    left, top, right, bottom = 748, 178, 976, 470
    draw.rectangle((left, top, right, bottom), fill=rng.choice(((172, 32, 40), (36, 62, 150))))
    middle = (left + right) // 2
    draw.ellipse((left + 12, top + 190, right - 12, bottom + 130), fill=(74, 78, 92))
    draw.rectangle((left, bottom, right, bottom + 132), fill=pen.style.ground)
    draw.ellipse((middle - 54, top + 46, middle + 54, top + 186), fill=(206, 168, 136))
    draw.pieslice((middle - 58, top + 36, middle + 58, top + 158), 180, 360, fill=(32, 26, 24))
    if pen.style.stacked:
        return
    place = person.regency.split(" ", 1)[-1]
    small = pen.style.size * 0.8
    pen.text((0.852, 0.80), place, size=min(small, 220 / max(len(place), 1) * 1.6), anchor="ms")
    signed = f"{rng.randint(1, 28):02d}-{rng.randint(1, 12):02d}-{rng.randint(2012, 2023)}"
    pen.text((0.852, 0.845), signed, size=small, anchor="ms")
    x, y = 810, 575
    points = [(x + 8 * step, y + rng.randint(-18, 18)) for step in range(14)]
    draw.line(points, fill=(28, 30, 60), width=3, joint="curve")
