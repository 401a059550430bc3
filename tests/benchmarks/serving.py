"""Models served in the process to many callers, against ONNX Runtime alone and against Triton.

Each model is tuned first, as `absah models tune` does on a machine that will serve. Then all ways
take turns, model by model, in one run; the figures are what that run showed.
"""

from __future__ import annotations

import functools
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measuring import Figure

from absah_ops.measuring import serving, tuning
from absah_ops.measuring.serving import DIRECT, GRPC, SHARED, Compared
from absah_ops.models import bench
from absah_ops.triton import server
from absah_server.inference import repository
from absah_server.inference import tuning as kept
from absah_server.settings import model_repository

ROUNDS = 5
SECONDS = 0.25
CLIENTS = serving.CALLERS[-1]
MODELS = sorted(folder.name for folder in model_repository().iterdir() if folder.is_dir())


def serving_local_vs_onnxruntime() -> Figure:
    """Over all models, ONNX Runtime's session called by as many threads."""
    return _figure(
        "serving_local_vs_onnxruntime",
        _all(),
        lambda compared: (DIRECT, CLIENTS),
        at_least=1.3,
        note=f"all models, {CLIENTS} callers at once on both sides; theirs a session of 2 threads",
    )


def serving_local_vs_onnxruntime_one_by_one() -> Figure:
    """The same against a session that is called by one thread, one request after another."""
    return _figure(
        "serving_local_vs_onnxruntime_one_by_one",
        _all(),
        lambda compared: (DIRECT, 1),
        at_least=1.3,
        note=f"all models, {CLIENTS} callers; theirs a session of 2 threads, called one by one",
    )


def serving_local_vs_triton() -> Figure:
    """Over all models, against the faster of the two ways through Triton."""
    return _figure(
        "serving_local_vs_triton",
        _all(),
        _through_triton,
        at_least=1.0,
        note=f"all models, {CLIENTS} callers; Triton from pip over gRPC or shared memory, "
        "whichever is faster",
    )


def of_model(model: str) -> Callable[[], Figure]:
    """The benchmark of one model against ONNX Runtime, under the name of its figure."""

    def measure() -> Figure:
        (compared,) = (each for each in _all() if each.model == model)
        return _figure(
            measure.__name__,
            [compared],
            lambda each: (DIRECT, CLIENTS),
            at_least=1.0,
            note=f"{model} by {compared.plan}, {CLIENTS} callers at once on both sides",
        )

    measure.__name__ = f"serving_local_vs_onnxruntime_{model}"
    return measure


def _figure(
    name: str,
    compared: Sequence[Compared],
    theirs: Callable[[Compared], tuple[str, int]],
    *,
    at_least: float,
    note: str,
) -> Figure:
    """Geometric means over models; a model's ratio is the median of those of its rounds."""
    rates = statistics.geometric_mean(each.rate(*theirs(each)) or 0 for each in compared)
    ratio = statistics.geometric_mean(each.ratio(*theirs(each)) or 0 for each in compared)
    return Figure(
        name=name,
        ours=rates * ratio,
        theirs=rates,
        unit="requests/s",
        at_least=at_least,
        note=note,
    )


def _through_triton(compared: Compared) -> tuple[str, int]:
    way = min((GRPC, SHARED), key=lambda each: compared.ratio(each, CLIENTS) or 0)
    return way, CLIENTS


@functools.cache
def _all() -> tuple[Compared, ...]:
    """Every model, measured once for all figures; prints each one's table."""
    found = []
    with _tuned_repository() as folder, server.running(folder) as triton:
        for model in repository.read_repository(folder).models:
            compared = serving.compare(
                model, triton=triton.grpc_address, rounds_=ROUNDS, seconds=SECONDS
            )
            bench.show(compared)
            found.append(compared)
    return tuple(found)


@contextmanager
def _tuned_repository() -> Iterator[Path]:
    """A copy of the models, tuned for this machine."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "models"
        shutil.copytree(model_repository(), copy, ignore=shutil.ignore_patterns(kept.TUNING_NAME))
        for model in repository.read_repository(copy).models:
            kept.save(
                model,
                tuning.tune(
                    model, tuning.Thoroughness(rounds=5, seconds=0.25), told=lambda what: None
                ),
            )
        yield copy
