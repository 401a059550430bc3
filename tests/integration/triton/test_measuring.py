"""What is measured through Triton is the version that was named."""

from __future__ import annotations

from pathlib import Path

from integration.inference.drawing import draw_double, floats

from absah_ops.measuring.sides import Sides
from absah_ops.triton import server
from absah_server.inference.repository import read_model


def test_the_version_that_is_named_is_measured_and_no_higher_one(tmp_path: Path) -> None:
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path, version=version, factor=factor)
    (model,) = read_model(tmp_path / "double", versions=("1",))
    with server.running(tmp_path) as triton, Sides() as started:
        side = started.triton(model, triton.grpc_address, shared_memory=False)
        answer = started.answer(side, "double", floats(1))
    assert answer["y"].tolist() == [[2.0]]
