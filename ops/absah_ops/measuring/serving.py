"""Compare a model served in this process with ONNX Runtime called directly, and with Triton."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from absah_ops.measuring import requests, rounds, sides
from absah_ops.measuring.rounds import Rounds
from absah_ops.measuring.sides import Direct, Sides
from absah_server.inference import planning
from absah_server.inference.repository import StoredModel

CALLERS = (1, 4, 16)
DIRECT, LOCAL, GRPC, SHARED = "onnxruntime", "in-process", "triton gRPC", "triton shared memory"
WAYS = (DIRECT, LOCAL, GRPC, SHARED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A model's rates, in requests a second, by way and callers at once; `plan` is ours."""

    model: str
    plan: str
    measured: Rounds

    def rate(self, way: str, callers: int) -> float | None:
        """The median rate, None where that was not measured."""
        key = _key(way, callers)
        return self.measured.median(key) if key in self.measured.rates else None

    def ratio(
        self, way: str, callers: int, *, of: str = LOCAL, by: int = CALLERS[-1]
    ) -> float | None:
        """The rate of `of` with `by` callers over that of `way` with `callers`; None if unknown."""
        key = _key(way, callers)
        if key not in self.measured.rates:
            return None
        return self.measured.ratio(_key(of, by), key)

    def as_json(self) -> dict[str, object]:
        """Plain values, for --json."""
        return {
            "model": self.model,
            "plan": self.plan,
            "requests_per_second": {
                way: {str(n): round(rate, 2) for n in CALLERS if (rate := self.rate(way, n))}
                for way in WAYS
            },
            "vs_onnxruntime": self.ratio(DIRECT, CALLERS[-1]),
            "vs_onnxruntime_one_by_one": self.ratio(DIRECT, 1),
            "vs_triton": self.vs_triton(),
        }

    def vs_triton(self) -> float | None:
        """Against the faster of the two ways through Triton, with many callers."""
        found = [self.ratio(way, CALLERS[-1]) for way in (GRPC, SHARED)]
        known = [ratio for ratio in found if ratio is not None]
        return min(known) if known else None


def compare(
    model: StoredModel,
    *,
    triton: str | None,
    rounds_: int,
    seconds: float,
    told: Callable[[str], None] = lambda way: None,
) -> Compared:
    """Measure a model all ways in turn; `triton` is the address of a server that serves it.

    A round does as many requests as ONNX Runtime, called one by one, does in so many seconds.
    Raises `ModelInvalid`, or `InferenceFailed` where Triton does not answer.
    """
    inputs = requests.typical(model)
    direct = Direct(model, inputs)
    direct.answer()
    count = sides.round_size(lambda n: direct.rate(1, n), seconds=seconds, callers=CALLERS[-1])
    with Sides() as started:
        served: Mapping[str, sides.Served] = {
            LOCAL: started.local(model),
            **(_through_triton(started, model, triton) if triton else {}),
        }
        ways: dict[str, rounds.Rate] = {}
        # What is compared comes one after another, before a busy machine has changed its mind.
        for n in CALLERS:
            ways[_key(DIRECT, n)] = _direct(direct, n, count)
            for way, each in served.items():
                ways[_key(way, n)] = started.rate(each, model.name, inputs, n, count)
        measured = rounds.alternate(ways, rounds=rounds_, told=told)
    return Compared(model=model.name, plan=str(planning.choose(model).plan), measured=measured)


def _through_triton(started: Sides, model: StoredModel, address: str) -> dict[str, sides.Served]:
    return {
        GRPC: started.triton(model, address, shared_memory=False),
        SHARED: started.triton(model, address, shared_memory=True),
    }


def _direct(direct: Direct, callers: int, count: int) -> Callable[[], float]:
    return lambda: direct.rate(callers, count)


def _key(way: str, callers: int) -> str:
    return f"{way}, {callers} at once"
