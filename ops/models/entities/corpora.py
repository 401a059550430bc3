"""Read the corpora and say, for each word, which labels it may have.

No two corpora mark the same: nergrit and idner2k mark people, places and organisations; NERP
marks people, places, brands (IND), events and food (FNB), and no organisations as such. So the
model has two layers of labels, and a word's gold label in a layer is a set: "O in NERP" is O or
an organisation to the first layer, and "O in nergrit" is anything at all to the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from absah_entities import tokenizing

LAYERS = (("PER", "ORG", "LOC"), ("PRD", "EVT", "FNB"))
TYPES = {
    "nergrit": {"PERSON": "PER", "ORGANISATION": "ORG", "PLACE": "LOC"},
    "idner2k": {"PER": "PER", "ORG": "ORG", "LOC": "LOC"},
    "nerp": {"PPL": "PER", "PLC": "LOC", "IND": "PRD", "EVT": "EVT", "FNB": "FNB"},
}
CLOSERS = {")": "(", "]": "[", "\u201d": "\u201c"}


@dataclass(frozen=True, slots=True)
class Entity:
    """words[start:end] of a sentence, with our code."""

    code: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """Words and entities of one sentence of a corpus."""

    corpus: str
    words: tuple[str, ...]
    entities: tuple[Entity, ...]


def labels() -> list[list[str]]:
    """Label names of each layer, in the order of the model's outputs."""
    return [["O", *(f"{p}-{code}" for code in layer for p in "BI")] for layer in LAYERS]


def read_bio(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Yield tokens and tags of each sentence of a file of `token TAB tag` lines."""
    rows: list[tuple[str, str]] = []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
        token, tab, tag = line.rstrip("\r").rpartition("\t")
        if tab:
            rows.append((token, tag))
        elif rows:
            yield [t for t, _ in rows], [t for _, t in rows]
            rows = []


def entities_of(tags: Sequence[str], types: dict[str, str]) -> list[Entity]:
    """Entities of a tag sequence; an I without its B begins one, as seqeval has it."""
    found: list[Entity] = []
    for index, tag in enumerate(tags):
        prefix, _, name = tag.partition("-")
        code = types.get(name)
        if code is None:
            continue
        last = found[-1] if found else None
        if prefix == "I" and last and last.end == index and last.code == code:
            found[-1] = replace(last, end=index + 1)
        else:
            found.append(Entity(code, index, index + 1))
    return found


def read(folder: Path, corpus: str, part: str) -> list[Sentence]:
    """Read one part ("train", "valid") of one corpus, its tokens cut as text is cut."""
    rows = read_bio(folder / corpus / f"{part}.txt")
    return [_sentence(corpus, tokens, entities_of(tags, TYPES[corpus])) for tokens, tags in rows]


def _sentence(corpus: str, tokens: Sequence[str], entities: Sequence[Entity]) -> Sentence:
    words: list[str] = []
    starts = []
    for token in tokens:
        starts.append(len(words))
        words.extend(w.text for w in tokenizing.words_of(token))
    starts.append(len(words))
    trimmed = (_trim(words, Entity(e.code, starts[e.start], starts[e.end])) for e in entities)
    return Sentence(
        corpus=corpus,
        words=tuple(words),
        entities=tuple(e for e in trimmed if e.start < e.end),
    )


def _trim(words: Sequence[str], entity: Entity) -> Entity:
    """Leave out punctuation that a token carries at the entity's edges."""
    start, end = entity.start, entity.end
    while start < end and not any(c.isalnum() for c in words[start]):
        start += 1
    while start < end and not any(c.isalnum() for c in words[end - 1]):
        if CLOSERS.get(words[end - 1], "") in words[start:end]:
            break
        end -= 1
    return Entity(entity.code, start, end)


def allowed(sentence: Sentence) -> list[list[list[bool]]]:
    """Which labels each word may have, as [layer][word][label]."""
    names = labels()
    tags = ["O"] * len(sentence.words)
    for entity in sentence.entities:
        for index in range(entity.start, entity.end):
            tags[index] = ("B-" if index == entity.start else "I-") + entity.code
    return [[_may_be(sentence.corpus, tag, layer) for tag in tags] for layer in names]


def _may_be(corpus: str, tag: str, layer: Sequence[str]) -> list[bool]:
    if tag in layer and tag != "O":
        return [name == tag for name in layer]
    marked = set(TYPES[corpus].values())
    code = tag[2:]
    if code in ("PER", "LOC"):
        unsure: set[str] = set()
    elif code == "ORG":
        unsure = {"PRD"}
    else:
        unsure = {name[2:] for name in layer if name != "O"} - marked
    return [name == "O" or name[2:] in unsure for name in layer]
