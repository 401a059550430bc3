"""Entities: sentences that are made up of known names, or a folder of marked ones.

A folder holds `*.txt` in BIO form (a line "token TAB tag" a token, an empty line between
sentences), with the checker's own codes (B-PER, I-PER, …) or others, which `codes.json` then
translates: {"PERSON": "PER"}. Codes that no sentence marks are not counted. The figure is micro F1
of entities with the right code and just the right characters.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from absah_ops.models.golden.task import (
    NO_SETTINGS,
    Case,
    GoldenSetInvalid,
    Judged,
    answered,
    read_text,
)
from absah_ops.specimens import words
from absah_sdk import Result

Entity = tuple[str, int, int]
"""Code, start, end."""
SENTENCES = 80
TEMPLATES = (
    "{PER} mengatakan hal itu kepada wartawan di {LOC}, Senin (12/5).",
    "Menurut {PER}, bantuan dari {ORG} sudah sampai di {LOC}.",
    "{ORG} mengutus {PER} ke {LOC} untuk meninjau lokasi banjir.",
    "Kepala {ORG}, {PER}, membuka pelatihan bagi warga {LOC}.",
    "Warga {LOC} dan {LOC} bertemu dengan {PER} pekan lalu.",
    "Rapat dihadiri oleh {PER}, {PER} dan {PER}.",
    "Juru bicara {ORG} membantah kabar dari {LOC} tersebut.",
    "{PER} lahir di {LOC} dan kini bekerja di {ORG}.",
)
PLACES = (
    "Bandung", "Surabaya", "Makassar", "Medan", "Semarang", "Yogyakarta", "Denpasar", "Padang",
    "Palembang", "Jakarta", "Banjarmasin", "Manado", "Ambon", "Kupang", "Jayapura", "Bogor",
)  # fmt: skip
ORGANISATIONS = (
    "Kementerian Kesehatan", "Kementerian Pertanian", "Bank Indonesia", "Komisi Pemilihan Umum",
    "Universitas Indonesia", "Badan Pusat Statistik", "Mahkamah Agung", "PT Pertamina",
    "Kementerian Dalam Negeri", "Partai Golkar", "Komisi Pemberantasan Korupsi", "Bulog",
)  # fmt: skip


class Entities:
    """The checker `entities`."""

    checker = "entities"
    metric = "F1"
    higher_is_better = True
    tolerance = 0.01
    settings = NO_SETTINGS

    def cases(self, folder: Path | None) -> list[Case]:
        """Sentences; see `Task.cases`."""
        if folder is None:
            return list(_made_up())
        codes = _codes(folder / "codes.json")
        return [
            Case(name=text, content=text, truth=entities)
            for path in sorted(folder.glob("*.txt"))
            for text, entities in _marked(path, codes)
        ]

    def truth(self, result: Result, labels: Sequence[str]) -> list[Entity]:
        """The entities that were found."""
        return _found(result)

    def judge(self, case: Case, result: Result, labels: Sequence[str]) -> Judged:
        """Count what was found, what is there, and what is both."""
        found = set(_found(result)) if answered(result) else set()
        there = set(case.truth)
        missed, wrong = there - found, found - there
        text = str(case.content)
        detail = "; ".join(
            f"{what} {', '.join(f'{code} {text[a:b]!r}' for code, a, b in sorted(entities))}"
            for what, entities in (("missed", missed), ("wrong", wrong))
            if entities
        )
        return Judged(
            case=case.name,
            answered=answered(result),
            counted=(found, there),
            loss=float(len(missed) + len(wrong)),
            detail=detail or "all found",
        )

    def figure(self, judged: Sequence[Judged]) -> float:
        """Micro F1 over the codes that the set marks."""
        codes = {code for j in judged for code, _, _ in j.counted[1]}
        right = predicted = gold = 0
        for each in judged:
            found = {entity for entity in each.counted[0] if entity[0] in codes}
            right += len(found & each.counted[1])
            predicted += len(found)
            gold += len(each.counted[1])
        return 2 * right / max(predicted + gold, 1)


def _found(result: Result) -> list[Entity]:
    return [(f.code, f.span.start, f.span.end) for f in result.findings if f.span is not None]


def _made_up() -> Iterator[Case]:
    rng = random.Random("golden entities")  # noqa: S311 - fiction, not secrets
    for number in range(SENTENCES):
        template = TEMPLATES[number % len(TEMPLATES)]
        text, entities = "", []
        for part in template.replace("}", "{").split("{"):
            if part in ("PER", "LOC", "ORG"):
                name = _name(rng, part)
                entities.append((part, len(text), len(text) + len(name)))
                text += name
            else:
                text += part
        yield Case(name=text, content=text, truth=entities)


def _name(rng: random.Random, code: str) -> str:
    if code == "PER":
        given = rng.choice(words.MALE_NAMES + words.FEMALE_NAMES)
        return f"{given} {rng.choice(words.FAMILY_NAMES)}".title()
    return rng.choice(PLACES if code == "LOC" else ORGANISATIONS)


def _codes(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        codes = json.loads(read_text(file))
    except json.JSONDecodeError as exc:
        raise GoldenSetInvalid(file, f"is no JSON: {exc.msg}", place=f"line {exc.lineno}") from exc
    if not isinstance(codes, dict) or not all(isinstance(code, str) for code in codes.values()):
        raise GoldenSetInvalid(file, 'is no object of codes, such as {"PERSON": "PER"}')
    return codes


def _marked(path: Path, codes: Mapping[str, str]) -> Iterator[tuple[str, list[Entity]]]:
    """Text and entities of each sentence of a BIO file, its tokens joined by blanks."""
    tokens: list[tuple[str, str]] = []
    lines = read_text(path).split("\n")
    for number, line in enumerate([*lines, ""], 1):
        token, tab, tag = line.rstrip("\r").rpartition("\t")
        if tab:
            tokens.append((token, tag))
        elif line.strip():
            raise GoldenSetInvalid(path, "is not a token, a tab and a tag", place=f"line {number}")
        elif tokens:
            yield _joined(tokens, codes)
            tokens = []


def _joined(
    tokens: Sequence[tuple[str, str]], codes: Mapping[str, str]
) -> tuple[str, list[Entity]]:
    text = ""
    entities: list[Entity] = []
    open_code = ""
    for token, tag in tokens:
        prefix, _, name = tag.partition("-")
        code = codes.get(name, name) if prefix in ("B", "I") else ""
        start = len(text) + bool(text)
        text = f"{text} {token}" if text else token
        if code and prefix == "I" and code == open_code:
            entities[-1] = (code, entities[-1][1], len(text))
        elif code:
            entities.append((code, start, len(text)))
        open_code = code
    return text, entities
