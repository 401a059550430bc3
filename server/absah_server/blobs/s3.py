"""Keep contents in a bucket of an S3-compatible store, each named by its SHA-256.

An object is there whole or not at all, and is durable once its upload was answered. Credentials
come from the usual AWS_* environment variables, or the machine's own role.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import TypeVar

import obstore
from obstore import exceptions
from obstore.store import S3Store

from absah_server.blobs.files import verify
from absah_server.core import names
from absah_server.core.errors import DocumentNotFound, StoreUnavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

TIMEOUT = datetime.timedelta(seconds=30)
CONNECT_TIMEOUT = datetime.timedelta(seconds=3)
RETRIES_TIMEOUT = datetime.timedelta(seconds=10)
RETRY_AFTER_SECONDS = 5.0
AWS_ENDPOINT = "https://s3.{region}.amazonaws.com"
YOUNG = datetime.timedelta(hours=12)
"""What was put within this time is not put again: nothing takes it for left behind."""


class S3Blobs:
    """Contents in `bucket` under `prefix`; an empty `endpoint` is that of AWS."""

    def __init__(self, *, bucket: str, endpoint: str, region: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._store = S3Store(
            bucket,
            region=region,
            endpoint=endpoint or AWS_ENDPOINT.format(region=region),
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "timeout": TIMEOUT,
                "connect_timeout": CONNECT_TIMEOUT,
            },
            retry_config={"max_retries": 3, "retry_timeout": RETRIES_TIMEOUT},
        )

    async def start(self) -> None:
        """Ask for what is not there: a wrong bucket or key is told at the start.

        Raises `StoreUnavailable`.
        """
        await self._found(obstore.list_with_delimiter_async(self._store, f"{self._prefix}start/"))

    async def put(self, digest: str, content: bytes) -> None:
        """As `Blobs.put`."""
        if not await self._is_young(digest, len(content)):
            await self._found(obstore.put_async(self._store, self._key(digest), content))

    async def adopt(self, digest: str, path: Path) -> None:
        """As `Blobs.adopt`; a large file is sent in parts."""
        await self._found(obstore.put_async(self._store, self._key(digest), path))
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def get(self, digest: str) -> bytes:
        """As `Blobs.get`."""
        try:
            result = await self._found(obstore.get_async(self._store, self._key(digest)))
            content = bytes(await self._found(result.bytes_async()))
        except FileNotFoundError:
            raise DocumentNotFound(name=names.document_name(digest)) from None
        where = f"s3://{self._bucket}/{self._key(digest)}"
        await asyncio.to_thread(verify, digest, content, where=where)
        return content

    async def delete(self, digest: str) -> None:
        """As `Blobs.delete`."""
        try:
            await self._found(obstore.delete_async(self._store, self._key(digest)))
        except FileNotFoundError:
            return

    async def digests(self, *, older_than_seconds: float) -> AsyncIterator[str]:
        """As `Blobs.digests`."""
        before = _now() - datetime.timedelta(seconds=older_than_seconds)
        pages = aiter(obstore.list(self._store, prefix=self._prefix or None))
        while (page := await self._found(_next(pages))) is not None:
            for item in page:
                digest = item["path"].removeprefix(self._prefix)
                if names.DIGEST.fullmatch(digest) and item["last_modified"] < before:
                    yield digest

    async def close(self) -> None:
        """Nothing is open between calls."""

    def _key(self, digest: str) -> str:
        return f"{self._prefix}{digest}"

    async def _is_young(self, digest: str, size_bytes: int) -> bool:
        try:
            found = await self._found(obstore.head_async(self._store, self._key(digest)))
        except FileNotFoundError:
            return False
        return found["size"] == size_bytes and found["last_modified"] > _now() - YOUNG

    async def _found(self, asked: Awaitable[T]) -> T:
        """What the store answers; FileNotFoundError where it has no such object."""
        try:
            return await asked
        except FileNotFoundError:
            raise
        except (exceptions.BaseError, OSError) as exc:
            # The message may quote headers; its kind is enough to begin with.
            log.error("bucket fails", extra={"bucket": self._bucket, "why": type(exc).__name__})
            raise StoreUnavailable(
                retry_after_seconds=RETRY_AFTER_SECONDS, what=f"the bucket {self._bucket!r}"
            ) from exc


async def _next(pages: AsyncIterator[T]) -> T | None:
    return await anext(pages, None)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
