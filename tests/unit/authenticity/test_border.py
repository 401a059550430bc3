"""Records leave the sandbox as plain values and are checked when they arrive."""

from __future__ import annotations

from datetime import datetime

import pytest

from absah_authenticity import border, jpeg, provenance
from absah_authenticity.exif import Exif
from absah_authenticity.jpeg import Structure
from absah_authenticity.provenance import Provenance
from absah_sdk import DocumentUnreadable

TAGS = Exif(
    make="Merapi",
    software=("one", "two"),
    captured=datetime(2025, 3, 14, 8, 30),
    latitude=-7.5,
    size=(4000, 3000),
    thumbnail=b"\xff\xd8",
)


def test_tags_arrive_as_they_left() -> None:
    assert border.from_plain(Exif, border.to_plain(TAGS)) == TAGS
    assert border.from_plain(Exif, border.to_plain(Exif())) == Exif()


def test_provenance_and_structure_arrive_as_they_left(make_photo, save) -> None:
    said = Provenance(state=provenance.State.INVALID, failures=("claimSignature.mismatch",))
    assert border.from_plain(Provenance, border.to_plain(said)) == said
    structure = jpeg.read(save(make_photo(64, 48)))
    assert border.from_plain(Structure, border.to_plain(structure)) == structure


@pytest.mark.parametrize(
    "change", [{"size": (1, 2, 3)}, {"captured": "soon"}, {"software": 5}, {"latitude": "north"}]
)
def test_values_of_another_shape_are_refused(change) -> None:
    with pytest.raises(DocumentUnreadable):
        border.from_plain(Exif, border.to_plain(TAGS) | change)


def test_a_table_that_no_jpeg_has_is_refused(make_photo, save) -> None:
    values = border.to_plain(jpeg.read(save(make_photo(64, 48))))
    for table in ([1] * 63, [0] * 64):
        with pytest.raises(DocumentUnreadable):
            border.from_plain(Structure, values | {"table": table})
