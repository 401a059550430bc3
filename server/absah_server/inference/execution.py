"""Execute one batch in a worker thread: join its units, run, split, and single out the poison.

A unit is a caller's request, or the part of it that fits one batch. When a batch fails its halves
are run again, down to single units, so one bad unit costs its neighbours time but no answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from absah_sdk import InferenceFailed

from absah_server.inference.engines import Run
from absah_server.inference.repository import StoredModel
from absah_server.inference.requests import Load, Tensors

log = logging.getLogger(__name__)

Answer = Tensors | InferenceFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Executed:
    """The answers of a batch, one a unit, and how long they took."""

    answers: Sequence[Answer]
    seconds: float


def execute_timed(model: StoredModel, run: Run, loads: Sequence[Load]) -> Executed:
    """`execute`, with its time."""
    start = time.perf_counter()
    answers = execute(model, run, loads)
    return Executed(answers=answers, seconds=time.perf_counter() - start)


def execute(model: StoredModel, run: Run, loads: Sequence[Load]) -> list[Answer]:
    """Run `loads` as one batch and answer each, in order; raises nothing.

    Where the model has a batch axis the outputs are views into the batch's own outputs.
    """
    try:
        return _split(_run(model, run, loads), loads)
    except Exception as exc:
        if len(loads) > 1:
            middle = len(loads) // 2
            return execute(model, run, loads[:middle]) + execute(model, run, loads[middle:])
        log.warning(
            "inference failed",
            extra={"model": model.name, "version": model.version, "error": type(exc).__name__},
        )
        log.debug("inference failed", exc_info=exc)
        failure = InferenceFailed(f"model {model.name!r} failed on these inputs")
        failure.__cause__ = exc
        return [failure]


def _run(model: StoredModel, run: Run, loads: Sequence[Load]) -> Tensors:
    outputs = run.execute(_joined(loads))
    if model.config.max_batch_size > 0:
        items = sum(load.items for load in loads)
        for name, output in outputs.items():
            if output.shape[:1] != (items,):
                raise ValueError(f"output {name!r} is {output.shape} for a batch of {items}")
    return outputs


def _joined(loads: Sequence[Load]) -> Tensors:
    first = loads[0].tensors
    if len(loads) == 1:
        return first
    return {name: np.concatenate([load.tensors[name] for load in loads]) for name in first}


def _split(outputs: Tensors, loads: Sequence[Load]) -> list[Answer]:
    if len(loads) == 1:
        return [outputs]
    answers: list[Answer] = []
    start = 0
    for load in loads:
        end = start + load.items
        answers.append({name: output[start:end] for name, output in outputs.items()})
        start = end
    return answers
