"""Carry values out of a process that may have been taken over.

Reading must be safe whatever the bytes are, which pickle is not. A value is a tree in JSON, with
bytes and arrays beside it in the same file: plain values (None, booleans, numbers, strings), bytes,
lists, tuples, mappings and numpy arrays of numbers, nested as one likes. Arrays are read in place,
without a copy, and are read-only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MAX_TREE_BYTES = 8 << 20
_MAX_AXES = 8
_ALIGNMENT_BYTES = 64
_ARRAY_KINDS = "biufc"


class Malformed(Exception):
    """The bytes are not a value that `write` made."""


class Sink(Protocol):
    """A file that values are written to."""

    def write(self, data: Any, /) -> int | None: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredArray:
    """An array whose items already lie in the file, C-contiguous from `offset`."""

    dtype: str
    shape: tuple[int, ...]
    offset: int


def write(value: Any, file: Sink) -> tuple[int, int]:
    """Write a value and return offset and length of its tree; raises TypeError for other types."""
    tree = json.dumps(_encode(value, file), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(tree) > MAX_TREE_BYTES:
        raise TypeError(f"the value is too long: {len(tree)} bytes without bytes and arrays")
    return _store(tree, file), len(tree)


def store_array(array: NDArray[Any], file: Sink) -> StoredArray:
    """Write an array's items now, so that they need not be kept until the value is complete."""
    _check_dtype(array.dtype)
    file.write(bytes(-file.tell() % _ALIGNMENT_BYTES))
    offset = _store(np.ascontiguousarray(array), file)
    return StoredArray(dtype=array.dtype.str, shape=array.shape, offset=offset)


def read(buffer: memoryview, offset: int, length: int) -> Any:
    """Read the value whose tree lies at `offset`; raises `Malformed`."""
    if not (0 <= offset <= offset + length <= len(buffer) and length <= MAX_TREE_BYTES):
        raise Malformed("the tree lies outside the file")
    try:
        return _decode(json.loads(bytes(buffer[offset : offset + length])), buffer)
    except (ValueError, TypeError, RecursionError, OverflowError) as exc:
        raise Malformed(str(exc)) from exc


def _encode(value: Any, file: Sink) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray() | memoryview():
            data = bytes(value)
            return {"bytes": [_store(data, file), len(data)]}
        case StoredArray():
            return {"array": [value.dtype, list(value.shape), value.offset]}
        case np.ndarray():
            return _encode(store_array(value, file), file)
        case np.generic():
            return _encode(value.item(), file)
        case tuple():
            return {"tuple": [_encode(item, file) for item in value]}
        case Mapping():
            pairs = [[_encode(key, file), _encode(item, file)] for key, item in value.items()]
            return {"map": pairs}
        case Sequence():
            return [_encode(item, file) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot leave the sandbox")


def _decode(tree: Any, buffer: memoryview) -> Any:
    if isinstance(tree, str):
        return tree.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(tree, list):
        return [_decode(item, buffer) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if len(tree) != 1:
        raise Malformed("a node has more than one kind")
    ((kind, body),) = tree.items()
    match kind, body:
        case "bytes", [int(offset), int(length)]:
            return bytes(_slice(buffer, offset, length))
        case "array", [str(dtype), list(shape), int(offset)]:
            return _decode_array(buffer, dtype, shape, offset)
        case "tuple", list(items):
            return tuple(_decode(item, buffer) for item in items)
        case "map", list(pairs):
            return {_decode(key, buffer): _decode(item, buffer) for key, item in pairs}
    raise Malformed("a node of no known kind")


def _decode_array(buffer: memoryview, name: str, shape: list[Any], offset: int) -> Any:
    dtype = np.dtype(name)
    _check_dtype(dtype)
    if len(shape) > _MAX_AXES or any(type(side) is not int or side < 0 for side in shape):
        raise Malformed("an array of no possible shape")
    items = _slice(buffer, offset, math.prod(shape) * dtype.itemsize)
    if dtype.kind == "b":  # any other byte than 0 and 1 would be a truth value that is neither
        return (np.frombuffer(items, np.uint8) != 0).reshape(shape)
    return np.frombuffer(items, dtype).reshape(shape)


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in _ARRAY_KINDS:
        raise TypeError("only arrays of numbers can leave the sandbox")


def _slice(buffer: memoryview, offset: int, length: int) -> memoryview:
    if not 0 <= offset <= offset + length <= len(buffer):
        raise Malformed("a value lies outside the file")
    return buffer[offset : offset + length]


def _store(data: Any, file: Sink) -> int:
    """Append bytes to the file; a raw file may take fewer bytes than it is given."""
    offset = file.tell()
    view = memoryview(data)
    rest = view.cast("B") if view.nbytes else view[:0]  # an empty array cannot be cast
    while rest.nbytes:
        rest = rest[file.write(rest) or 0 :]
    return offset
