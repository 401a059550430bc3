"""Titles before a name and degrees behind it, which say nothing about who is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from absah_indonesian import confusions
from absah_indonesian.wordlists import words

HONORIFICS = words(
    """prof drs dra dr drg drh ir h hj haji hajah hajjah kh kyai kiai nyai ust ustad ustadz ustadzah
    gus habib r ra rr raden rd rm rngt bapak bpk bp pak ibu bu sdr sdri saudara saudari tuan tn
    nyonya ny nona nn alm almh almarhum almarhumah apt ners ns bd pdt pastor romo letjen mayjen
    brigjen irjen komjen kolonel kol letkol mayor kapten kapt lettu letda peltu pelda serka serma
    sertu serda kopka koptu kopda pratu prada kombes kombespol akbp kompol akp iptu ipda aiptu
    aipda bripka brigpol briptu bripda plt plh"""
)
"""Words that are titles where a name begins. A single H or R there is Haji or Raden."""

_RADEN = frozenset(["raden", "r", "rd"])
_RADEN_RANKS = frozenset(["mas", "ayu", "ajeng", "roro", "panji", "nganten", "ngabehi"])

_BARE_DEGREES = words(
    """sh se st ss sp sag spd spdi ssi ssos sip skom skm skep sked sfarm sstp sst shi stp shut spt
    spsi sikom sap mh mm msi msc mpd mpdi mag mt mkes mkom mhum map mba mpa mph mkn phd lc amd
    amdkep amdkeb ak ca cpa"""
)
"""Degrees that are one even where their dots are missing."""

_DEGREES = _BARE_DEGREES | words(
    """ma me mp med meng mec msos msn mli mfarm mkep mkeb mik mikom mip mmr mms mpsi mtr mtp mtrap
    mth mfil mhan mak macc mars mdiv ssn ssy sth stth sgz sak sptk sab sei sdes sinf sikep skeb
    sat str strkeb strkep strk strip sian sksi skh sor ska spk spdh shum sfil stekpang stek ba bsc
    beng bba be amp amk amkl amg amdgz amdkom amdak apmd spa spb spog spot spjp spkj sppd sprad
    spthtkl spu span spn spkk spok sppk spdv dipl dipling dess dea edd dba ipm ipu qia cfe crma
    cgcae"""
)

_IN_BRACKETS = re.compile(r"\([^()]*\)")
_DOTTED = re.compile(r"(?:[A-Z0-9]{1,5}\.\s?){1,4}[A-Z0-9]{0,6}\.?", re.IGNORECASE)
_SHORT_DEGREE = re.compile(r"[SMA]\.[A-Z0-9]{2}\.?", re.IGNORECASE)
_MISREAD_TITLES = ("prof", "drs", "dra")


def strip(name: str) -> str:
    """The name without titles before it and degrees behind it.

    "Drs. H. Ahmad Fauzi, M.Si." becomes "Ahmad Fauzi", and "Santoso, Budi" becomes "Santoso Budi".
    A name that is nothing but such words stays as it is.
    """
    head, *rest = (part.strip() for part in _IN_BRACKETS.sub(" ", name).split(","))
    kept = [head, *(part for part in rest if part and not _is_degrees(part))]
    words = [word for part in kept for word in _without_degrees(part.split())]
    return " ".join(_without_honorifics(words)) or name.strip()


def bare(word: str) -> str:
    """A word in lower-case letters alone: "S.Pd.I" becomes "spdi"."""
    return "".join(c for c in word.casefold() if c.isalpha())


def _is_degrees(part: str) -> bool:
    """Whether all that stands between two commas is degrees: "S.H.", "M. Si", "Ph.D. M.Sc"."""
    return _is_degree(part) or all(_is_degree(word) or not bare(word) for word in part.split())


def _is_degree(text: str) -> bool:
    letters = bare(text)
    return letters in _DEGREES or (len(letters) > 1 and bool(_DOTTED.fullmatch(text)))


def _without_honorifics(words: Sequence[str]) -> list[str]:
    left = [part for word in words for part in _split_titles(word)]
    previous = ""
    while len(left) > 1 and _names_someone(left[1:]):
        word = bare(left[0])
        title = word in HONORIFICS or (left[0].endswith(".") and _misread(word))
        if not title and not (previous in _RADEN and word in _RADEN_RANKS):
            break
        previous, left = word, left[1:]
    return left


def _misread(word: str) -> bool:
    return len(word) >= 3 and any(confusions.edits(word, title) == 1 for title in _MISREAD_TITLES)


def _split_titles(word: str) -> list[str]:
    """Titles run together with what follows: "H.Ahmad", "Drs.H.Fauzi"."""
    parts = word.split(".")
    count = 0
    while count < len(parts) - 1 and bare(parts[count]) in HONORIFICS:
        count += 1
    rest = ".".join(parts[count:])
    return [f"{part}." for part in parts[:count]] + ([rest] if rest else [])


def _without_degrees(words: Sequence[str]) -> list[str]:
    """Drop degrees at the end, also where spaces cut them: "M. Si", "SH MH"."""
    left = list(words)
    while size := _degree_size(left):
        left = left[:-size]
    return left


def _degree_size(words: Sequence[str]) -> int:
    """How many words at the end make one degree, with a name left before them."""
    for size in range(min(3, len(words) - 1), 0, -1):
        tail = words[-size:]
        joined, text = bare("".join(tail)), "".join(tail)
        dotted = "." in text and all("." in word for word in tail[:-1])
        if size == 1 and _SHORT_DEGREE.fullmatch(text) and _names_someone(words[:-1]):
            return size
        shouted = size == 1 and joined in _BARE_DEGREES and sum(c.isupper() for c in text) > 1
        if (shouted or (dotted and joined in _DEGREES)) and _names_someone(words[:-size]):
            return size
    return 0


def _names_someone(words: Sequence[str]) -> bool:
    return any(len(bare(word)) >= 3 and bare(word) not in HONORIFICS for word in words)
