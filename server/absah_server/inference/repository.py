"""Read a model repository: folders in Triton's layout, their labels, versions and digests.

    <repository>/<model>/config.pbtxt, labels.txt, <version>/model.onnx

Reading opens no model; what only the graph can tell is checked in `signature`.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from absah_server.core.errors import ModelInvalid
from absah_server.inference import manifest, rollout
from absah_server.inference.config import ModelConfig, VersionPolicy, read_config
from absah_server.inference.manifest import Manifest

LABELS_NAME = "labels.txt"
UNDIGESTED = frozenset({manifest.MANIFEST_NAME, rollout.ROLLOUT_NAME})
"""Files that say something of a model and change no answer of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredModel:
    """One version of a model as it lies in the repository; satisfies `absah_sdk.Model`.

    `files` holds the SHA-256 of every file that can change its answers, by path relative to
    `directory`: the config, the files of this version and what lies beside them, but no
    documentation (*.md), no manifest or rollout, and no other version. `digest` sums them up: it
    is the SHA-256 of what `sha256sum` prints for these files in the order of their paths.
    """

    name: str
    version: str
    directory: Path
    config: ModelConfig
    labels: tuple[str, ...]
    files: Mapping[str, str]
    digest: str
    manifest: Manifest | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        """`parameters` of config.pbtxt."""
        return self.config.parameters

    @property
    def file(self) -> Path:
        """The ONNX file."""
        return self.directory / self.version / self.config.model_filename


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a repository holds: the models that can be opened and what is wrong with the others."""

    models: tuple[StoredModel, ...]
    errors: tuple[ModelInvalid, ...]


def read_repository(
    repository: Path,
    only: Collection[str] | None = None,
    pins: Mapping[str, str] = types.MappingProxyType({}),
    *,
    runs_here: bool = True,
) -> Reading:
    """Read every model folder, or only those of these names; `pins` gives versions by model.

    A bad one becomes an entry of `errors` and hides no other. `runs_here` is as in `read_config`.
    """
    models: list[StoredModel] = []
    errors: list[ModelInvalid] = []
    if not repository.is_dir():
        errors.append(
            ModelInvalid(model="*", file=str(repository), problem="is no folder of models")
        )
        return Reading(models=(), errors=tuple(errors))
    for directory in sorted(repository.iterdir()):
        if not directory.is_dir() or directory.name.startswith((".", "_")):
            continue
        if only is not None and directory.name not in only:
            continue
        try:
            pin = pins.get(directory.name)
            versions = None if pin is None else (pin,)
            models.extend(read_model(directory, versions=versions, runs_here=runs_here))
        except ModelInvalid as exc:
            errors.append(exc)
    return Reading(models=tuple(models), errors=tuple(errors))


def read_model(
    directory: Path,
    *,
    versions: Collection[str] | None = None,
    trusting: bool = False,
    runs_here: bool = True,
) -> tuple[StoredModel, ...]:
    """Read one model folder, lowest version first.

    Without `versions` it is the current one of its rollout, or else those that the config's
    version policy asks for. Raises `ModelInvalid`, also where a version's files are not those
    that its manifest lists, unless `trusting`.
    """
    config = read_config(directory, runs_here=runs_here)
    labels = _read_labels(config, directory)
    chosen = sorted(map(int, versions)) if versions else _chosen_versions(config, directory)
    return tuple(
        _read_version(config, directory, labels, version, trusting=trusting) for version in chosen
    )


def versions_of(directory: Path) -> tuple[str, ...]:
    """The version folders of a model, lowest first."""
    return tuple(map(str, sorted(int(path.name) for path in _version_folders(directory))))


def serving_version(directory: Path, *, runs_here: bool = True) -> str:
    """The version that answers, or would: that of the rollout, or else of the version policy.

    Raises `ModelInvalid`.
    """
    config = read_config(directory, runs_here=runs_here)
    return str(_chosen_versions(config, directory)[-1])


def _read_version(
    config: ModelConfig,
    directory: Path,
    labels: tuple[str, ...],
    version: int,
    *,
    trusting: bool,
) -> StoredModel:
    file = directory / str(version) / config.model_filename
    if not file.is_file():
        raise ModelInvalid(
            model=config.name,
            file=str(file),
            problem="is missing",
            hint=f"put the model of version {version} there",
        )
    files = digests(directory, str(version))
    made_of = manifest.read(directory, str(version))
    if made_of is not None and not trusting:
        manifest.check(directory, made_of, files)
    listing = "".join(f"{digest}  {path}\n" for path, digest in files.items())
    return StoredModel(
        name=config.name,
        version=str(version),
        directory=directory,
        config=config,
        labels=labels,
        files=types.MappingProxyType(files),
        digest=hashlib.sha256(listing.encode()).hexdigest(),
        manifest=made_of,
    )


def _chosen_versions(config: ModelConfig, directory: Path) -> tuple[int, ...]:
    rolled_out = rollout.read(directory)
    if rolled_out is not None:
        return (int(rolled_out.current),)
    found = sorted(int(path.name) for path in _version_folders(directory))
    policy: VersionPolicy = config.version_policy
    if not found:
        raise ModelInvalid(
            model=config.name,
            file=str(directory),
            problem="holds no version folder",
            hint=f"put the model into {directory / '1' / config.model_filename}",
        )
    missing = [version for version in policy.specific if version not in found]
    if missing:
        raise ModelInvalid(
            model=config.name,
            file=str(config.file),
            field="version_policy.specific.versions",
            problem=f"version {missing[0]} has no folder; there are {found}",
        )
    if policy.specific:
        return tuple(sorted(policy.specific))
    return tuple(found if policy.latest is None else found[-policy.latest :])


def _version_folders(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.is_dir() and rollout.VERSION.fullmatch(path.name):
            yield path


def _read_labels(config: ModelConfig, directory: Path) -> tuple[str, ...]:
    named = config.label_filenames
    file = directory / (named[0] if named else LABELS_NAME)
    if not named and not file.exists():
        return ()
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError as exc:
        raise ModelInvalid(
            model=config.name,
            file=str(config.file),
            field="output.label_filename",
            problem=f"{named[0]!r} is not in the model's folder",
        ) from exc
    except UnicodeDecodeError as exc:
        line = file.read_bytes()[: exc.start].count(b"\n") + 1
        raise ModelInvalid(
            model=config.name, file=str(file), field=f"line {line}", problem="is not UTF-8"
        ) from exc
    except OSError as exc:
        raise ModelInvalid(
            model=config.name, file=str(file), problem=f"cannot be read: {exc}"
        ) from exc
    # Not splitlines: a label may itself be U+2028, U+0085 or a space, as in a reader's alphabet.
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return tuple(line.removesuffix("\r") for line in lines)


def digests(directory: Path, version: str) -> dict[str, str]:
    """SHA-256 of the files of a version, as in `StoredModel.files`; raises `ModelInvalid`."""
    folders = set(_version_folders(directory))
    beside = (path for path in directory.rglob("*") if folders.isdisjoint(path.parents))
    # Asked for by name: a version folder may be a link, which rglob does not follow.
    own = (directory / version).rglob("*")
    paths = {path.relative_to(directory): path for path in (*beside, *own)}
    return {
        name.as_posix(): _digest(directory.name, path)
        for name, path in sorted(paths.items())
        if path.is_file()
        and path.suffix != ".md"
        and path.name not in UNDIGESTED
        and not name.as_posix().startswith(".")
    }


def _digest(model: str, path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        raise ModelInvalid(model=model, file=str(path), problem=f"cannot be read: {exc}") from exc
