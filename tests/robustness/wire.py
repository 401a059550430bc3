"""Fuzz the requests of a running server: of every method, mutated from good ones."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import methods
import oddities
import papers
import pictures
import possessions
import submissions
from asking import CLAIMS, Asker, Observation
from calling import Call, Caller
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from methods import Method
from mutating import Mutator
from serving import serving

import absah
from absah.v1 import validation_service_pb2 as pb2
from absah_server.decode import media_types

Seed = tuple[Method, bytes]
TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


class Told(Protocol):
    """Who is told what came of the variants."""

    outcomes: Any

    def defect(self, what: str, content: bytes) -> None: ...


def fuzz(randomness: random.Random, seconds: float, findings: Told) -> None:
    """Send variants for so long, then a good request."""
    with serving() as server:
        asker, caller = Asker(server, deadline_seconds=60), Caller(server)
        own = server.strays()
        seeds = list(_seeds(asker))
        mutator = Mutator([content for _, content in seeds], randomness)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            method, seed = randomness.choice(seeds)
            content = mutator.mutated(seed)
            if randomness.random() < 0.5:
                content = _with_changed_field(method.request.FromString(seed), mutator, randomness)
            seen = _asked(asker, caller, method, content)
            findings.outcomes[f"{method.service}: {seen.answer} {seen.reason}".strip()] += 1
            for defect in seen.defects:
                findings.defect(f"{method.name}: {defect}", content)
            if not server.alive:
                return
        for defect in asker.ask_good("fuzzing").defects:
            findings.defect(f"afterwards, {defect}", b"")
        asker.close()
        caller.close()
        for event in server.errors_logged():
            findings.defect(f"logged as an error: {event}", b"")
        for stray in server.strays() - own:
            findings.defect(f"it wrote {stray}", b"")


def _asked(asker: Asker, caller: Caller, method: Method, content: bytes) -> Observation:
    """`Validate` is asked as it is elsewhere, so that its checks are looked at too."""
    if method.name == "Validate":
        return asker.ask("variant", "request", content)
    return caller.make(
        Call(case="variant", method=method, messages=[content], metadata=oddities.METADATA)
    )


def _with_changed_field(message: Message, mutator: Mutator, randomness: random.Random) -> bytes:
    """A request that can be read, with one of its texts or files changed."""
    places = list(_places(message))
    if places:
        holder, field = randomness.choice(places)
        value = getattr(holder, field.name)
        if field.type == FieldDescriptor.TYPE_BYTES:
            setattr(holder, field.name, mutator.mutated(value))
        else:
            changed = mutator.mutated(value.encode()).decode(errors="replace")
            setattr(holder, field.name, changed)
    return message.SerializeToString()


def _places(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    """The texts and files that a message holds, wherever they are."""
    for field, value in message.ListFields():
        if field.type in TEXTS and not field.is_repeated:
            yield message, field
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in _inner(field, value):
                yield from _places(inner)


def _inner(field: FieldDescriptor, value: Any) -> Sequence[Message]:
    if not field.is_repeated:
        return [value]
    held = value.values() if field.message_type.GetOptions().map_entry else value
    return [each for each in held if isinstance(each, Message)]


def _seeds(asker: Asker) -> Iterator[Seed]:
    """Good requests of every method; those of `Validate` as often as all others together."""
    every = methods.every()
    picture = pictures.encoded(pictures.scene(60, 40), "JPEG")
    held = possessions.keep(asker.server, asker.takers("text/plain")[0], picture)
    others = [(method, held.good(method).SerializeToString()) for method in every]
    yield from others
    validate = next(method for method in every if method.name == "Validate")
    requests = [message.SerializeToString() for message in _requests(asker)]
    for number in range(len(others)):
        yield validate, requests[number % len(requests)]


def _requests(asker: Asker) -> Iterator[pb2.ValidateRequest]:
    """Small good requests: each kind of document, by checkers and by policy, with claims."""
    scene = pictures.scene(60, 40)
    report = absah.Text(submissions.REPORT)
    for form in ("JPEG", "PNG", "GIF"):
        picture = pictures.encoded(scene, form)
        checkers = asker.takers(media_types.sniff(picture))
        yield absah.request("", {"photo": picture}, checkers=checkers)
    paper = papers.pdf(content=b"BT /F1 12 Tf 20 50 Td (Surat Tugas) Tj ET")
    checkers = asker.takers("application/pdf")
    yield absah.request("", {"letter": paper}, checkers=checkers)
    for checker in asker.takers("text/plain"):
        yield absah.request("", {"report": report}, checkers=[checker])
    if asker.has_policy:
        documents = {"photo": pictures.encoded(scene, "JPEG"), "report": report}
        claims = {**CLAIMS, "nik": "3201011508950001", "activity": "Rapat koordinasi"}
        yield absah.request("field-report", documents, claims=claims)
        yield absah.request(
            "field-report", documents, claims=claims, request_id="r-1", priority="high"
        )
