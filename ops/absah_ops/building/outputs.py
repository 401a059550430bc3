"""Write what was built: a repository for GPU hosts, or a candidate beside the current version.

Triton takes one config for all versions of a model, so versions for another platform cannot lie
in the same model folder. What is for a GPU goes into a repository of its own, which mirrors the
models that are built: name, tensors, labels and parameters are the same, and Absah's `--inference
triton` accepts it in place of the source.
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from absah_ops.building.errors import BuildFailed
from absah_server.core.models import Change, Rollout
from absah_server.inference import manifest, repository, rollout, whole_files
from absah_server.inference.config import CONFIG_NAME
from absah_server.inference.manifest import Manifest
from absah_server.inference.repository import StoredModel

PLAN_NAME = "model.plan"


def mirror(
    source: StoredModel,
    output: Path,
    *,
    config: Any,
    write: Callable[[Path], None],
    card: Mapping[str, str],
    replace: bool = False,
) -> Path:
    """Put a version of `source` into the repository `output`; returns the version's folder.

    `config` is the `ModelConfig` message of the model there; `write` fills the version's folder.
    Raises `BuildFailed`, see `mirrored`.
    """
    version = mirrored(source, output, replace=replace)
    folder = version.parent
    _check_platform(source, folder, config)
    folder.mkdir(parents=True, exist_ok=True)
    _fill(version, write)
    _copy_beside(source, folder)
    whole_files.write(folder / CONFIG_NAME, text_format.MessageToString(config))
    _write_manifest(source, folder, version.name, card)
    return version


def mirrored(source: StoredModel, output: Path, *, replace: bool) -> Path:
    """The folder of the version of `output` that stands for `source`.

    It has the source's number, by which Absah asks Triton for it. Raises `BuildFailed` where it is
    there already and is not to be replaced, or where `output` is the source's own repository.
    """
    folder = output / source.name
    if folder.resolve() == source.directory.resolve():
        raise BuildFailed(
            model=source.name,
            problem=f"{output} is the source's own repository",
            hint="name another folder with --output: one model folder serves one platform",
        )
    version = folder / source.version
    if version.exists() and not replace:
        raise BuildFailed(
            model=source.name,
            problem=f"{version} is there already",
            hint="--replace builds it anew in its place; Triton serves it after a restart",
        )
    return version


def candidate(
    source: StoredModel, *, write: Callable[[Path], None], card: Mapping[str, str]
) -> Path:
    """Add a version beside `source`, which stays the one that serves; returns its folder.

    The current version is written into rollout.json if it was not, as otherwise the highest
    version would serve after a restart.
    """
    folder = source.directory
    number = str(max(map(int, repository.versions_of(folder))) + 1)
    _fill(folder / number, write, first=lambda: _pin(folder))
    _write_manifest(source, folder, number, card)
    return folder / number


def read_config(source: StoredModel) -> Any:
    """The source's config as Triton's message, to be changed."""
    text = source.config.file.read_text(encoding="utf-8")
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def facts(source: StoredModel, more: Mapping[str, str]) -> dict[str, str]:
    """A manifest's card: where a version comes from, and `more`."""
    return {
        "source": f"{source.name}@{source.version}",
        "source_sha256": source.digest,
        "build_time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "built_by": f"absah {metadata.version('absah')} models build",
        **more,
    }


def _pin(folder: Path) -> None:
    if rollout.read(folder) is None:
        current = repository.serving_version(folder)
        change = Change(action="pin", by="absah models build", reason="a candidate was built")
        rollout.write(folder, Rollout(current=current), change)


def _fill(
    version: Path, write: Callable[[Path], None], first: Callable[[], None] = lambda: None
) -> None:
    """Make the version's folder, or nothing: a half-written one might be served.

    One that is there already is replaced as a whole. `first` is called when it is made and before
    it appears.
    """
    draft = version.parent / f".{version.name}.building"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        write(draft)
        first()
        _put(draft, version)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _put(draft: Path, version: Path) -> None:
    old = version.parent / f".{version.name}.replaced"
    shutil.rmtree(old, ignore_errors=True)
    if version.exists():
        version.rename(old)  # a folder that holds something cannot be renamed over
    try:
        draft.rename(version)
    except BaseException:
        if old.exists():
            old.rename(version)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _check_platform(source: StoredModel, folder: Path, config: Any) -> None:
    """Refuse a config under which the other versions there could not be loaded."""
    file = folder / CONFIG_NAME
    others = set(repository.versions_of(folder)) - {source.version} if file.exists() else ()
    if not others:
        return
    there = text_format.Parse(file.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())
    if (there.platform, there.backend) != (config.platform, config.backend):
        raise BuildFailed(
            model=source.name,
            problem=f"{folder} holds versions for {there.platform or there.backend} "
            f"({', '.join(sorted(others, key=int))})",
            hint="name another folder with --output: one model folder serves one platform",
        )


def _copy_beside(source: StoredModel, folder: Path) -> None:
    """Copy what lies beside the versions: labels, tokenizers, warm-up samples, the card."""
    versions = set(repository.versions_of(source.directory))
    for path in source.directory.iterdir():
        if path.name in (CONFIG_NAME, rollout.ROLLOUT_NAME) or path.name in versions:
            continue
        if path.name.startswith("."):
            continue
        if path.is_dir():
            shutil.copytree(path, folder / path.name, dirs_exist_ok=True)
        else:
            shutil.copy2(path, folder / path.name)


def _write_manifest(
    source: StoredModel, folder: Path, version: str, card: Mapping[str, str]
) -> None:
    files = repository.digests(folder, version)
    manifest.write(
        folder,
        Manifest(model=source.name, version=version, files=manifest.listed(files), card=card),
    )
