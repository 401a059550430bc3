"""What a kind of model must say of a file to make a model folder of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from absah_sdk import AbsahError, Result
from absah_server.inference.repository import StoredModel
from absah_server.inference.signature import Signature


class DoesNotFit(AbsahError):
    """A file is not what the checker can use; says which part of it and why."""

    def __init__(self, file: Path, place: str, problem: str, hint: str = "") -> None:
        self.place = place
        advice = f" ({hint})" if hint else ""
        super().__init__(f"{file.name} does not fit: {place}: {problem}{advice}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What an operator gives: the graph, what stands in it, and what was said beside."""

    file: Path
    signature: Signature
    metadata: Mapping[str, str]
    labels: Sequence[str]
    """Lines of the labels file; empty where none was given."""
    tokenizer: Path | None
    decoder: Path | None
    head: str
    sizes: Sequence[str]
    codes: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensor:
    """A line of config.pbtxt's `input` or `output`; `dims` leave out the batch axis if any."""

    name: str
    data_type: str
    dims: Sequence[int]
    labelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A model folder to be: `files` are contents by name, besides config and graph."""

    max_batch_size: int
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    labels: Sequence[str]
    parameters: Mapping[str, str]
    files: Mapping[str, str | bytes] = field(default_factory=dict)


class Kind(Protocol):
    """A kind of model, by the checker that uses it."""

    checker: str

    def folder(self, source: Source) -> Folder:
        """What to write; raises `DoesNotFit`."""

    def try_out(self, model: StoredModel) -> None:
        """Run the graph on a made-up input and read its outputs; raises `DoesNotFit`."""

    def samples(self) -> list[bytes | str]:
        """Documents to run the checker on where the operator gives none."""

    def told(self, result: Result) -> str:
        """What the checker found, for a person; raises `AbsahError` where it cannot be right."""
