"""Settings of inference are refused where no server could follow them."""

from __future__ import annotations

import pydantic
import pytest

from absah_server.settings import InferenceSettings


@pytest.mark.parametrize("version", ["v1", "0", "01", "", "1\n", "../1"])
def test_a_pin_that_is_no_version_is_refused_by_its_model(version: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=r"pins\.entities_ner"):
        InferenceSettings(pins={"entities_ner": version})


def test_a_pin_is_a_version() -> None:
    assert InferenceSettings(pins={"entities_ner": "12"}).pins == {"entities_ner": "12"}
