"""Tell what a file is by its first bytes; what the sender calls it is not trusted.

Decoders are an allow-list: each one is native code that meets hostile bytes, so a format is
decoded only where phones, scanners and offices send it.
"""

from __future__ import annotations

from absah_server.decode import text

TEXT = "text/plain"
PDF = "application/pdf"
UNKNOWN = "application/octet-stream"

IMAGE_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
}
"""Media types of pictures that are decoded, with the names of Pillow's decoders."""

DECODED = frozenset(IMAGE_FORMATS) | {PDF}
"""Media types that have pages of pixels."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"%!PS", "application/postscript"),
    (b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (b"{\\rtf", "application/rtf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)

_BRANDS: dict[bytes, str] = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
}
"""Brands of ISO base media files (ISO/IEC 14496-12, 23008-12)."""

_ADVICE: dict[str, str] = {
    "image/heic": "HEIC pictures are not accepted; send the picture as JPEG.",
    "image/heif": "HEIF pictures are not accepted; send the picture as JPEG.",
    "image/avif": "AVIF pictures are not accepted; send the picture as JPEG.",
    "image/jp2": "JPEG 2000 pictures are not accepted; send the picture as JPEG.",
    "image/jxl": "JPEG XL pictures are not accepted; send the picture as JPEG.",
    "image/vnd.adobe.photoshop": "Photoshop files are not accepted; send the picture as JPEG.",
    "image/vnd.microsoft.icon": "Icons are not accepted; send the picture as JPEG.",
    "application/postscript": "PostScript files are not accepted; send the document as PDF.",
    "application/rtf": "RTF files are not accepted; send the document as PDF.",
    "application/zip": (
        "Office files and archives are not accepted; send the document as PDF or plain text."
    ),
    "application/x-ole-storage": "Office files are not accepted; send the document as PDF.",
    "text/plain": "This is a text, which has no pages to look at.",
}

_PDF_HEADER_WITHIN = 1024
"""Readers look for %PDF- in the first 1024 bytes (ISO 32000-1, implementation note 13)."""


def sniff(content: bytes) -> str:
    """Name the media type of a file, `application/octet-stream` where nothing fits."""
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    return (
        _sniff_container(content)
        or _sniff_bmp(content)
        or (PDF if b"%PDF-" in content[:_PDF_HEADER_WITHIN] else None)
        or (TEXT if text.looks_like_text(content) else UNKNOWN)
    )


def refusal(media_type: str) -> str | None:
    """Say why a file of this type cannot be decoded to pages; None where it can."""
    if media_type in DECODED:
        return None
    return _ADVICE.get(
        media_type, "The file is of no known kind; send a JPEG, PNG, WebP, TIFF, BMP, GIF or PDF."
    )


def _sniff_container(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] != b"ftyp":
        return None
    size = int.from_bytes(content[:4], "big")
    brands = [content[8:12], *(content[i : i + 4] for i in range(16, min(size, 128), 4))]
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    specific = [media_type for media_type in known if media_type != "image/heif"]
    return next(iter(specific or known), None)


def _sniff_bmp(content: bytes) -> str | None:
    """Two letters alone could begin a text, so the size of the second header is looked at too."""
    header_bytes = int.from_bytes(content[14:18], "little")
    if content[:2] == b"BM" and header_bytes in (12, 16, 40, 52, 56, 64, 108, 124):
        return "image/bmp"
    return None
