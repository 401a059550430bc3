"""Find the plan that serves a model best on this machine.

Every engine that is installed is tried with many executions of one thread, requests each alone or
joined in batches, and with one execution of all threads. A plan is out where its answers are not
ONNX Runtime's, within `absah.tolerance` of the config (one thousandth of an output's largest
magnitude without it), and where it takes much more memory: each model's memory adds to that of
the others.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from absah_ops.measuring import memory, requests, rounds, sides
from absah_ops.measuring.requests import Tensors
from absah_ops.measuring.sides import Direct, Sides
from absah_server.core.errors import ModelInvalid
from absah_server.inference import planning, tuning
from absah_server.inference.engines import EngineName
from absah_server.inference.processors import available_processors
from absah_server.inference.repository import StoredModel
from absah_server.inference.tuning import Measurement, Plan, Tuning

TOLERANCE_PARAMETER = "absah.tolerance"
TOLERANCE = 1e-3
CALLERS = (1, 16)
WORTH = 1.1
"""How many times faster a plan must be than those before it, which take less memory or suffer
less where other work wants the processors too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thoroughness:
    """How long to measure: rounds, seconds of each, and MiB that a plan may take beyond others."""

    rounds: int = 7
    seconds: float = 0.5
    more_memory_mib: int = 192


def tune(model: StoredModel, thoroughness: Thoroughness, *, told: Callable[[str], None]) -> Tuning:
    """Measure a model's plans and choose; `told` hears what is being done.

    Raises `ModelInvalid` where ONNX Runtime cannot serve the model, or OSError.
    """
    inputs = requests.typical(model)
    right = Direct(model, inputs).answer()
    with Sides() as started:
        served, refused = {}, {}
        for plan in plans(model):
            told(f"opening with {plan}")
            try:
                served[plan] = started.local(model, plan)
            except ModelInvalid as exc:
                if plan.engine is EngineName.ONNXRUNTIME:
                    raise
                refused[plan] = str(exc)
        deviations = {
            plan: requests.deviation(right, started.answer(each, model.name, inputs))
            for plan, each in served.items()
        }
        rates = _rates(model, inputs, started, served, thoroughness, told)
    bytes_: dict[Plan, int] = {}
    for plan in served:
        alike = replace(plan, joins=not plan.joins)  # a full batch is measured for either
        if alike not in bytes_:
            told(f"memory of {plan}")
        bytes_[plan] = bytes_[alike] if alike in bytes_ else memory.of_plan(model, plan)
    measurements = _judged(model, rates, bytes_, deviations, thoroughness)
    return Tuning(
        model=model.name,
        version=model.version,
        digest=model.digest,
        machine=tuning.this_machine(),
        time=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        plan=best(measurements),
        measurements=measurements,
    )


def plans(model: StoredModel) -> Iterator[Plan]:
    """The plans worth trying: as many executions as the config allows, and a single one.

    Requests that are joined must be worth it too: each waits for all, and they take more memory.
    """
    processors = available_processors()
    most = min(model.config.instances or processors, processors)
    ways = (False, True) if model.config.batching else (True,)
    for engine in (EngineName.ONNXRUNTIME, EngineName.OPENVINO):
        if not planning.is_installed(engine):
            continue
        for runs in sorted({most, 1}, reverse=True):
            for joins in ways:
                yield Plan(
                    engine=engine, runs=runs, threads=max(1, processors // runs), joins=joins
                )


def best(measurements: Sequence[Measurement]) -> Plan:
    """The plan that serves many callers best of those that are not refused.

    They come in the order of `plans`, and a later one must be worth it.
    """
    allowed = [each for each in measurements if not each.refused]
    chosen = allowed[0]
    for each in allowed[1:]:
        if each.rates[CALLERS[-1]] >= WORTH * chosen.rates[CALLERS[-1]]:
            chosen = each
    return chosen.plan


def _rates(
    model: StoredModel,
    inputs: Tensors,
    started: Sides,
    served: dict[Plan, sides.Served],
    thoroughness: Thoroughness,
    told: Callable[[str], None],
) -> dict[Plan, dict[int, float]]:
    found: dict[Plan, dict[int, float]] = {plan: {} for plan in served}
    for callers in CALLERS:
        first = next(iter(served.values()))
        count = sides.round_size(
            lambda n: started.rate(first, model.name, inputs, callers, n)(),  # noqa: B023
            seconds=thoroughness.seconds,
            callers=callers,
        )
        ways = {
            str(plan): started.rate(each, model.name, inputs, callers, count)
            for plan, each in served.items()
        }
        measured = rounds.alternate(ways, rounds=thoroughness.rounds, told=told)
        # By round, so that a machine that was busy meanwhile favours no plan.
        reference = str(next(iter(served)))
        for plan in served:
            ratio = measured.ratio(str(plan), reference)
            found[plan][callers] = ratio * measured.median(reference)
    return found


def _judged(
    model: StoredModel,
    rates: dict[Plan, dict[int, float]],
    bytes_: dict[Plan, int],
    deviations: dict[Plan, float],
    thoroughness: Thoroughness,
) -> tuple[Measurement, ...]:
    tolerance = float(model.parameters.get(TOLERANCE_PARAMETER, TOLERANCE))
    # Of the plan that serves without a measurement where OpenVINO is not installed.
    usual = next(iter(bytes_.values()))

    def refusal(plan: Plan) -> str:
        if plan.engine is EngineName.ONNXRUNTIME:
            return ""
        if not deviations[plan] <= tolerance:
            return f"answers deviate by {deviations[plan]:.2g}, more than {tolerance:g}"
        more = (bytes_[plan] - usual) / 2**20
        if more > thoroughness.more_memory_mib:
            return f"takes {more:.0f} MiB more memory than ONNX Runtime"
        return ""

    return tuple(
        Measurement(
            plan=plan,
            rates=rates[plan],
            memory_bytes=bytes_[plan],
            deviation=deviations[plan],
            refused=refusal(plan),
        )
        for plan in rates
    )
