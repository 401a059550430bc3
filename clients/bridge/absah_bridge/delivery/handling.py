"""What is done with one message: read, map, validate, answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pika

import absah
from absah.v1 import validation_pb2, validation_service_pb2
from absah_bridge import tree
from absah_bridge.codecs import Incoming
from absah_bridge.delivery import dead_letters, tracing
from absah_bridge.delivery.amqp import Publication, headers_of
from absah_bridge.delivery.budget import Budget
from absah_bridge.delivery.core import Core
from absah_bridge.documents import Attachment
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.requests import Arrived, Request
from absah_bridge.systems import LegacySystem

T = TypeVar("T")

RECORDS_AT_ONCE = 16
"""Of one batch, so that it does not take all places of its system."""

INLINE_BYTES = 64 * 2**10
"""Longer messages are read, mapped and told in a thread, so that heartbeats are kept meanwhile."""


class Attachments(Protocol):
    """Fetches what messages refer to."""

    async def fetch(self, store: str, reference: str) -> bytes:
        """The file; raises `MessageInvalid`, or `AttachmentsAway` for what passes by itself."""

    def max_bytes(self, store: str) -> int:
        """The most that a file of a store can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A message as the broker delivered it."""

    body: bytes
    properties: pika.BasicProperties
    tag: int

    @property
    def key(self) -> str:
        """What names the message to people."""
        return dead_letters.key_of(self.body, self.properties)


class Handler:
    """Handles the messages of one system."""

    def __init__(self, *, system: LegacySystem, core: Core, attachments: Attachments) -> None:
        self.system = system
        self._core = core
        self._attachments = attachments
        self._fetched = Budget(system.config.request.max_fetched_bytes)

    async def read(self, delivery: Delivery) -> Arrived:
        """Read a message; raises `MessageInvalid`."""
        properties = delivery.properties
        incoming = Incoming(
            body=delivery.body,
            content_type=properties.content_type or "",
            headers=headers_of(properties),
        )
        message_id = properties.message_id or ""
        return await _run(delivery, lambda: self.system.read(incoming, message_id=message_id))

    async def answer(self, arrived: Arrived, delivery: Delivery) -> Publication:
        """Have a message validated and say what is to be answered.

        Raises `MessageInvalid` for what will never do, and what `Core.validate` and
        `Attachments.fetch` raise for what may another time.
        """
        properties = delivery.properties
        exchange, routing_key = self._destination(properties)
        requests = await _run(delivery, lambda: self.system.ask(arrived))
        validations = await self.validate(requests, redriven=dead_letters.redriven_of(properties))
        outgoing = await _run(delivery, lambda: self.system.answer(arrived, requests, validations))
        return Publication(
            exchange=exchange,
            routing_key=routing_key,
            body=outgoing.body,
            properties=pika.BasicProperties(
                content_type=outgoing.content_type,
                headers={**outgoing.headers, **tracing.headers()},
                delivery_mode=pika.DeliveryMode.Persistent.value,
                correlation_id=properties.correlation_id or properties.message_id,
                # The same for the same message, so that who wants can tell an answer sent twice.
                message_id=f"{self.system.name}:{requests[0].id}",
                app_id="absah",
            ),
        )

    async def validate(
        self, requests: Sequence[Request], *, redriven: int = 0
    ) -> list[validation_pb2.Validation]:
        """Have all requests of a message validated, at once; raises as `answer` does."""
        marks = [_mark(request) for request in requests]
        if len(requests) == 1:
            validations = [await self._validate_one(requests[0], marks[0], redriven)]
        else:
            validations = await self._validate_all(requests, marks, redriven)
        for mark in marks:
            if mark:
                self._core.forget(mark)
        return validations

    async def _validate_all(
        self, requests: Sequence[Request], marks: Sequence[str], redriven: int
    ) -> list[validation_pb2.Validation]:
        places = asyncio.Semaphore(RECORDS_AT_ONCE)

        async def placed(request: Request, mark: str) -> validation_pb2.Validation:
            async with places:
                return await self._validate_one(request, mark, redriven)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(placed(*each)) for each in zip(requests, marks, strict=True)]
        return [task.result() for task in tasks]

    async def _validate_one(
        self, request: Request, mark: str, redriven: int
    ) -> validation_pb2.Validation:
        return await self._core.validate(
            request.id,
            lambda id_: self._asking(request, id_),
            timeout_seconds=self.system.config.timeout_seconds,
            redriven=redriven,
            mark=mark,
        )

    @asynccontextmanager
    async def _asking(
        self, request: Request, id_: str
    ) -> AsyncIterator[validation_service_pb2.ValidateRequest]:
        """The request with its documents. They are let go of with it, since a message of protobuf
        keeps the memory of what is taken out of it."""
        message = absah.request(
            request.policy,
            {},
            claims=dict(request.claims),
            request_id=id_,
            priority=request.priority,
        )
        most = self.system.config.request.max_document_bytes
        async with self._fetched.taken(self._fetched_at_most(request)) as share:
            left = most
            fetched = 0
            for attachment in request.attachments:
                pb = message.documents.add()
                await self._fill(pb, attachment)
                size = len(pb.content) + len(pb.text)
                left -= size
                if left < 0:
                    raise attachment.too_large(most)
                fetched += size if attachment.reference else 0
            share.shrink(fetched)
            yield message

    def _fetched_at_most(self, request: Request) -> int:
        """Bytes that its documents may turn out to have which are fetched."""
        stores = [each.store for each in request.attachments if each.reference]
        if not stores:
            return 0
        most = self.system.config.request.max_document_bytes
        return min(sum(self._attachments.max_bytes(store) for store in stores), most)

    async def _fill(self, pb: validation_service_pb2.Document, attachment: Attachment) -> None:
        pb.role, pb.filename = attachment.role, attachment.filename
        if attachment.text is not None:
            pb.text = attachment.text
        elif attachment.content is not None:
            pb.content = attachment.content
        else:
            try:
                pb.content = await self._attachments.fetch(attachment.store, attachment.reference)
            except MessageInvalid as exc:
                raise exc.at(field=attachment.field, position=attachment.position) from exc

    def _destination(self, properties: pika.BasicProperties) -> tuple[str, str]:
        to = self.system.config.answer.to
        if to.reply_to and properties.reply_to:
            return "", properties.reply_to
        if not to.routing_key and not to.exchange:
            raise MessageInvalid(
                Cause.NOT_ROUTED, "it names no reply-to, and its system has no queue for answers"
            )
        return to.exchange, to.routing_key


async def _run(delivery: Delivery, work: Callable[[], T]) -> T:
    if len(delivery.body) <= INLINE_BYTES:
        return work()
    return await asyncio.to_thread(work)


def _mark(request: Request) -> str:
    """What only requests have that say the same and refer to the same files; empty for those that
    refer to none, which are made again as soon as they are looked for."""
    if not [each for each in request.attachments if each.reference]:
        return ""
    said: list[Any] = [request.id, sorted(request.claims.items())]
    for each in request.attachments:
        content = hashlib.sha256(each.content).digest() if each.content is not None else None
        said.append((each.role, each.filename, each.text, content, each.store, each.reference))
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def order_of(arrived: Arrived, path: str) -> str:
    """The key that a system's messages are kept in order by."""
    found = tree.find(arrived.tree, path)
    return str(tree.plain(found)) if found is not None else ""


def grouped(error: BaseException) -> BaseException:
    """The one error in a group of one; a batch's records fail as a group."""
    while isinstance(error, BaseExceptionGroup):
        found: Sequence[Any] = error.exceptions
        error = next((e for e in found if isinstance(e, MessageInvalid)), found[0])
    return error
