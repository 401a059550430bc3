"""Execute one batch in a worker thread: join its portions, run, split, and single out the poison.

When a batch fails its halves are run again, down to single portions, so one bad portion costs its
neighbours time but no answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from absah_sdk import InferenceFailed
from absah_server.inference import portions
from absah_server.inference.engines import Run, RunStopped
from absah_server.inference.portions import Portion, Tensors
from absah_server.inference.repository import StoredModel

log = logging.getLogger(__name__)

Answer = Tensors | InferenceFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Executed:
    """The answers of a batch, one a portion, how many of them failed and how long all took."""

    answers: Sequence[Answer]
    failures: int
    seconds: float


def execute(model: StoredModel, run: Run, batch: Sequence[Portion]) -> Executed:
    """Run portions as one batch and answer each, in order; raises nothing.

    Where portions are joined, the outputs are views into the batch's outputs.
    """
    start = time.perf_counter()
    try:
        answers = _answers(model, run, batch)
    except RunStopped:
        # Every caller has left: nobody sees these answers, and they are no failures.
        answers = [InferenceFailed(f"model {model.name!r} was stopped")] * len(batch)
        return Executed(answers=answers, failures=0, seconds=time.perf_counter() - start)
    return Executed(
        answers=answers,
        failures=sum(isinstance(answer, InferenceFailed) for answer in answers),
        seconds=time.perf_counter() - start,
    )


def _answers(model: StoredModel, run: Run, batch: Sequence[Portion]) -> list[Answer]:
    try:
        return _run(model, run, batch)
    except RunStopped:
        raise
    except Exception as exc:
        if len(batch) > 1:
            middle = len(batch) // 2
            return _answers(model, run, batch[:middle]) + _answers(model, run, batch[middle:])
        log.warning(
            "inference failed",
            extra={"model": model.name, "version": model.version, "error": type(exc).__name__},
        )
        log.debug("inference failed", exc_info=exc)
        failure = InferenceFailed(f"model {model.name!r} failed on these inputs")
        failure.__cause__ = exc
        return [failure]


def _run(model: StoredModel, run: Run, batch: Sequence[Portion]) -> list[Answer]:
    tensors = [portion.tensors for portion in batch]
    outputs = run.execute(tensors[0] if len(batch) == 1 else portions.join(tensors))
    if model.config.max_batch_size > 0:
        _check_items(outputs, sum(portion.items for portion in batch))
    return [outputs] if len(batch) == 1 else _split(outputs, batch)


def _check_items(outputs: Tensors, items: int) -> None:
    for name, output in outputs.items():
        if output.shape[:1] != (items,):
            raise ValueError(f"output {name!r} is {output.shape} for a batch of {items}")


def _split(outputs: Tensors, batch: Sequence[Portion]) -> list[Answer]:
    answers: list[Answer] = []
    start = 0
    for portion in batch:
        end = start + portion.items
        answers.append({name: output[start:end] for name, output in outputs.items()})
        start = end
    return answers
