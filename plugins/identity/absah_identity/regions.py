"""Name regions as the official register does: province, regency or city, district, village.

The register is that of Kepmendagri 300.2.2-2138/2025, as the package `lokal` carries it.
"""

from __future__ import annotations

import functools

from lokal import wilayah

from absah_identity import matching

_ALSO_PRINTED = {
    "31": ("DKI JAKARTA", "DAERAH KHUSUS JAKARTA", "DAERAH KHUSUS IBUKOTA JAKARTA"),
    "34": ("D.I. YOGYAKARTA", "DI YOGYAKARTA", "DAERAH ISTIMEWA YOGYAKARTA"),
    "11": ("ACEH", "NANGGROE ACEH DARUSSALAM"),
}
_KINDS = ("KABUPATEN ADMINISTRASI ", "KOTA ADMINISTRASI ", "KABUPATEN ", "KOTA ", "")


def load() -> None:
    """Read the register, so that the first check does not wait for it."""
    children("")


@functools.lru_cache(maxsize=2048)
def children(code: str) -> dict[str, tuple[str, str]]:
    """Regions within a region ("" for the country): (name, dotted code) by each way to print it."""
    named: dict[str, tuple[str, str]] = {}
    bare: dict[str, list[tuple[str, str]]] = {}
    for region in wilayah.list_wilayah(code or None):
        for name in _ALSO_PRINTED.get(region.code, (region.name.upper(),)):
            named[name] = (name, region.code)
            if region.level == 2:
                bare.setdefault(_without_kind(name), []).append((name, region.code))
            if "ADMINISTRASI" in name:
                short = name.replace(" ADMINISTRASI", "")
                named[short] = (short, region.code)
    plain = {name: found[0] for name, found in bare.items() if len(found) == 1}
    return plain | named


def find(text: str, within: str) -> tuple[str, str] | None:
    """(name, code) of the region within `within` that a text with reading errors names.

    Letters may be wrong and spaces lost; a word more or less makes another region. A regency or
    city may lack its kind where no other has its name: "BADUNG", but not "BOGOR".
    """
    near = _vocabulary(within).nearest(text, most=0.15)
    if near is None:
        return None
    printed, edits = near
    if edits and len(printed.split()) != len(text.split()):
        return None
    return children(within)[printed]


@functools.lru_cache(maxsize=256)
def _vocabulary(within: str) -> matching.Vocabulary:
    return matching.Vocabulary(children(within))


def name_of(code: str) -> str | None:
    """The official name of a dotted code ("32", "32.01", "32.01.01"), or None."""
    return wilayah.wilayah_name(code)


def _without_kind(name: str) -> str:
    return next(name.removeprefix(kind) for kind in _KINDS if name.startswith(kind))
