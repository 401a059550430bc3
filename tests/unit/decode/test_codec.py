"""Values leave the sandbox as they were, and nothing else does."""

import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from absah_server.decode import codec

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.binary(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


def carried(value):
    file = io.BytesIO()
    offset, length = codec.write(value, file)
    return codec.read(memoryview(file.getvalue()), offset, length)


def read_tree(tree, rest=b""):
    content = rest + (tree if isinstance(tree, bytes) else json.dumps(tree).encode())
    return codec.read(memoryview(content), len(rest), len(content) - len(rest))


@settings(deadline=None)
@given(plain)
def test_plain_values_come_back_equal(value):
    came = carried(value)
    assert came == value
    assert type(came) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2],
        np.array([True, False]),
        np.array(3.5),
        np.zeros((0, 3)),
        np.array([1 + 2j]),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
    ],
)
def test_arrays_come_back_equal_and_read_only(array):
    came = carried({"a": [array, b"x"]})["a"][0]
    assert came.dtype == array.dtype
    assert came.shape == array.shape
    assert np.array_equal(came, array)


def test_arrays_are_read_in_place_and_cannot_be_written():
    came = carried(np.arange(1000))
    assert not came.flags.owndata
    assert came.flags.aligned
    with pytest.raises(ValueError, match="read-only"):
        came[0] = 1


def test_numpy_scalars_come_back_as_plain_numbers():
    assert carried([np.float32(0.5), np.int64(7), np.bool_(True)]) == [0.5, 7, True]


def test_not_a_number_comes_back():
    assert math.isnan(carried(math.nan))


def test_half_a_character_comes_back_replaced():
    assert carried("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array(["a"]), np.array([object()]), open])
def test_other_types_are_refused(value):
    with pytest.raises(TypeError):
        codec.write(value, io.BytesIO())


def test_a_very_long_value_is_refused():
    with pytest.raises(TypeError, match="too long"):
        codec.write("a" * (codec.MAX_TREE_BYTES + 1), io.BytesIO())


@pytest.mark.parametrize(
    "tree",
    [
        b"nonsense",
        b"\xff\xff",
        b"[" * 100_000,
        b"1" * 10_000,
        {"bytes": [0, 500]},
        {"bytes": [-1, 1]},
        {"bytes": [0, -1]},
        {"bytes": [0]},
        {"bytes": ["0", 1]},
        {"array": ["|u1", [500], 0]},
        {"array": ["|u1", [-1], 0]},
        {"array": ["|u1", [1] * 40, 0]},
        {"array": ["|u1", [1 << 62, 1 << 62], 0]},
        {"array": ["|u1", [True], 0]},
        {"array": ["|O", [0], 0]},
        {"array": ["u1,u1", [1], 0]},
        {"array": ["no type", [1], 0]},
        {"array": [["|u1"], [1], 0]},
        {"map": [[["unhashable"], 1]]},
        {"map": [[1]]},
        {"map": 3},
        {"unheard": 1},
        {"bytes": [0, 0], "tuple": []},
        {},
    ],
)
def test_a_tree_that_write_never_makes_is_malformed(tree):
    with pytest.raises(codec.Malformed):
        read_tree(tree, b"abcd")


def test_a_truth_value_is_true_or_false_whatever_its_byte():
    came = read_tree({"array": ["|b1", [4], 0]}, bytes([0, 1, 2, 255]))
    assert came.view(np.uint8).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(("offset", "length"), [(-1, 2), (0, 100), (3, -1), (99, 1)])
def test_a_tree_outside_the_file_is_malformed(offset, length):
    with pytest.raises(codec.Malformed):
        codec.read(memoryview(b"1234"), offset, length)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_give_a_value_or_malformed(content):
    try:
        codec.read(memoryview(content), 0, len(content))
    except codec.Malformed:
        return
