"""A running sandbox, and makers of files that mean harm."""

from __future__ import annotations

import asyncio
import io
import struct
import sys
import textwrap
import types
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from absah_server.decode.limits import MIB, DecodeLimits
from absah_server.decode.sandbox import ProcessSandbox

LIMITS = DecodeLimits(memory_bytes=512 * MIB, cpu_seconds=1, wall_seconds=20, max_frames=50)

PARSERS = '''
"""Functions of a made-up plugin, some of which a hostile file has taken over."""
import ctypes, mmap, os, threading, time

import numpy as np

from absah_sdk import DocumentUnreadable


def measure(content):
    return {"length": len(content), "halves": (content[:2], content[2:]), "rows": np.eye(3)}


def refuse(content):
    raise DocumentUnreadable(f"{len(content)} bytes are not enough")


def stumble(content):
    raise KeyError(content.decode())


def eat_memory(step):
    hoard = []
    while True:
        hoard.append(bytearray(step))


def spin():
    while True:
        pass


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def overwrite_null():
    ctypes.memset(0, 1, 1)


def environment():
    return dict(os.environ)


def identity():
    return os.getpid()


def in_thread(number):
    results = []
    thread = threading.Thread(target=lambda: results.append(number * 2))
    thread.start()
    thread.join()
    return results[0]


def native(name, *args):
    return getattr(ctypes.CDLL(None), name)(*args)


def visible_files():
    files = []
    for fd in range(64):
        try:
            os.fstat(fd)
        except OSError:
            continue
        files.append(fd)
    return files


def answer(message):
    os.write(3, message)
    os._exit(0)
'''


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(parsers: types.ModuleType) -> AsyncIterator[ProcessSandbox]:
    """A sandbox with two workers and tight limits."""
    sandbox = ProcessSandbox(LIMITS, workers=2)
    await sandbox.start()
    yield sandbox
    await sandbox.close()


@pytest.fixture(scope="module", autouse=True)
def parsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[types.ModuleType]:
    """A module that sandboxed processes can import, as a plugin's would be."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "made_up_parsers.py").write_text(textwrap.dedent(PARSERS))
    sys.path.insert(0, str(folder))
    import made_up_parsers

    yield made_up_parsers
    sys.path.remove(str(folder))
    del sys.modules["made_up_parsers"]


@pytest.fixture
def soon() -> Callable[[], float]:
    """A deadline that no honest job passes."""
    return lambda: asyncio.get_running_loop().time() + 30


@pytest.fixture
def photo() -> bytes:
    """A good JPEG of 64 × 48 pixels."""
    return encoded(np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8), "JPEG")


@pytest.fixture
def make() -> types.SimpleNamespace:
    """Makers of files."""
    return types.SimpleNamespace(
        encoded=encoded, png=png, zeros=zeros, gif=gif, tiff_chain=tiff_chain, pdf=pdf
    )


def encoded(pixels: np.ndarray, form: str, **options: object) -> bytes:
    """Encode pixels as a picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG with this header and these chunks, whether or not they fit it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in ((b"IHDR", header), *chunks, (b"IEND", b"")):
        check = zlib.crc32(kind + body)
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", check)]
    return b"".join(parts)


def zeros(size: int) -> bytes:
    """Compress zeros, a thousand to one."""
    return zlib.compress(bytes(size), 9)


def gif(frames: int) -> bytes:
    """Write a GIF that repeats one pixel."""
    one = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return head + one * frames + b"\x3b"


def tiff_chain(pages: int, *, to: int | None = None, width: int = 1, height: int = 1) -> bytes:
    """Write a TIFF whose last page points to page `to`, else to none; all share the same pixels."""
    start, size = 8, 2 + 12 * 9 + 4
    entries = (
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, start + size * pages),
        (277, 3, 1, 1),
        (278, 3, 1, height),
        (279, 4, 1, width * height),
    )
    parts = [b"II*\x00", struct.pack("<I", start)]
    for page in range(pages):
        following = start + size * (page + 1)
        if page == pages - 1:
            following = 0 if to is None else start + size * to
        parts.append(struct.pack("<H", len(entries)))
        parts += [struct.pack("<HHII", *entry) for entry in entries]
        parts.append(struct.pack("<I", following))
    parts.append(bytes(width * height))
    return b"".join(parts)


def pdf(pages: int = 1, *, box: str = "0 0 200 100", extra: str = "", content: str = "") -> bytes:
    """Write a PDF; `extra` is added to its trailer."""
    kids = " ".join(f"{10 + page} 0 R" for page in range(pages))
    objects = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Count {pages}/Kids[{kids}]>>",
        3: f"<</Length {len(content)}>>\nstream\n{content}\nendstream",
        4: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    leaf = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 3 0 R"
        "/Resources<</Font<</F1 4 0 R>>>>>>"
    )
    objects |= {10 + page: leaf for page in range(pages)}
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in objects.items())
    return f"%PDF-1.7\n{body}trailer\n<</Root 1 0 R{extra}>>\n%%EOF\n".encode()
