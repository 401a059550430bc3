"""Invent people: a name, a home in a real region and a well-formed identity number.

No number belongs to anyone on purpose: serials start at 9000, which civil registries, counting from
0001 for each district and birth date, do not reach.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from lokal import wilayah

from absah_ops.specimens import words

FIRST_SERIAL = 9000
PRINTED_AS_IS = (
    "nik", "name", "birth_place", "sex", "address", "rt_rw", "village", "district", "regency",
    "province", "religion", "marital_status", "occupation", "nationality", "valid_until",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A fictional resident. Names of places and values are in capitals, as cards print them."""

    nik: str
    name: str
    birth_place: str
    birth_date: datetime.date
    sex: str
    """L (male) or P (female)."""
    address: str
    rt_rw: str
    village: str
    district: str
    regency: str
    """With its kind: "KABUPATEN BOGOR" or "KOTA BOGOR"."""
    province: str
    religion: str
    marital_status: str
    occupation: str
    blood_type: str = "-"
    nationality: str = "WNI"
    valid_until: str = "SEUMUR HIDUP"

    def fields(self) -> dict[str, str]:
        """What a reader of this person's card should find, under the `identity` checker's names."""
        return {name: getattr(self, name) for name in PRINTED_AS_IS} | {
            "birth_date": self.birth_date.isoformat()
        }


def make_person(seed: int) -> Person:
    """Invent the person of this number: the same seed gives the same person."""
    rng = random.Random(f"person {seed}")  # noqa: S311 - fiction, not secrets
    village = _choose_village(rng)
    sex = rng.choice("LP")
    birth_date = datetime.date(1955, 1, 1) + datetime.timedelta(days=rng.randrange(50 * 365))
    district, regency, province = (wilayah.wilayah_name(village[:end]) or "" for end in (8, 5, 2))
    return Person(
        nik=make_nik(village[:8], birth_date, sex, FIRST_SERIAL + rng.randrange(1000)),
        name=_name(rng, sex),
        birth_place=_birth_place(rng, regency),
        birth_date=birth_date,
        sex=sex,
        address=_address(rng),
        rt_rw=f"{rng.randint(1, 15):03d}/{rng.randint(1, 12):03d}",
        village=(wilayah.wilayah_name(village) or "").upper(),
        district=district.upper(),
        regency=regency.upper(),
        province=province.upper().replace("DAERAH KHUSUS IBUKOTA", "DKI"),
        religion=rng.choice(words.RELIGIONS),
        marital_status=rng.choice(words.MARITAL_STATUSES),
        occupation=rng.choice(words.OCCUPATIONS),
        blood_type=rng.choice(("A", "B", "AB", "O", "-", "O+")),
    )


def make_nik(district_code: str, birth_date: datetime.date, sex: str, serial: int) -> str:
    """Compose a NIK: district ("32.01.01"), DDMMYY with 40 added to a woman's day, serial."""
    day = birth_date.day + (40 if sex == "P" else 0)
    return f"{district_code.replace('.', '')}{day:02d}{birth_date:%m%y}{serial:04d}"


def _choose_village(rng: random.Random) -> str:
    code = ""
    for _ in range(4):
        code = rng.choice(wilayah.list_wilayah(code or None)).code
    return code


def _birth_place(rng: random.Random, home: str) -> str:
    other = rng.choice(wilayah.list_wilayah(rng.choice(wilayah.list_wilayah()).code)).name
    place = home if rng.random() < 0.6 else other
    for kind in ("Kabupaten Administrasi ", "Kota Administrasi ", "Kabupaten ", "Kota "):
        place = place.removeprefix(kind)
    return place.upper()


def _name(rng: random.Random, sex: str) -> str:
    given = words.MALE_NAMES if sex == "L" else words.FEMALE_NAMES
    count = rng.choice((1, 2, 2, 2, 3))
    names = [rng.choice(given)]
    while len(names) < count:
        names.append(rng.choice(words.FAMILY_NAMES if len(names) == count - 1 else given))
    return " ".join(dict.fromkeys(names))


def _address(rng: random.Random) -> str:
    number = f"NO. {rng.randint(1, 220)}" if rng.random() < 0.7 else ""
    street = f"JL. {rng.choice(words.STREETS)} {number}".strip()
    housing = f"{rng.choice(words.HOUSING)} BLOK {rng.choice('ABCDEF')}{rng.randint(1, 20)}"
    hamlet = rng.choice(words.HAMLETS)
    return rng.choice((street, street, housing, hamlet, f"{street} {housing}"))
