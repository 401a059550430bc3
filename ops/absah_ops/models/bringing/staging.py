"""Try a model out in a repository of its own, before it stands in the real one."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from absah_ops.models.bringing.kind import Kind
from absah_ops.models.golden import choosing
from absah_sdk import AbsahError, Result
from absah_server import harness
from absah_server.core.errors import ModelInvalid
from absah_server.inference import repository
from absah_server.inference.repository import StoredModel


@contextmanager
def staged(folder: Path, model: str, file: Path) -> Iterator[Path]:
    """The folder for a model, beside links to all others; gone at the end unless moved away.

    It lies within the repository `folder`, so that moving it into place is one step, under a name
    that no server takes for a model. What does not fit is told of `file`, which is brought.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".importing-") as name:
        root = Path(name)
        for other in folder.iterdir():
            if other.is_dir() and not other.name.startswith((".", "_")) and other.name != model:
                (root / other.name).symlink_to(other.resolve())
        try:
            yield root / model
        except ModelInvalid as exc:
            copy = re.escape(f"{root / model}/") + r"[0-9]+/model\.onnx"
            told = re.sub(copy, lambda _: str(file), str(exc))
            raise AbsahError(told.replace(str(root), str(folder))) from exc


def copy_shared(source: Path, target: Path) -> None:
    """Copy what lies beside a model's versions and belongs to all of them."""
    versions = repository.versions_of(source)
    shutil.copytree(source, target, ignore=lambda folder, names: versions)


async def run(kind: Kind, model: StoredModel, samples: Sequence[bytes | str]) -> list[Result]:
    """Run the checker with the staged model on samples; raises what starting it raises."""
    task = next(task() for task in choosing.TASKS if task.checker == kind.checker)
    settings = choosing.settings(task, {model.name: model.version}, model.name)
    inference = settings.inference.model_copy(update={"model_repository": model.directory.parent})
    settings = settings.model_copy(update={"inference": inference})
    async with harness.open_harness(kind.checker, settings) as opened:
        return [(await opened.check(sample)).result for sample in samples]
