"""Texts decode with every character in its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from absah_sdk import DocumentUnreadable
from absah_server.decode import text
from absah_server.decode.limits import DecodeLimits

LIMITS = DecodeLimits(max_text_bytes=1000)
SENTENCE = "Nama: Siti 𝔸\r\nTanggal:\t1 Mei\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_characters_are_kept(encoding):
    assert text.decode(SENTENCE.encode(encoding), LIMITS) == SENTENCE


def test_big_endian_utf_16_is_read_by_its_mark():
    assert text.decode(b"\xfe\xff" + SENTENCE.encode("utf-16-be"), LIMITS) == SENTENCE


def test_what_is_not_utf_8_is_read_as_windows_1252():
    assert text.decode("“café” – ok".encode("cp1252"), LIMITS) == "“café” – ok"


def test_nothing_is_normalised():
    assert text.decode("e\u0301".encode(), LIMITS) == "e\u0301"


def test_only_the_first_mark_is_removed():
    assert text.decode("\ufeff\ufeffa".encode(), LIMITS) == "\ufeffa"


@pytest.mark.parametrize(
    "content", [b"a\0b", b"\x81\x8d", b"\xff\xfea", b"\xef\xbb\xbf\xff", b"\xff\xfe\0\0"]
)
def test_what_no_encoding_fits_is_refused(content):
    with pytest.raises(DocumentUnreadable, match="UTF-8"):
        text.decode(content, LIMITS)


def test_a_long_text_is_refused_naming_the_setting():
    with pytest.raises(DocumentUnreadable, match=r"1001 bytes.*at most 1000.*max_text_bytes"):
        text.decode(b"a" * 1001, LIMITS)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_text_or_a_reason(content):
    try:
        decoded = text.decode(content, LIMITS)
    except DocumentUnreadable:
        return
    assert "\0" not in decoded
    assert len(decoded.encode()) >= len(decoded)
