"""A model's parameters are read as they are meant, and mistakes are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pydantic
import pytest

from absah_objects import description
from absah_objects.checker import ObjectsChecker, ObjectsSettings
from absah_objects.description import Colour, Placement


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A model of a repository, as `absah_sdk.Model` describes it."""

    directory: Path
    parameters: Mapping[str, str]
    name: str = "own"
    version: str = "1"
    labels: Sequence[str] = field(default=("person", "clock"))


def make_model(directory: Path, **parameters: str) -> Folder:
    given = {"head": "yolov8", "sizes": "640x640", **parameters}
    prefixed = {f"absah.{name}": value for name, value in given.items()}
    return Folder(directory=directory, parameters={**prefixed, "another.server": "its business"})


def test_parameters_are_lists_of_words(tmp_path: Path) -> None:
    model = make_model(
        tmp_path, sizes="320, 448", mean="1 2 3", colour="BGR", placement="corner", strides="8 16"
    )
    described = description.describe(model)
    assert described.sizes == ("320", "448")
    assert described.mean == (1.0, 2.0, 3.0)
    assert described.colour is Colour.BGR
    assert described.placement is Placement.CORNER
    assert described.strides == (8, 16)
    assert described.labels == ("person", "clock")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sizes", "640 by 480"),
        ("sizes", "8"),
        ("sizes", "99999x640"),
        ("sizes", ""),
        ("mean", "1 2"),
        ("std", "1 0 1"),
        ("colour", "CMYK"),
        ("padding", "256"),
        ("overlap", "1.5"),
        ("confidence", "high"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_model(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"the model own: parameter absah\.{name}: "):
        description.describe(make_model(tmp_path, **{name: value}))


def test_a_model_without_a_head_is_refused(tmp_path: Path) -> None:
    model = Folder(directory=tmp_path, parameters={"absah.sizes": "320"})
    with pytest.raises(ValueError, match=r"parameter absah\.head: "):
        description.describe(model)


def test_a_model_without_labels_is_refused(tmp_path: Path) -> None:
    parameters = make_model(tmp_path).parameters
    model = Folder(directory=tmp_path, parameters=parameters, labels=())
    with pytest.raises(ValueError, match=r"labels\.txt"):
        description.describe(model)


def test_indonesian_labels_go_line_by_line(tmp_path: Path) -> None:
    model = make_model(tmp_path)
    assert description.indonesian_labels(model) == {}
    (tmp_path / "labels.id.txt").write_text("orang\njam\n", encoding="utf-8")
    assert description.indonesian_labels(model) == {"person": "orang", "clock": "jam"}


def test_indonesian_labels_of_another_length_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.id.txt").write_text("orang\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"1 lines, labels\.txt 2"):
        description.indonesian_labels(make_model(tmp_path))


def test_the_setting_names_the_model() -> None:
    assert ObjectsChecker(ObjectsSettings()).models == ("objects_nanodet",)
    assert ObjectsChecker(ObjectsSettings(model="own")).models == ("own",)


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="possible_confidence is above confidence"):
        ObjectsSettings(confidence=0.2, possible_confidence=0.3)


def test_sizes_cannot_be_set_for_a_model_of_one_size(tmp_path: Path) -> None:
    checker = ObjectsChecker(ObjectsSettings(model="own", sizes=(320,)))
    with pytest.raises(ValueError, match="takes pictures of 640x640"):
        checker.start({"own": make_model(tmp_path)})


def test_a_head_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    checker = ObjectsChecker(ObjectsSettings(model="own"))
    with pytest.raises(ValueError, match=r"absah\.head is 'ssd'"):
        checker.start({"own": make_model(tmp_path, head="ssd")})
