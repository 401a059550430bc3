"""Decode documents and run functions over hostile bytes, each in a process of its own.

A process does one job and is killed, so a document that takes over its decoder sees no other
document, and can alter no other answer. Some processes wait ready; each is replaced as soon as it
is used, forked from a warm one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from absah_sdk import DeadlinePassed, DocumentUnreadable
from absah_server.decode import answers, media_types, memory, pages
from absah_server.decode.codec import Malformed
from absah_server.decode.limits import DecodeLimits
from absah_server.decode.process import SandboxFailed, Worker, Zygote

log = logging.getLogger(__name__)

_ATTEMPTS = 2
_RETRY_SECONDS = 0.5
_END_SECONDS = 2.0


class ProcessSandbox:
    """The port `Sandbox` over processes; `workers` bounds how many jobs run at once."""

    def __init__(self, limits: DecodeLimits | None = None, *, workers: int = 2) -> None:
        self._limits = limits or DecodeLimits()
        self._count = workers
        self._zygote = Zygote(self._limits)
        self._ready: asyncio.Queue[Worker | None] = asyncio.Queue()
        """Workers that wait for a job; None, put back by whoever takes it, once closed."""
        self._restarting = asyncio.Lock()
        self._busy: set[Worker] = set()
        self._replacing: set[asyncio.Task[None]] = set()
        self._modules: set[str] = set()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="absah-sandbox")
        self._closed = False

    async def start(self) -> None:
        """Start the workers; raises `SandboxFailed` where they cannot be started."""
        self._zygote.start()
        try:
            for _ in range(self._count):
                self._ready.put_nowait(await self._zygote.fork(self._modules))
        except BaseException:
            await self.close()
            raise

    async def decode(
        self, content: bytes, media_type: str, *, deadline: float
    ) -> pages.MappedPages:
        """Decode an image or PDF to pixels; raises `DocumentUnreadable` or `DeadlinePassed`."""
        if reason := media_types.refusal(media_type):
            raise DocumentUnreadable(reason)
        if len(content) > self._limits.max_content_bytes:
            raise DocumentUnreadable(
                f"The file is {len(content)} bytes long; at most "
                f"{self._limits.max_content_bytes} are accepted (setting decode.max_content_bytes)."
            )
        job = {"media_type": media_type}
        try:
            value = await self._run(job, lambda file: file.write(content), deadline)
            return pages.from_value(value, self._limits)
        except Malformed as exc:
            raise answers.subverted() from exc
        except answers.IsolatedCallFailed as exc:
            log.error("decoder raised", extra={"error": exc.error, "place": exc.place})
            raise DocumentUnreadable("The file is damaged and cannot be decoded.") from exc

    async def isolate(
        self, function: Callable[..., Any], args: Sequence[Any], *, deadline: float
    ) -> Any:
        """Run a module-level function over hostile bytes and return its value.

        It may return what `codec` carries: plain values, bytes, lists, tuples, mappings and arrays
        of numbers; arrays are read-only. Raises `DocumentUnreadable` as the function raises it or
        where the process dies or takes too much memory or time; `IsolatedCallFailed` where the
        function raises anything else.
        """
        module, name = function.__module__, function.__qualname__
        if "<" in name:
            raise TypeError(f"{name} is not a module-level function")
        self._modules.add(module)
        call = (module, name, tuple(args))
        return await self._run({}, lambda file: pickle.dump(call, file, protocol=5), deadline)

    async def close(self) -> None:
        """Kill and reap every process; jobs that still run end as `SandboxFailed`."""
        self._closed = True
        for task in self._replacing:
            task.cancel()
        for worker in self._busy:
            worker.kill()
        while not self._ready.empty():
            if idle := self._ready.get_nowait():
                idle.close()
        self._ready.put_nowait(None)
        await self._zygote.close()
        self._threads.shutdown(wait=False)

    async def _run(
        self, job: dict[str, Any], fill: Callable[[BinaryIO], Any], deadline: float
    ) -> Any:
        if self._closed:
            raise SandboxFailed("the sandbox is closed")
        with memory.anonymous("absah-in") as source, memory.anonymous("absah-out") as out:
            try:
                async with asyncio.timeout_at(deadline):
                    # Tens of megabytes take too long for the loop; threads of our own, since all
                    # of the loop's may be waiting for the very answer that this leads to.
                    await asyncio.get_running_loop().run_in_executor(self._threads, fill, source)
                    answer = await self._ask(job, source, out)
            except TimeoutError as exc:
                raise DeadlinePassed("The time ran out while the document was read.") from exc
            return answers.value(answer, out, self._limits)

    async def _ask(self, job: dict[str, Any], source: BinaryIO, out: BinaryIO) -> answers.Answer:
        """Give the job to a worker, and once more to another where that one was killed.

        None of our limits ends a process so: the machine was short of memory, and whether this
        file was the cause is not known. A file that is ends the second one too.
        """
        answer = answers.Answer(message=b"", ended_by=signal.SIGKILL)
        for _ in range(_ATTEMPTS):
            source.seek(0)  # the worker reads and writes at the same places as we do
            out.seek(0)
            out.truncate()
            answer = await self._ask_once(job, (source.fileno(), out.fileno()))
            if answer.ended_by != signal.SIGKILL:
                break
            log.warning("decoder was killed from outside")
        return answer

    async def _ask_once(self, job: dict[str, Any], files: tuple[int, int]) -> answers.Answer:
        """Give the job to a worker; one that was dead before it got the job is passed over."""
        while True:
            worker = await self._ready.get()
            if worker is None:
                self._ready.put_nowait(None)
                raise SandboxFailed("the sandbox is closed")
            self._busy.add(worker)
            try:
                async with asyncio.timeout(self._limits.wall_seconds):
                    message = await worker.ask(job, files)
                    return answers.Answer(
                        message=message, ended_by=await self._end(worker, message)
                    )
            except TimeoutError:
                return answers.Answer(message=b"", ended_by=answers.TOOK_TOO_LONG)
            except OSError:
                log.warning("decoder was dead before its job")
            finally:
                self._retire(worker)

    async def _end(self, worker: Worker, message: bytes) -> int:
        """Learn how a worker ended that did not answer."""
        if message:
            return 0
        if self._closed:
            raise SandboxFailed("the sandbox ended while the document was read")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                return await worker.ended_by()
        return signal.SIGKILL

    def _retire(self, worker: Worker) -> None:
        """Kill a worker that has had its job, and replace it in the background."""
        worker.close()
        self._busy.discard(worker)
        if self._closed:
            return
        task = asyncio.create_task(self._replace(worker))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _replace(self, worker: Worker) -> None:
        """Put a new worker in place once the memory of the old one is free."""
        await worker.ended_by()
        while not self._closed:
            try:
                async with self._restarting:
                    if not self._zygote.alive:
                        log.error("decoder starter ended; starting it again")
                        await self._zygote.close()
                        self._zygote.start()
                self._ready.put_nowait(await self._zygote.fork(self._modules))
                return
            except SandboxFailed:
                log.exception("decoder could not be started")
                await asyncio.sleep(_RETRY_SECONDS)
