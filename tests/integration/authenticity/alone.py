"""Start the authenticity checker with its own model and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from absah_authenticity.localisation import MODEL
from absah_server.harness import Harness, open_harness
from absah_server.settings import InferenceSettings, Settings, model_repository


@asynccontextmanager
async def open_alone(trust_anchors: Path | None = None) -> AsyncIterator[Harness]:
    """Start it; `trust_anchors` is its setting."""
    with tempfile.TemporaryDirectory() as folder:
        models, policies = Path(folder) / "models", Path(folder) / "policies"
        models.mkdir()
        policies.mkdir()
        (models / MODEL).symlink_to(model_repository() / MODEL)
        settings = Settings(
            plugins=("authenticity",),
            policies=policies,
            inference=InferenceSettings(model_repository=models),
            checkers={"authenticity": {"trust_anchors": trust_anchors}},
        )
        async with open_harness("authenticity", settings) as opened:
            yield opened
