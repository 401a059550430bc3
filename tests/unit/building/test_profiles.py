"""A profile is derived from config.pbtxt, and each mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from absah_ops.building import profiles
from absah_ops.building.errors import BuildFailed
from absah_ops.building.profiles import Range
from absah_server.inference.repository import StoredModel, read_model

BOUNDS = (
    'parameters { key: "absah.profile.pixels" value { string_value: "32x32x3 64x96x3 256x512x3" } }'
)


def make_reader(
    folder: Path, *, dims: str = "[ -1, -1, 3 ]", batch: int = 8, more: str = ""
) -> StoredModel:
    (folder / "reader" / "1").mkdir(parents=True)
    (folder / "reader" / "1" / "model.onnx").write_bytes(b"")
    (folder / "reader" / "config.pbtxt").write_text(
        f'backend: "onnxruntime"\nmax_batch_size: {batch}\n'
        f'input [ {{ name: "pixels" data_type: TYPE_UINT8 dims: {dims} }} ]\n'
        f'output [ {{ name: "text" data_type: TYPE_INT64 dims: [ -1 ] }} ]\n{more}'
    )
    return read_model(folder / "reader")[0]


def test_dynamic_axes_take_their_bounds_from_the_config(tmp_path: Path) -> None:
    model = make_reader(tmp_path, more=BOUNDS)
    assert profiles.derive(model, given={})["pixels"] == Range(
        min=(1, 32, 32, 3), opt=(8, 64, 96, 3), max=(8, 256, 512, 3)
    )


def test_the_best_batch_is_the_largest_preferred_one(tmp_path: Path) -> None:
    more = f"{BOUNDS}\ndynamic_batching {{ preferred_batch_size: [ 2, 4 ] }}"
    shapes = profiles.derive(make_reader(tmp_path, more=more), given={})["pixels"]
    assert (shapes.min[0], shapes.opt[0], shapes.max[0]) == (1, 4, 8)


def test_a_larger_batch_may_be_wished_for_a_card(tmp_path: Path) -> None:
    more = f"{BOUNDS}\ndynamic_batching {{ preferred_batch_size: [ 2, 4 ] }}"
    shapes = profiles.derive(make_reader(tmp_path, more=more), given={}, max_batch_size=32)
    assert (shapes["pixels"].opt[0], shapes["pixels"].max[0]) == (32, 32)


def test_fixed_dims_need_no_bounds(tmp_path: Path) -> None:
    model = make_reader(tmp_path, dims="[ 48, 192, 3 ]", batch=0)
    shape = (48, 192, 3)
    assert profiles.derive(model, given={})["pixels"] == Range(min=shape, opt=shape, max=shape)


def test_a_given_shape_goes_over_the_config(tmp_path: Path) -> None:
    model = make_reader(tmp_path, batch=0, more=BOUNDS)
    shapes = profiles.derive(model, given={"pixels": "8x8x3 16x16x3 24x24x3"})
    assert shapes["pixels"].max == (24, 24, 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("32x32x3 64x64x3", "no three shapes"),
        ("32x32x3 64x64x3 big", "no three shapes"),
        ("32x32x3 64x64x3 0x64x3", "no three shapes"),
        ("32x32x3 64x64x3 128x128x4", "does not fit dims"),
        ("32x32 64x64 128x128", "does not fit dims"),
        ("32x32x3 64x256x3 128x128x3", "not in order"),
    ],
)
def test_a_wrong_shape_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BuildFailed, match=problem):
        profiles.derive(make_reader(tmp_path), given={"pixels": text})


def test_dynamic_axes_without_bounds_are_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"no bounds(?s:.)*--shape pixels="):
        profiles.derive(make_reader(tmp_path), given={})


def test_an_unknown_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"no input 'image'(?s:.)*pixels"):
        profiles.derive(make_reader(tmp_path), given={"image": "1x1x3 1x1x3 1x1x3"})


def test_a_batch_cannot_be_wished_where_there_is_no_batch_axis(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="no batch axis"):
        profiles.derive(make_reader(tmp_path, batch=0, more=BOUNDS), given={}, max_batch_size=4)
