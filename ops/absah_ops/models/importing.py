"""`absah models import`: bring a model of your own."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import click

from absah_ops import calling, showing
from absah_ops.models import addresses, verify
from absah_ops.models.addresses import Address
from absah_ops.models.bringing import staging, writing
from absah_ops.models.bringing.entities import TokenClassifier
from absah_ops.models.bringing.kind import DoesNotFit, Folder, Kind, Source
from absah_ops.models.bringing.objects import Detector
from absah_ops.models.golden import choosing
from absah_sdk import AbsahError
from absah_server.core.models import Change, Rollout
from absah_server.inference import repository, rollout
from absah_server.inference.engines import onnxruntime, opening
from absah_server.inference.repository import StoredModel
from absah_server.inference.signature import Signature
from absah_server.settings import Settings

KINDS: Mapping[str, type[Kind]] = {"objects": Detector, "entities": TokenClassifier}
NAME = re.compile("[a-z][a-z0-9_]*")
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=file_type)
@click.option(
    "--as", "name", required=True, help="The model's name; one that exists gets a version."
)
@click.option("--checker", type=click.Choice(list(KINDS)), help="Which checker is to use it.")
@click.option("--labels", type=file_type, help="A label a line, in the order of the outputs.")
@click.option("--head", default="", help="Detectors: nanodet, yolov8 or yolox.  [default: yolov8]")
@click.option("--size", "sizes", multiple=True, help="Detectors: 640x640, or a long side as 640.")
@click.option("--tokenizer", type=file_type, help="Entities: tokenizer.json.")
@click.option("--decoder", type=file_type, help="Entities: decoder.json, where there is a CRF.")
@click.option("--code", "codes", multiple=True, metavar="LABEL=CODE", help="Entities: PERSON=PER.")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    help="What else the checker reads, such as absah.confidence=0.4.",
)
@click.option("--sample", "samples", type=file_type, multiple=True, help="A file to try it on.")
def import_(
    file: Path,
    name: str,
    checker: str | None,
    labels: Path | None,
    head: str,
    sizes: tuple[str, ...],
    tokenizer: Path | None,
    decoder: Path | None,
    codes: tuple[str, ...],
    parameters: tuple[str, ...],
    samples: tuple[Path, ...],
) -> None:
    """Bring an ONNX file as a new model, or as a new version of a model that exists.

    The graph is compared with what the checker reads, and the checker is run with it on a sample;
    what does not fit is refused, and the repository stays as it was. A new version answers nobody
    until it is promoted.
    """
    if not NAME.fullmatch(name):
        raise click.UsageError(f"--as {name!r}: lower-case letters, digits and underscores")
    given = [sample.read_bytes() for sample in samples]
    root = Settings().inference.model_repository
    if (root / name).is_dir():
        _bring_version(file, addresses.parse(name), given)
        return
    if checker is None:
        raise click.UsageError("a new model needs --checker, which says who is to use it")
    source = Source(
        file=file,
        signature=_signature(file),
        metadata=onnxruntime.read_metadata(file),
        labels=_lines(labels),
        tokenizer=tokenizer,
        decoder=decoder,
        head=head,
        sizes=sizes,
        codes=_pairs("--code", codes),
        parameters=_pairs("--parameter", parameters),
    )
    _bring_model(source, name, KINDS[checker](), root, given)


def _bring_model(
    source: Source, name: str, kind: Kind, root: Path, samples: Sequence[bytes | str]
) -> None:
    folder = _with_parameters(kind.folder(source), source.parameters)
    with staging.staged(root, name, source.file) as directory:
        writing.write(directory, kind.checker, folder)
        _put(source.file, directory, "1")
        facts = _facts(source.file)
        writing.write_card(
            directory,
            kind.checker,
            folder,
            file=source.file.name,
            digest=facts["source_sha256"],
            day=facts["build_time"][:10],
        )
        told = _try(kind, directory, "1", samples)
        (stored,) = repository.read_model(directory, versions=("1",))
        verify.seal(stored, facts)
        directory.rename(root / name)
    _tell(name, "1", told)
    click.echo(f"  Complete {root / name / 'MODEL_CARD.md'}: what it is and where it fails.")
    click.echo(f"  To use it: [checkers.{kind.checker}] model = {name!r} in absah.toml.")


def _bring_version(file: Path, address: Address, samples: Sequence[bytes | str]) -> None:
    directory = address.directory
    serving = addresses.rollout_of(directory).current
    version = str(max(map(int, repository.versions_of(directory)), default=0) + 1)
    with staging.staged(directory.parent, address.model, file) as staged:
        staging.copy_shared(directory, staged)
        _put(file, staged, version)
        (stored,) = repository.read_model(staged, versions=(version,))
        opening.verify(stored)
        kind = _kind(stored)
        told = _try(kind, staged, version, samples) if kind else []
        verify.seal(stored, _facts(file))
        if rollout.read(directory) is None:
            # Without a rollout the highest version serves: this one, not yet measured.
            change = Change(action="import", by=calling.login())
            rollout.write(directory, Rollout(current=serving), change)
        (staged / version).rename(directory / version)
    _tell(address.model, version, told)
    click.echo(
        f"  Version {serving} goes on serving. Next: absah models evaluate "
        f"{address.model}@{version}, then promote."
    )


def _try(kind: Kind, directory: Path, version: str, samples: Sequence[bytes | str]) -> list[str]:
    """Check the staged model and run it; raises `DoesNotFit`, `ModelInvalid` or `AbsahError`."""
    (stored,) = repository.read_model(directory, versions=(version,))
    opening.verify(stored)
    kind.try_out(stored)
    chosen = samples or kind.samples()
    with showing.waiting(f"trying it on {len(chosen)} samples"):
        try:
            results = asyncio.run(staging.run(kind, stored, chosen))
        except ValueError as exc:
            # A checker that cannot use what the model says of itself.
            raise AbsahError(str(exc)) from exc
    return [kind.told(result) for result in results]


def _kind(stored: StoredModel) -> Kind | None:
    """The kind of a model that exists; None for those that only Absah's own graphs have."""
    try:
        checker = choosing.choose(stored).checker
    except AbsahError:
        return None
    return KINDS[checker]() if checker in KINDS else None


def _put(file: Path, directory: Path, version: str) -> None:
    (directory / version).mkdir()
    shutil.copyfile(file, directory / version / "model.onnx")


def _facts(file: Path) -> dict[str, str]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "source": file.name,
        "source_sha256": digest,
        "build_time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "built_by": f"absah {metadata.version('absah')} models import",
    }


def _with_parameters(folder: Folder, given: Mapping[str, str]) -> Folder:
    return replace(folder, parameters={**folder.parameters, **given})


def _signature(file: Path) -> Signature:
    try:
        return onnxruntime.read_signature(file)
    except Exception as exc:
        problem = opening.first_line(exc)
        raise DoesNotFit(file, "the file", f"cannot be opened by ONNX Runtime: {problem}") from exc


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as exc:
        raise DoesNotFit(file, "the file", "is not UTF-8") from exc


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{option} {text!r} is not KEY=VALUE")
        pairs[key] = value
    return pairs


def _tell(model: str, version: str, told: Sequence[str]) -> None:
    click.echo(f"{model}@{version} is in the repository, with its manifest.")
    for each in told:
        click.echo(f"  On a sample it found: {each}")
