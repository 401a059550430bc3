"""What is done with one message: read, map, validate, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pika

import absah
from absah.v1 import validation_pb2, validation_service_pb2
from absah_bridge import tree
from absah_bridge.codecs import Incoming
from absah_bridge.delivery import dead_letters, tracing
from absah_bridge.delivery.amqp import Publication, headers_of
from absah_bridge.delivery.core import Core
from absah_bridge.documents import Attachment
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.requests import Arrived, Request
from absah_bridge.systems import LegacySystem

T = TypeVar("T")

RECORDS_AT_ONCE = 16
"""Of one batch: the documents of all of them would be held in memory."""

INLINE_BYTES = 64 * 2**10
"""Longer messages are read, mapped and told in a thread, so that heartbeats are kept meanwhile."""


class Attachments(Protocol):
    """Fetches what messages refer to."""

    async def fetch(self, store: str, reference: str) -> bytes:
        """The file; raises `MessageInvalid`, or `AttachmentsAway` for what passes by itself."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Handler:
    """Handles the messages of one system."""

    system: LegacySystem
    core: Core
    attachments: Attachments

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
        if len(requests) == 1:
            return [await self._validate_one(requests[0], redriven)]
        places = asyncio.Semaphore(RECORDS_AT_ONCE)

        async def placed(request: Request) -> validation_pb2.Validation:
            async with places:
                return await self._validate_one(request, redriven)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(placed(request)) for request in requests]
        return [task.result() for task in tasks]

    async def _validate_one(self, request: Request, redriven: int) -> validation_pb2.Validation:
        message = absah.request(
            request.policy,
            {},
            claims=dict(request.claims),
            request_id=request.id,
            priority=request.priority,
        )
        left = self.system.config.request.max_document_bytes
        for attachment in request.attachments:
            pb = await self._document(attachment)
            left -= len(pb.content) + len(pb.text)
            if left < 0:
                raise attachment.too_large(self.system.config.request.max_document_bytes)
            message.documents.append(pb)
        timeout = self.system.config.timeout_seconds
        return await self.core.validate(message, timeout_seconds=timeout, redriven=redriven)

    async def _document(self, attachment: Attachment) -> validation_service_pb2.Document:
        pb = validation_service_pb2.Document(role=attachment.role, filename=attachment.filename)
        if attachment.text is not None:
            pb.text = attachment.text
        elif attachment.content is not None:
            pb.content = attachment.content
        else:
            try:
                pb.content = await self.attachments.fetch(attachment.store, attachment.reference)
            except MessageInvalid as exc:
                raise exc.at(field=attachment.field, position=attachment.position) from exc
        return pb

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
