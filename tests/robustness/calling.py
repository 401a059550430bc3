"""Call any method with anything, and judge the answer by the method's contract."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import grpc
from asking import NEVER, Observation
from google.protobuf.message import DecodeError, Message
from methods import Method
from serving import Server

import absah
from absah.errors import from_rpc_error, from_status
from absah.v1.validation_service_pb2 import ValidateStreamResponse

CALL_SECONDS = 30.0
SLOW_SECONDS = 20.0
"""A single call may not take longer, whatever it asks for."""
MOST_ANSWERS = 1000
"""Of a stream, then it is left."""
Metadata = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call, and what may come of it.

    `expected` are answers such as "OK" or "NOT_FOUND DOCUMENT_NOT_FOUND"; empty allows OK and all
    codes of the method's contract. `unseen` are words that no answer may hold.
    """

    case: str
    method: Method
    messages: Sequence[Message | bytes]
    metadata: Metadata = ()
    expected: frozenset[str] = frozenset()
    unseen: Sequence[bytes] = ()


class Caller:
    """Makes calls one after another over one channel."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._channel = grpc.insecure_channel(server.address, absah.channels.CHANNEL_OPTIONS)

    def close(self) -> None:
        self._channel.close()

    def observe(self, calls: Iterable[Call]) -> Iterator[Observation]:
        """What comes of each; the memory that they take together is told of the last one."""
        with self.server.peak() as peak:
            seen = [self.make(call) for call in calls if self.server.alive]
        for number, each in enumerate(seen, 1):
            yield _with_peak(each, peak[0]) if number == len(seen) else each

    def make(self, call: Call) -> Observation:
        """Make a call and judge its answer."""
        began = time.perf_counter()
        answer, reason, defects = "OK", "", []
        try:
            answers = self._answers(call)
            defects += [f"it told {word!r}" for word in call.unseen if word in answers]
        except (grpc.RpcError, absah.CallFailed) as exc:
            failed = exc if isinstance(exc, absah.CallFailed) else from_rpc_error(exc)
            answer, reason = failed.code.name, failed.reason
            defects += _faults(call, failed)
            defects += [
                f"its refusal told {word!r}"
                for word in call.unseen
                if word in failed.message.encode()
            ]
        except DecodeError:
            answer, defects = "UNREADABLE", ["the answer cannot be read"]
        seconds = time.perf_counter() - began
        told = f"{answer} {reason}".strip()
        if call.expected and told not in call.expected:
            defects.append(f"it answered {told}, not {' or '.join(sorted(call.expected))}")
        if seconds > SLOW_SECONDS:
            defects.append("it took too long")
        if not self.server.alive:
            defects.append("the server died")
        return Observation(
            case=f"{call.method.name}: {call.case}",
            way=call.method.service,
            answer=answer,
            reason=reason,
            seconds=seconds,
            defects=defects,
        )

    def _answers(self, call: Call) -> bytes:
        """The bytes of all answers; raises DecodeError for what is no answer of the method."""
        stream = self._channel.stream_stream(call.method.path)(
            iter([each if isinstance(each, bytes) else _bytes(each) for each in call.messages]),
            timeout=CALL_SECONDS,
            metadata=list(call.metadata),
        )
        answers = b""
        for number, content in enumerate(stream):
            answer = call.method.response.FromString(content)
            if isinstance(answer, ValidateStreamResponse) and answer.HasField("error"):
                raise from_status(answer.error)
            answers += content
            if number >= MOST_ANSWERS:
                stream.cancel()
                break
        return answers


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _faults(call: Call, failed: absah.CallFailed) -> Iterator[str]:
    code = failed.code.name
    if code in NEVER and code not in call.method.codes - {"UNAVAILABLE"}:
        yield f"it answered {code}: {failed.message}"
    elif code == "UNAVAILABLE":
        yield f"it answered {code} {failed.reason}: {failed.message}"
    elif "larger than max" in failed.message:
        return  # gRPC itself refused it, before the server's own code was asked
    elif not failed.reason:
        yield f"it gave no reason: {code}: {failed.message}"
    elif code not in call.method.codes:
        yield f"its contract does not name {code} ({failed.reason})"


def _with_peak(seen: Observation, peak_bytes: int) -> Observation:
    return replace(seen, peak_bytes=peak_bytes)
