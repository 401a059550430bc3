"""The manifest of a model version: which files it was made of, and where it came from.

    <repository>/<model>/<version>/manifest.json

It lists the SHA-256 of the version's files and of what lies beside the versions and belongs to
the answers (labels, tokenizer), and is compared at load with what lies there. config.pbtxt and
warm-up samples are not in it: operators tune batch sizes and instances there, and the config is
checked against the graph instead.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from absah_server.core.errors import ModelInvalid
from absah_server.inference import whole_files

MANIFEST_NAME = "manifest.json"
FORMAT = 1
UNLISTED = ("config.pbtxt", "warmup/*")
"""Patterns of a model's files that its manifests do not hold."""
_SHA256 = re.compile("[0-9a-f]{64}")
_HINT = "restore the file, or accept what is there with `absah models verify {} --write`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """`files`: SHA-256 by path relative to the model's folder; `card`: facts for people.

    The card's keys are the maker's own; "source", "source_sha256", "build_time", "built_by" and
    "tensorrt_version" are those that Absah writes.
    """

    model: str
    version: str
    files: Mapping[str, str]
    card: Mapping[str, str] = field(default_factory=dict)


def path(directory: Path, version: str) -> Path:
    """Where the manifest of this version of the model in `directory` lies."""
    return directory / version / MANIFEST_NAME


def read(directory: Path, version: str) -> Manifest | None:
    """The manifest of a version, None where it has none; raises `ModelInvalid`."""
    file = path(directory, version)
    try:
        stored = whole_files.read_json(file, model=directory.name)
    except FileNotFoundError:
        return None
    return _parse(directory, version, file, stored)


def write(directory: Path, manifest: Manifest) -> None:
    """Write the manifest of a version, all of it or nothing; raises OSError."""
    stored = {
        "format": FORMAT,
        "model": manifest.model,
        "version": manifest.version,
        "files": dict(sorted(manifest.files.items())),
        "card": dict(manifest.card),
    }
    text = json.dumps(stored, indent=2, ensure_ascii=False) + "\n"
    whole_files.write(path(directory, manifest.version), text)


def listed(files: Mapping[str, str]) -> dict[str, str]:
    """Those of a version's files that its manifest holds."""
    return {
        name: digest
        for name, digest in files.items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in UNLISTED)
    }


def check(directory: Path, manifest: Manifest, files: Mapping[str, str]) -> None:
    """Compare with the digests of what lies there; raises `ModelInvalid` naming file and field.

    Files that the manifest does not list are no mistake: `unlisted` tells them.
    """
    for name, digest in manifest.files.items():
        if files.get(name) == digest:
            continue
        problem = (
            f"is {files[name][:12]}…, where {MANIFEST_NAME} says {digest[:12]}…"
            if name in files
            else f"is missing, but {MANIFEST_NAME} lists it"
        )
        raise ModelInvalid(
            model=directory.name,
            file=str(directory / name),
            field="sha256" if name in files else "",
            problem=problem,
            hint=_HINT.format(directory.name),
        )


def unlisted(manifest: Manifest, files: Mapping[str, str]) -> tuple[str, ...]:
    """Files that lie there and that the manifest does not list."""
    return tuple(name for name in listed(files) if name not in manifest.files)


def _parse(directory: Path, version: str, file: Path, stored: Any) -> Manifest:
    def invalid(place: str, problem: str) -> ModelInvalid:
        return ModelInvalid(
            model=directory.name,
            file=str(file),
            field=place,
            problem=problem,
            hint=f"write it again with `absah models verify {directory.name} --write`",
        )

    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise invalid("format", f"is not {FORMAT}")
    for key, expected in (("model", directory.name), ("version", version)):
        if stored.get(key) != expected:
            raise invalid(key, f"is {stored.get(key)!r}, but it lies with {expected!r}")
    files, card = stored.get("files"), stored.get("card", {})
    if not isinstance(files, dict) or not files:
        raise invalid("files", "lists no file")
    for name, digest in files.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise invalid(f"files[{name!r}]", "is no SHA-256 in lower-case hexadecimal")
    if not isinstance(card, dict):
        raise invalid("card", "is no object")
    return Manifest(
        model=directory.name,
        version=version,
        files=files,
        card={str(key): str(value) for key, value in card.items()},
    )
