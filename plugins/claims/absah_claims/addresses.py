"""Compare a claimed address with the one on an identity card."""

from __future__ import annotations

import re
from collections.abc import Sequence

from absah_claims import cards, texts
from absah_claims.comparison import Comparison, agrees, combine, contradicts, doubts, unsettled
from absah_claims.evidence import Kind, Reading, Source, of_kind
from absah_indonesian.wordlists import words

APART_SHARE = 0.34
"""An address sharing less than this of its words is another."""

_NO_CARD = ("tidak ada KTP", "there is no identity card")
_UNREAD_CLAIM = ("alamat yang diklaim tidak terbaca", "the claimed address cannot be read")
_UNREAD = ("alamat pada KTP tidak terbaca", "the address on the card could not be read")
_SAME = ("alamat sama", "the address is the same")
_OTHER = ("alamat berbeda", "the address is another")
_PARTLY = ("alamat hanya sebagian sama", "the address agrees only in part")

_PARTS = ("address", "rt_rw", "village", "district", "regency", "province")
_HOOD = re.compile(
    r"\bR\s?T\s*[.:/]?\s*(?:R\s?W\s*[.:]?\s*)?0*(\d{1,3})\s*[/,;.\-]?\s*"
    r"(?:R\s?W\s*[.:]?)?\s*0*(\d{1,3})\b",
    re.IGNORECASE,
)
_BARE_HOOD = re.compile(
    r"(?<![\w/])(?<!no\.\s)(?<!no\s)0*(\d{1,3})\s*/\s*0*(\d{1,3})(?![\w/])", re.IGNORECASE
)
_NUMBER = re.compile(r"no\.?\s*(?=\d)(\d+)", re.IGNORECASE)
_BLOCK = re.compile(r"\bblok(?=\w)", re.IGNORECASE)
_GLUED = re.compile(
    r"\b(jalan|gang|dusun|kampung|kompleks?|perumahan|lingkungan|desa|kelurahan|kecamatan)(?=\w{3})",
    re.IGNORECASE,
)
"""Readers lose spaces; a word that tells the kind of place must not hide its name."""
_HOOD_WORDS = re.compile(r"\bR\s?[TW]\b", re.IGNORECASE)
_POSTAL_CODE = re.compile(r"\b\d{5}\b")
_LEVELS = cards.OTHER_VALUES | words(
    """jalan gang blok no nomor rumah desa kelurahan kecamatan kabupaten kota provinsi dusun kampung
    administrasi adm kode pos daerah khusus ibukota rt rw perumahan komplek istimewa lingkungan"""
)
_PROVINCES = {
    "jabar": "jawa barat", "jateng": "jawa tengah", "jatim": "jawa timur", "diy": "yogyakarta",
    "dki": "jakarta", "sumut": "sumatera utara", "sumbar": "sumatera barat",
    "sumsel": "sumatera selatan", "kepri": "kepulauan riau", "babel": "bangka belitung",
    "ntb": "nusa tenggara barat", "ntt": "nusa tenggara timur", "kalbar": "kalimantan barat",
    "kalteng": "kalimantan tengah", "kalsel": "kalimantan selatan", "kaltim": "kalimantan timur",
    "kaltara": "kalimantan utara", "sulut": "sulawesi utara", "sulteng": "sulawesi tengah",
    "sulsel": "sulawesi selatan", "sultra": "sulawesi tenggara", "sulbar": "sulawesi barat",
    "malut": "maluku utara",
}  # fmt: skip
_PROVINCE = re.compile(r"\b(?:" + "|".join(_PROVINCES) + r")\b", re.IGNORECASE)


def match_address(claim: str, sources: Sequence[Source]) -> Comparison:
    """Compare an address by its words, its numbers and its RT and RW.

    The claim may leave parts out; what it does say must be on the card.
    """
    words, numbers, _ = _taken_apart(claim)
    if not words and not numbers:
        return unsettled("", _UNREAD_CLAIM)
    cards = [_card(claim, source) for source in of_kind(sources, Kind.IDENTITY)]
    return combine(cards, nothing=_NO_CARD)


def _card(claim: str, source: Source) -> Comparison:
    readings = [source.fields[part] for part in _PARTS if part in source.fields]
    if "address" not in source.fields:
        return _in_text(claim, source) if source.text else unsettled("", _UNREAD)
    findings = [reference for reading in readings for reference in reading.findings]
    whole = ", ".join(reading.value for reading in readings)
    found = shown(source.fields["address"], source.fields.get("village"))
    words, numbers, hood = _taken_apart(claim)
    read_words, read_numbers, read_hood = _taken_apart(whole)
    overlap = texts.overlap(words, read_words)
    left = texts.overlap(overlap.claimed_alone, texts.tokens(source.text)).claimed_alone
    street, _, _ = _taken_apart(source.fields["address"].value)
    other_street = bool(street) and not texts.overlap(words, street).matched
    same_hood = hood is None or hood == read_hood
    if not left and overlap.matched and numbers <= read_numbers and same_hood:
        return agrees(found, _SAME, findings)
    share = len(overlap.matched) / len(words) if words else 0.0
    if other_street and share < APART_SHARE and source.fields["address"].sure:
        return contradicts(found, _OTHER, findings)
    told = doubts if left and other_street else unsettled
    return told(found, _PARTLY, findings)


def shown(address: Reading, village: Reading | None) -> str:
    """The parts of the card's address that a reason shows."""
    return address.value if village is None else f"{address.value}, {village.value}"


def _in_text(claim: str, source: Source) -> Comparison:
    words, numbers, hood = _taken_apart(claim)
    read_words, read_numbers, read_hood = _taken_apart(source.text)
    near = texts.nearest(words, read_words)
    complete = len(near) == len({w.text for w in words}) >= 2
    if complete and numbers <= read_numbers and hood in (None, read_hood):
        return agrees(claim, _SAME)
    return unsettled("", _UNREAD)


def _taken_apart(
    address: str,
) -> tuple[list[texts.Token], frozenset[str], tuple[int, int] | None]:
    """The telling words, the numbers but RT, RW and postal code, and (RT, RW)."""
    text = _PROVINCE.sub(lambda match: _PROVINCES[match[0].casefold()], address[:2000])
    text = _GLUED.sub(r"\1 ", text)
    text = _NUMBER.sub(r" no \1", _BLOCK.sub(" blok ", text))
    hood = _HOOD.search(text) or _BARE_HOOD.search(text)
    if hood:
        text = f"{text[: hood.start()]} {text[hood.end() :]}"
    rest = _POSTAL_CODE.sub(" ", _HOOD_WORDS.sub(" ", text))
    tokens = texts.tokens(rest, limit=texts.CLAIM_WORDS * 4)
    return (
        [t for t in tokens if not t.number and t.text not in _LEVELS],
        frozenset(t.text for t in tokens if t.number),
        (int(hood[1]), int(hood[2])) if hood else None,
    )
