"""Take words of other fields out of a card's field, where a reader ran two columns together."""

from __future__ import annotations

from collections.abc import Sequence

from absah_claims import gazetteer, regions
from absah_claims.evidence import Source
from absah_indonesian.wordlists import words

OTHER_VALUES = words(
    """islam kristen katolik katholik hindu buddha budha konghucu khonghucu kepercayaan wni wna
    indonesia seumur hidup kawin belum cerai mati specimen contoh"""
)
"""Words that cards print in fields of few values."""

_LONGEST_REGION = 3


def without_neighbours(value: str, source: Source) -> str:
    """The value without words at its end that are another field's: a religion, a district."""
    kept = value.split()
    while len(kept) > 1:
        dropped = _neighbour(kept, source)
        if not dropped:
            break
        kept = kept[:-dropped]
    return " ".join(kept)


def _neighbour(kept: Sequence[str], source: Source) -> int:
    """How many words at the end belong to another field."""
    if kept[-1].casefold() in OTHER_VALUES:
        return 1
    for size in range(min(_LONGEST_REGION, len(kept) - 1), 0, -1):
        if _is_region_of_card(" ".join(kept[-size:]), source):
            return size
    return 0


def _is_region_of_card(name: str, source: Source) -> bool:
    """Whether the card's regency has a district or village of this name, which was not read."""
    regency = source.fields.get("regency")
    if regency is None or {"village", "district"} <= source.fields.keys():
        return False
    wholes = [c for place in regions.read(regency.value, claim=True) for c in place.codes]
    return any(
        gazetteer.level(code) > gazetteer.Level.REGENCY and gazetteer.within(code, whole)
        for code in gazetteer.gazetteer().find(name)
        for whole in wholes
    )
