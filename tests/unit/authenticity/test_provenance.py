"""Content Credentials are told from none, verified, and never trusted without a trust list."""

from __future__ import annotations

import pytest
from unit.authenticity import signing

from absah_authenticity import provenance
from absah_authenticity.provenance import State

ANCHOR = signing.authority().anchor


@pytest.fixture(scope="module")
def photo(make_photo, save) -> bytes:
    return save(make_photo(160, 120), quality=95)


@pytest.fixture(scope="module")
def signed(photo) -> bytes:
    return signing.sign(photo)


def read(content: bytes, *, anchors: str = "", media_type: str = "image/jpeg"):
    return provenance.read(content, media_type, anchors)


def codes(found: provenance.Provenance) -> list[str]:
    return [finding.code for finding in provenance.findings(found)]


def test_a_file_without_credentials_says_nothing(photo) -> None:
    found = read(photo)
    assert found.state is State.NONE
    assert codes(found) == []
    assert provenance.facts(found) == {"state": "none"}


def test_a_good_signature_is_valid_but_not_trusted_without_a_list(signed) -> None:
    found = read(signed)
    assert found.state is State.VALID
    assert codes(found) == ["c2pa_untrusted"]
    assert found.generator == "Absah tests 1"
    assert found.signer == "Test Camera"
    assert found.actions == ("c2pa.created",)


def test_a_signer_under_a_trusted_anchor_is_trusted(signed) -> None:
    found = read(signed, anchors=ANCHOR)
    assert found.state is State.TRUSTED
    assert codes(found) == ["c2pa_trusted"]


@pytest.mark.parametrize("anchors", ["", ANCHOR])
def test_one_changed_byte_of_the_picture_breaks_the_binding(signed, anchors) -> None:
    changed = bytearray(signed)
    changed[-200] ^= 1
    found = read(bytes(changed), anchors=anchors)
    assert found.state is State.BROKEN_BINDING
    assert codes(found) == ["c2pa_broken_binding"]


def test_a_changed_claim_is_invalid_and_no_broken_binding(signed) -> None:
    changed = signed.replace(b"Absah tests", b"Adobe tests", 1)
    assert changed != signed
    assert read(changed, anchors=ANCHOR).state is State.INVALID


def test_credentials_of_another_file_do_not_bind_to_this_one(
    signed, photo, make_photo, save
) -> None:
    header = 20  # JFIF's, which both files share and after which credentials are put
    other = save(make_photo(160, 120, seed=9), quality=95)
    swapped = signed[: len(signed) - len(photo) + header] + other[header:]
    assert read(swapped).state is State.BROKEN_BINDING


def test_damaged_credentials_are_told_from_none(signed) -> None:
    start = signed.index(b"jumb")
    damaged = signed[: start + 100] + bytes(300) + signed[start + 400 :]
    assert read(damaged).state is State.UNREADABLE


def test_a_picture_that_a_model_made_says_so(photo) -> None:
    found = read(signing.sign(photo, source=signing.GENERATED))
    assert "c2pa_ai_generated" in codes(found)
    assert found.ai_source == "trainedAlgorithmicMedia"


def test_an_ingredient_that_a_model_made_is_told_apart(photo) -> None:
    made = signing.sign(photo, source=signing.GENERATED)
    found = read(signing.sign(photo, ingredient=made))
    assert found.ai_source is None
    assert found.ai_ingredient
    assert "c2pa_ai_ingredient" in codes(found)


def test_edits_that_change_what_is_shown_are_named_and_colours_are_not(photo) -> None:
    found = read(signing.sign(photo, edits=["c2pa.color_adjustments", "c2pa.drawing"]))
    (finding,) = (f for f in provenance.findings(found) if f.code == "c2pa_edited")
    assert finding.attributes["actions"] == ["c2pa.drawing"]
    assert "c2pa_edited" not in codes(read(signing.sign(photo, edits=["c2pa.color_adjustments"])))


def test_a_signed_png_is_verified_too(make_photo, save) -> None:
    signed = signing.sign(save(make_photo(64, 48), "PNG"), "image/png")
    assert read(signed, anchors=ANCHOR, media_type="image/png").state is State.TRUSTED


@pytest.mark.parametrize("content", [b"", b"BM" + bytes(60), b"\xff\xd8\xff"])
def test_files_that_cannot_carry_credentials_have_none(content) -> None:
    assert read(content, media_type="image/bmp").state is State.NONE
