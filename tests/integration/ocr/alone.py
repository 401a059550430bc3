"""Start the checker `ocr` with its own models and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support import make_settings

from absah_server.harness import Harness, open_harness
from absah_server.settings import model_repository

MODELS = ("ocr_detection", "ocr_angle", "ocr_recognition")


@asynccontextmanager
async def open_alone(**settings: Any) -> AsyncIterator[Harness]:
    """Start it; `settings` are the checker's own."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_settings(Path(folder), plugins=("ocr",), checkers={"ocr": settings})
        for model in MODELS:
            (Path(folder) / "models" / model).symlink_to(model_repository() / model)
        async with open_harness("ocr", made) as harness:
            yield harness
