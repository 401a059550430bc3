"""Take PostgreSQL away under load, ask meanwhile, and see that all resumes by itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from robustness.crashing import checkers, suite
from robustness.crashing.fleet import Fleet
from robustness.crashing.history import History

import absah
from absah.errors import from_rpc_error
from absah.v1 import validation_service_pb2, validation_service_pb2_grpc

WARM_SECONDS = 2.0
BETWEEN_SECONDS = 0.2
CALL_SECONDS = 20.0
"""The deadline of each call: one that waits for it is seen to."""
RECOVER_SECONDS = 60.0
SERVICES = {
    "": False,
    "absah.v1.ValidationService": False,
    "absah.v1.DocumentService": False,
    "absah.v1.CheckerService": True,
}
"""Which of them are healthy without PostgreSQL."""
CREATE, LISTED = "CreateValidation", "Validate with listed checkers"
REFUSED = "UNAVAILABLE STORE_UNAVAILABLE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A call and its answer; times are in seconds since PostgreSQL was killed."""

    call: str
    began: float
    ended: float
    answer: str
    says_when: bool = False
    """Whether a refusal says when to come back."""


@dataclass(kw_only=True, slots=True)
class Outage:
    """What was asked and answered while PostgreSQL was away, and after."""

    probes: list[Probe] = field(default_factory=list)
    over: float = 0.0
    """When PostgreSQL was about to be started again."""
    serving_again: float | None = None
    """How long after that the server was healthy, and had accepted a validation."""
    same_processes: bool = False

    def of(self, call: str) -> list[Probe]:
        """The probes of one call."""
        return [probe for probe in self.probes if probe.call == call]


def problems(outage: Outage) -> list[str]:
    """What was not as it must be."""
    found = []
    creates = outage.of(CREATE)
    if accepted := [probe for probe in creates if probe.answer == "OK"]:
        found.append(f"{len(accepted)} validations were accepted without a database")
    if others := Counter(p.answer for p in creates if p.answer not in ("OK", REFUSED)):
        found.append(f"{CREATE} was refused as {', '.join(others)}")
    if silent := [p for p in creates if p.answer == REFUSED and not p.says_when]:
        found.append(f"{len(silent)} refusals did not say when to come back")
    if late := [probe for probe in outage.probes if probe.ended > outage.over]:
        found.append(f"{len(late)} calls were answered only after the outage")
    for service, healthy in SERVICES.items():
        answers = [probe.answer for probe in outage.of(health_of(service))]
        wanted = "SERVING" if healthy else "NOT_SERVING"
        if not answers or answers[-1] != wanted:
            found.append(f"health of {service or 'all'!r} was {answers[-1:]}, not {wanted}")
        if healthy and set(answers) != {wanted}:
            found.append(f"health of {service!r} was {set(answers)}, which needs no database")
    if others := Counter(p.answer for p in outage.of(LISTED) if p.answer != "OK"):
        found.append(f"{LISTED} was answered {', '.join(others)}")
    if outage.serving_again is None:
        found.append(f"{RECOVER_SECONDS:.0f} s after the outage nothing was accepted")
    if not outage.same_processes:
        found.append("the server or the worker did not live through the outage")
    return found


async def run(folder: Path, *, seconds: float, seed: int) -> tuple[Outage, suite.Outcome]:
    """Have an outage of so many seconds under load; the problems of both are in the outcome."""
    outage = Outage()

    async def harm(fleet: Fleet, history: History) -> None:
        await asyncio.sleep(WARM_SECONDS)
        before = _pids(fleet)
        async with _asking(fleet.address, history) as asker:
            async with fleet.without_postgres():
                killed = time.monotonic()
                while time.monotonic() - killed < seconds:
                    outage.probes += await asker.round(killed)
                    await asyncio.sleep(BETWEEN_SECONDS)
                outage.over = time.monotonic() - killed
            outage.serving_again = await asker.recovered(killed + outage.over)
        outage.same_processes = before == _pids(fleet)

    outcome = await suite.run(folder, harm, chance=random.Random(seed))
    outcome.problems += problems(outage)
    return outage, outcome


def _pids(fleet: Fleet) -> list[int]:
    return [victim.pid for victim in fleet.victims.values()]


@asynccontextmanager
async def _asking(address: str, history: History) -> AsyncIterator[_Asker]:
    # Without retries: each refusal is seen.
    async with grpc.aio.insecure_channel(address, [("grpc.enable_retries", 0)]) as channel:
        yield _Asker(channel, history)


class _Asker:
    """Asks one server."""

    def __init__(self, channel: grpc.aio.Channel, history: History) -> None:
        self._history = history
        self._created = 0
        self._stub: Any = validation_service_pb2_grpc.ValidationServiceStub(channel)
        self._healths: Any = health_pb2_grpc.HealthStub(channel)
        self._number = 0

    async def round(self, killed: float) -> list[Probe]:
        """Ask all of it at once."""
        self._number += 1
        asked = [
            _probe(CREATE, self._create(), killed),
            _probe(LISTED, self._validate(), killed),
            *(_probe(health_of(name), self._health(name), killed) for name in SERVICES),
        ]
        return list(await asyncio.gather(*asked))

    async def recovered(self, since: float) -> float | None:
        """How long it took until the server is healthy and accepts; None if too long."""
        while time.monotonic() - since < RECOVER_SECONDS:
            try:
                if await self._health("") == "SERVING":
                    await self._create()
                    return time.monotonic() - since
            except grpc.aio.AioRpcError:
                pass  # not yet
            await asyncio.sleep(BETWEEN_SECONDS / 4)
        return None

    async def _create(self) -> str:
        self._created += 1
        wanted = checkers.submission(
            tenant="default",
            client="anonymous",
            request_id=f"r-{self._created}",
            policy=checkers.LASTING,
            contents=[b"0 probe"],
            recorded=False,
        )
        self._history.add(wanted)
        message = absah.request(
            wanted.policy, {"report": absah.Text("0 probe")}, request_id=wanted.request_id
        )
        created = validation_service_pb2.CreateValidationRequest(request=message)
        await self._stub.CreateValidation(created, timeout=CALL_SECONDS)
        return "OK"

    async def _validate(self) -> str:
        text = absah.Text(f"0 probe {self._number}")
        message = absah.request("", {"report": text}, checkers=[checkers.Stamp.name])
        answer = await self._stub.Validate(message, timeout=CALL_SECONDS)
        outcomes = {result.outcome for result in answer.validation.check_results}
        return "OK" if len(outcomes) == 1 else "without a result"

    async def _health(self, service: str) -> str:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = await self._healths.Check(request, timeout=CALL_SECONDS)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def _probe(call: str, asking: Any, killed: float) -> Probe:
    began = time.monotonic() - killed
    says_when = False
    try:
        answer = await asking
    except grpc.aio.AioRpcError as error:
        failed = from_rpc_error(error)
        answer = f"{failed.code.name} {failed.reason}".strip()
        says_when = failed.retry_after_seconds is not None
    return Probe(
        call=call,
        began=began,
        ended=time.monotonic() - killed,
        answer=answer,
        says_when=says_when,
    )


def health_of(service: str) -> str:
    return f"health of {service!r}"
