"""Ask the server, and judge whether what it did is what a server may do."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from pictures import encoded, scene
from serving import Server
from submissions import REPORT

import absah
from absah.errors import from_rpc_error
from absah.v1 import validation_service_pb2 as pb2
from absah_sdk import Capabilities
from absah_server.decode import media_types

VALIDATE = "/absah.v1.ValidationService/Validate"
VALIDATE_STREAM = "/absah.v1.ValidationService/ValidateStream"
GRACE_SECONDS = 5.0
RAN = frozenset({"PASS", "FAIL", "INCONCLUSIVE"})
NEVER = frozenset({"INTERNAL", "UNKNOWN", "UNAVAILABLE", "UNIMPLEMENTED", "DATA_LOSS"})
"""Codes that blame the server."""
CLAIMS = {"name": "Made Wirawan", "date": "2024-08-17", "place": "Ubud", "participants": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckSeen:
    """How one check ended; `reason` is its fault's, or UNREADABLE, or empty."""

    checker: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What came of one request, or of one way to misbehave.

    `answer` is "OK" or the gRPC code, `defects` say what the server should not have done; `label`
    is what the record calls the case where its name is not for the public.
    """

    case: str
    way: str
    answer: str
    reason: str = ""
    checks: Sequence[CheckSeen] = ()
    seconds: float = 0.0
    peak_bytes: int = 0
    defects: Sequence[str] = ()
    label: str = ""


class Asker:
    """Sends requests one after another and observes."""

    def __init__(self, server: Server, *, deadline_seconds: float) -> None:
        self.server = server
        self.deadline_seconds = deadline_seconds
        self.channel = grpc.insecure_channel(server.address, absah.channels.CHANNEL_OPTIONS)
        self._validate = self.channel.unary_unary(
            VALIDATE, _serialized, pb2.ValidateResponse.FromString
        )
        with absah.Client(server.address) as client:
            self.checkers = {
                checker.name.removeprefix("checkers/"): tuple(checker.media_types)
                for checker in client.checkers()
            }
            self.has_policy = any("field-report@" in p.name for p in client.policies())
        for_picture, for_text = self.takers("image/png"), self.takers(media_types.TEXT)
        documents = {"photo": encoded(scene(), "PNG"), "report": absah.Text(REPORT)}
        self._good_checks = len(for_picture) + len(for_text)
        self._good = absah.request("", documents, checkers={*for_picture, *for_text})

    def close(self) -> None:
        self.channel.close()

    def takers(self, media_type: str) -> list[str]:
        """The checkers that take a media type."""
        return [
            name
            for name, patterns in self.checkers.items()
            if Capabilities(media_types=patterns, reads=frozenset()).takes(media_type)
        ]

    def ask_file(self, case: str, content: bytes) -> Iterable[Observation]:
        """Send a file to every checker that takes it, and as a photo of a field report."""
        document = {"document": content}
        checkers = self.takers(media_types.sniff(content)) or list(self.checkers)
        yield self.ask(case, "checkers", absah.request("", document, checkers=checkers))
        if self.has_policy:
            report = {"photo": content, "report": absah.Text(REPORT)}
            message = absah.request("field-report", report, claims=CLAIMS)
            yield self.ask(case, "field report", message)

    def ask(self, case: str, way: str, message: Message | bytes) -> Observation:
        """Send a request, or bytes in place of one."""
        began = time.perf_counter()
        answer, reason, checks, defects = "OK", "", [], []
        with self.server.peak() as peak:
            try:
                response = self._validate(message, timeout=self.deadline_seconds)
                checks = _checks(response)
                defects = [d for check in checks if (d := _fault(check))]
            except grpc.RpcError as exc:
                failed = from_rpc_error(exc)
                answer, reason = failed.code.name, failed.reason
                defects = list(_faults(failed))
            except DecodeError:
                answer, defects = "UNREADABLE", ["the answer cannot be read"]
        seconds = time.perf_counter() - began
        if seconds > self.deadline_seconds + GRACE_SECONDS:
            defects.append("it did not come back by the deadline")
        if not self.server.alive:
            defects.append("the server died")
        return Observation(
            case=case,
            way=way,
            answer=answer,
            reason=reason,
            checks=checks,
            seconds=seconds,
            peak_bytes=peak[0],
            defects=defects,
        )

    def ask_good(self, after: str) -> Observation:
        """Send what nothing is wrong with: it must be looked at by all that take it."""
        seen = self.ask(f"good request after {after}", "good", self._good)
        told = [c for c in seen.checks if c.outcome in RAN and not c.reason]
        if seen.answer != "OK":
            return _with_defect(seen, "a good request was refused")
        if len(told) < self._good_checks:
            return _with_defect(seen, f"only {len(told)} of {self._good_checks} good checks ran")
        return seen


def _serialized(message: Message | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


def _checks(response: pb2.ValidateResponse) -> list[CheckSeen]:
    results = absah.to_dict(response.validation)["check_results"]
    return [
        CheckSeen(checker=result["checker"], outcome=result["outcome"], reason=_why(result))
        for result in results
    ]


def _why(result: Mapping[str, Any]) -> str:
    if "error" in result:
        return str(result["error"]["details"][0]["reason"])
    unreadable = any(finding["code"] == "unreadable" for finding in result["findings"])
    return "UNREADABLE" if unreadable else ""


def _fault(check: CheckSeen) -> str:
    """What is wrong with how a check ended, where one request is all that the server has to do."""
    if check.outcome == "ERROR":
        return f"{check.checker} ended as ERROR"
    if check.reason == "OVERLOADED":
        return f"{check.checker} was overloaded by one request"
    return ""


def _faults(failed: absah.CallFailed) -> Iterable[str]:
    if failed.code.name in NEVER:
        yield f"it answered {failed.code.name}: {failed.message}"
    elif not failed.reason and "larger than max" not in failed.message:
        # What is too long for gRPC itself never reaches the server's own code.
        yield f"it gave no reason: {failed.code.name}: {failed.message}"


def _with_defect(seen: Observation, defect: str) -> Observation:
    return replace(seen, defects=(*seen.defects, defect))
