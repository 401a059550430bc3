"""Measure how many fields the checkers `identity` and `letter` read right, on drawn specimens.

    python ops/models/readers/measure.py identity --count 60
    python ops/models/readers/measure.py letter --count 64 --fonts /usr/share/fonts/truetype/dejavu

Specimens are drawn by seed in many styles, each at one level of wear, and go through the whole
chain: decoding, OCR, reading. A value is right when it equals the printed one but for case, spaces
and punctuation. Prints a Markdown table; `--failures` also lists what was read wrong, and `--json`
writes the share of all printed fields that was read right, with a 95 % interval (percentile
bootstrap over specimens).
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from absah_ops import specimens
from absah_ops.specimens import Form, Level, fonts
from absah_sdk import Outcome, Result
from absah_server.harness import open_harness

LEVELS = tuple(Level)
AT_ONCE = 2
ROUNDS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Specimen:
    """A drawn document and what it prints."""

    name: str
    level: Level
    content: bytes
    printed: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """What a checker made of a specimen."""

    specimen: Specimen
    result: Result

    def value(self, field: str) -> str:
        found = self.result.facts["fields"].get(field)
        return found["value"] if found else ""

    def right(self, field: str) -> bool:
        value, printed = _folded(self.value(field)), _folded(self.specimen.printed[field])
        # The subject of an assignment is read with its title before and its date behind it.
        return value == printed or (field == "subject" and printed in value)


def cards(seeds: Sequence[int], faces: Sequence[fonts.Typeface]) -> Iterator[Specimen]:
    """Identity cards, at each level in turn."""
    for seed in seeds:
        person, style = specimens.make_person(seed), specimens.make_style(seed, faces)
        level = LEVELS[seed % len(LEVELS)]
        image = specimens.draw_identity_card(person, seed=seed, style=style)
        yield Specimen(
            name=f"card {seed}",
            level=level,
            content=_jpeg(specimens.degrade(image, level=level, seed=seed)),
            printed=specimens.printed_fields(person, style),
        )


def letters(seeds: Sequence[int], faces: Sequence[fonts.Typeface]) -> Iterator[Specimen]:
    """Letters of each form in turn, at each level."""
    forms = list(Form)
    for seed in seeds:
        letter = specimens.make_letter(seed, form=forms[seed % len(forms)])
        style = specimens.make_letter_style(seed, faces)
        level = LEVELS[seed // len(forms) % len(LEVELS)]
        image = specimens.draw_letter(letter, style=style)
        yield Specimen(
            name=f"{letter.form} {seed}",
            level=level,
            content=_jpeg(specimens.degrade(image, level=level, seed=seed)),
            printed=letter.fields(),
        )


async def read_all(checker: str, drawn: Iterator[Specimen]) -> list[Read]:
    """Check all specimens, a few at a time."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with open_harness(checker) as harness:

        async def read(specimen: Specimen) -> Read:
            async with gate:
                answer = await harness.check(specimen.content, filename=f"{specimen.name}.jpg")
            return Read(specimen=specimen, result=answer.result)

        return list(await asyncio.gather(*(read(specimen) for specimen in drawn)))


def print_table(reads: Sequence[Read]) -> None:
    """Right values of printed ones by field and level, then outcomes by level."""
    fields = list(dict.fromkeys(field for read in reads for field in read.specimen.printed))
    print(f"| field | {' | '.join(LEVELS)} | all |\n|---|{'---|' * (len(LEVELS) + 1)}")
    for field in fields:
        print(f"| {field} | {' | '.join(_shares(reads, field))} |")
    outcomes = collections.Counter((r.specimen.level, r.result.outcome) for r in reads)
    for outcome in (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL):
        row = [outcomes[level, outcome] for level in LEVELS]
        print(f"| {outcome} | {' | '.join(map(str, row))} | {sum(row)} |")


def print_failures(reads: Sequence[Read]) -> None:
    """What was read wrong, and the codes of findings where the outcome is not PASS."""
    for read in reads:
        for field, printed in read.specimen.printed.items():
            if not read.right(field):
                what = f"{field}: {printed!r} read as {read.value(field)!r}"
                print(f"{read.specimen.name} ({read.specimen.level}): {what}")
        if read.result.outcome is not Outcome.PASS:
            codes = sorted({f.code for f in read.result.findings} - {"field"})
            print(f"{read.specimen.name} ({read.specimen.level}): {read.result.outcome} {codes}")


def share_right(reads: Sequence[Read]) -> dict[str, object]:
    """How many of all printed fields were read right, with its interval over specimens."""
    counts = np.array(
        [(sum(map(r.right, r.specimen.printed)), len(r.specimen.printed)) for r in reads]
    )
    draws = np.random.default_rng(0).integers(0, len(counts), (ROUNDS, len(counts)))
    right, printed = counts[draws].sum(axis=1).T
    low, high = np.percentile(right / printed, [2.5, 97.5]).tolist()
    total, of = counts.sum(axis=0).tolist()
    return {"value": total / of, "low": low, "high": high, "fields": of, "files": len(reads)}


def _shares(reads: Sequence[Read], field: str) -> Iterator[str]:
    for levels in (*((level,) for level in LEVELS), LEVELS):
        printed = [r for r in reads if field in r.specimen.printed and r.specimen.level in levels]
        yield f"{sum(read.right(field) for read in printed)}/{len(printed)}"


def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _jpeg(image: Image.Image) -> bytes:
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=92)
    return stored.getvalue()


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checker", choices=("identity", "letter"))
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--fonts", type=Path, help="a folder of more TrueType files to draw with")
    parser.add_argument("--failures", action="store_true")
    parser.add_argument("--json", type=Path, help="write the share of fields to this file too")
    options = parser.parse_args()
    faces = fonts.TYPEFACES + (fonts.typefaces_in(options.fonts) if options.fonts else ())
    draw = cards if options.checker == "identity" else letters
    seeds = range(options.first_seed, options.first_seed + options.count)
    reads = asyncio.run(read_all(options.checker, draw(seeds, faces)))
    print_table(reads)
    if options.failures:
        print_failures(reads)
    if options.json:
        options.json.write_text(json.dumps(share_right(reads), indent=2) + "\n")


if __name__ == "__main__":
    main()
