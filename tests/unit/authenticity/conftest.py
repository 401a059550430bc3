"""Fixtures of the authenticity checker's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unit.authenticity import pictures
from unit.authenticity.pictures import Picture


@pytest.fixture(scope="session")
def make_photo() -> Callable[..., Picture]:
    return pictures.draw_photo


@pytest.fixture(scope="session")
def save() -> Callable[..., bytes]:
    return pictures.save_picture
