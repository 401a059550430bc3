"""Clients that upload, submit, watch, cancel and delete, and try again until they are answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import grpc
from robustness.crashing import checkers
from robustness.crashing.history import (
    CancelAsked,
    DeleteAsked,
    Deleted,
    Downloaded,
    History,
    Listed,
    Submitted,
    Told,
    Unexpected,
    Uploaded,
)

import absah
from absah.v1 import document_service_pb2, validation_pb2

T = TypeVar("T")
CALL_SECONDS = 15.0
WATCH_SECONDS = 10.0
ANSWER_SECONDS = 90.0
"""Until when a call must have had an answer or a refusal, with all that it repeats by itself."""
AGAIN_SECONDS = 0.2
LONG_TEXT_BYTES = 900_000
"""Four chunks of an upload."""
PAGE = 50
SHADES = 20
"""Of all photos: some come often, and their results are used again."""
TENANTS = ("kecamatan", "kelurahan")
TRIED_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class GaveUp(Exception):
    """A call was answered as it must not be; the history has it."""


@dataclass(kw_only=True)
class Client:
    """One client, which does one thing after the other until it is told to stop.

    `pool` are texts that several clients send, some of them at the same time.
    """

    address: str
    tenant: str
    name: str
    history: History
    chance: random.Random
    pool: Sequence[bytes]
    done: int = 0
    _number: int = 0
    _shared: int = 0
    _names: list[tuple[Submitted, Any]] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Do things until `stop`, and bring the last one to its end."""
        deeds = {
            self._create: 6,
            self._validate: 4,
            self._create_of_uploaded: 3,
            self._upload_and_delete: 2,
            self._cancel: 2,
            self._abandon: 1,
            self._reuse: 1,
        }
        async with absah.AsyncClient(
            self.address, tenant=self.tenant, client=self.name, timeout_seconds=CALL_SECONDS
        ) as client:
            while not stop.is_set():
                (deed,) = self.chance.choices(list(deeds), list(deeds.values()))
                try:
                    await deed(client)
                except GaveUp:
                    continue
                self.done += 1

    async def _create(self, client: absah.AsyncClient) -> None:
        """Submit for later, now and then twice, and watch it end now and then."""
        contents = self._contents()
        wanted, message = self._request(contents, [c.decode() for c in contents], recorded=False)
        made = await self._submit(client, wanted, message)
        if self.chance.random() < 0.3:
            await self._submit(client, wanted, message)
        if self.chance.random() < 0.5:
            await self._watch(client, wanted, made.name)

    async def _validate(self, client: absah.AsyncClient) -> None:
        """Have it validated at once, now and then twice under the same id."""
        contents = self._contents()
        wanted, message = self._request(contents, [c.decode() for c in contents], recorded=True)
        for _ in range(self.chance.choice((1, 1, 2))):
            made = await self._until("Validate", lambda: client.send(message))
            self._told(wanted, made)

    async def _create_of_uploaded(self, client: absah.AsyncClient) -> None:
        """Upload a long text and submit it by name."""
        content = self._text(LONG_TEXT_BYTES if self.chance.random() < 0.5 else 40)
        document = await self._upload(client, content)
        wanted, message = self._request([content], [document], recorded=False)
        await self._submit(client, wanted, message)
        await self._download(client, content)

    async def _upload_and_delete(self, client: absah.AsyncClient) -> None:
        """Upload what the other tenants may upload as well, and delete it."""
        content = b"0 " + self.tenant.encode()[:2] + self._text(40)
        if self.chance.random() < 0.5:
            # The same bytes for all tenants: each has a document of its own.
            self._shared += 1
            content = f"0 shared {self.name} {self._shared}".encode()
        document = await self._upload(client, content)
        digest = checkers.digest_of(content)
        self.history.add(DeleteAsked(tenant=self.tenant, digest=digest))
        await self._until("DeleteDocument", lambda: client.delete_document(document.name))
        self.history.add(Deleted(tenant=self.tenant, digest=digest))

    async def _cancel(self, client: absah.AsyncClient) -> None:
        """Submit and cancel soon."""
        content = self._text(40, pause_seconds=1.0)
        wanted, message = self._request([content], [content.decode()], recorded=False)
        made = await self._submit(client, wanted, message)
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        self.history.add(CancelAsked(tenant=self.tenant, name=made.name))
        cancelled = await self._unless(
            "CancelValidation",
            lambda: client.cancel_validation(made.name),
            refused="WRONG_STATE",
        )
        if cancelled is not None:
            self._told(wanted, cancelled)

    async def _abandon(self, client: absah.AsyncClient) -> None:
        """Submit, and never learn what became of it."""
        contents = self._contents()
        _, message = self._request(contents, [c.decode() for c in contents], recorded=False)
        try:
            async with asyncio.timeout(self.chance.uniform(0.001, 0.05)):
                await client.submit(message)
        except (TimeoutError, absah.CallFailed):
            return

    async def _reuse(self, client: absah.AsyncClient) -> None:
        """Send another body under an id that is used."""
        if not self._names:
            return
        wanted, message = self.chance.choice(self._names)
        changed = type(message)()
        changed.CopyFrom(message)
        changed.documents[0].ClearField("source")
        changed.documents[0].text = "0 something else"
        answer = await self._unless(
            "CreateValidation of another body",
            lambda: client.submit(changed),
            refused="REQUEST_ID_REUSED",
        )
        if answer is not None:
            self._unexpected("CreateValidation of another body", f"{answer.name} for {wanted.key}")

    async def _submit(self, client: absah.AsyncClient, wanted: Submitted, message: Any) -> Any:
        made = await self._until("CreateValidation", lambda: client.submit(message))
        self._told(wanted, made)
        self._names.append((wanted, message))
        return made

    async def _watch(self, client: absah.AsyncClient, wanted: Submitted, name: str) -> None:
        ended = await self._until(
            "WatchValidation",
            lambda: client.wait_for_validation(name, timeout_seconds=WATCH_SECONDS),
        )
        self._told(wanted, ended)
        found = await self._until("GetValidation", lambda: client.validation(name))
        self._told(wanted, found)

    async def _upload(self, client: absah.AsyncClient, content: bytes) -> Any:
        document = await self._until("UploadDocument", lambda: client.upload(content))
        if document.state != document_service_pb2.DOCUMENT_STATE_READY:
            self._unexpected("UploadDocument", f"state {document.state}")
        self.history.add(Uploaded(tenant=self.tenant, digest=checkers.digest_of(content)))
        return document

    async def _download(self, client: absah.AsyncClient, content: bytes) -> None:
        digest = checkers.digest_of(content)
        came = await self._until("DownloadDocument", lambda: client.download(f"documents/{digest}"))
        self.history.add(
            Downloaded(tenant=self.tenant, digest=digest, came=checkers.digest_of(came))
        )

    async def _until(self, call: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer."""
        answer = await self._unless(call, ask, refused="")
        assert answer is not None
        return answer

    async def _unless(
        self, call: str, ask: Callable[[], Awaitable[T]], *, refused: str
    ) -> T | None:
        """Ask until there is an answer; None for a refusal for this reason, which is one."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await ask()
            except TimeoutError:
                self._unexpected(call, f"with nothing in {ANSWER_SECONDS:.0f} s")
            except absah.CallFailed as failed:
                if refused and failed.reason == refused:
                    return None
                if failed.code not in TRIED_AGAIN and failed.reason != "OVERLOADED":
                    self._unexpected(call, f"{failed.code.name} {failed.reason} {failed.message}")
                self.history.refused(f"{failed.code.name} {failed.reason}".strip())
                await asyncio.sleep(failed.retry_after_seconds or AGAIN_SECONDS)

    def _unexpected(self, call: str, answer: str) -> NoReturn:
        self.history.add(Unexpected(tenant=self.tenant, call=call, answer=answer))
        raise GaveUp

    def _request(
        self, contents: Sequence[bytes], sources: Sequence[Any], *, recorded: bool
    ) -> tuple[Submitted, Any]:
        self._number += 1
        shade = self.chance.randrange(SHADES) if self.chance.random() < 0.3 else None
        wanted = checkers.submission(
            tenant=self.tenant,
            client=self.name,
            request_id=f"r-{self._number}",
            policy=self.chance.choice((checkers.LASTING, checkers.PASSING)),
            contents=contents,
            recorded=recorded,
            shade=shade,
        )
        self.history.add(wanted)
        given = {
            "report": [absah.Text(each) if isinstance(each, str) else each for each in sources]
        }
        if shade is not None:
            given["photo"] = [checkers.photo_of(shade)]
        message = absah.request(wanted.policy, given, request_id=wanted.request_id)
        return wanted, message

    def _contents(self) -> list[bytes]:
        """One to three texts, each new or from the pool."""
        count = self.chance.choice((1, 1, 1, 2, 3))
        return [
            self.chance.choice(self.pool)
            if self.chance.random() < 0.3
            else self._text(self.chance.choice((30, 3000)))
            for _ in range(count)
        ]

    def _text(self, size_bytes: int, *, pause_seconds: float | None = None) -> bytes:
        """A text of this client's own; its check takes a while."""
        self._number += 1
        if pause_seconds is None:
            pause_seconds = self.chance.choice((0.0, 0.0, 0.05, 0.3))
        text = f"{pause_seconds} {self.tenant} {self.name} {self._number} "
        return (text + "x" * size_bytes).encode()

    def _told(self, wanted: Submitted, told: Any) -> None:
        state = validation_pb2.State.Name(told.state).removeprefix("STATE_")
        decision = ""
        if told.HasField("verdict"):
            named = validation_pb2.Decision.Name(told.verdict.decision)
            decision = named.removeprefix("DECISION_")
        self.history.add(
            Told(
                tenant=wanted.tenant,
                client=wanted.client,
                request_id=wanted.request_id,
                name=told.name,
                state=state,
                decision=decision,
            )
        )


def pool(chance: random.Random, size: int = 12) -> list[bytes]:
    """Texts that all clients may send."""
    return [f"0.02 pool {number} {chance.random()}".encode() for number in range(size)]


async def look_through(address: str, history: History) -> None:
    """List all validations, and download what was uploaded and is still to be there."""
    gone = {(each.tenant, each.digest) for each in history.of(DeleteAsked)}
    wanted = {(each.tenant, each.digest) for each in history.of(Uploaded)} - gone
    for tenant in TENANTS:
        async with absah.AsyncClient(address, tenant=tenant, client="reader") as client:
            names = [each.name async for each in client.validations(page_size=PAGE)]
            history.add(Listed(tenant=tenant, names=tuple(names)))
            for digest in sorted(digest for whose, digest in wanted if whose == tenant):
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        came = checkers.digest_of(await client.download(f"documents/{digest}"))
                except TimeoutError:
                    came = f"nothing in {ANSWER_SECONDS:.0f} s"
                except absah.CallFailed as failed:
                    came = f"{failed.code.name} {failed.reason}"
                history.add(Downloaded(tenant=tenant, digest=digest, came=came))
