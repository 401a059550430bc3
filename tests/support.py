"""Documents, small checkers and servers that tests build with."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from absah_sdk import (
    Capabilities,
    CheckContext,
    Checker,
    Document,
    DocumentUnreadable,
    Finding,
    Form,
    Outcome,
    Result,
    Settings,
)
from absah_server import app
from absah_server.core.registry import RegisteredChecker, Registry
from absah_server.settings import Settings as ServerSettings

TEXT_ONLY = Capabilities(media_types=("text/plain",), reads=frozenset({Form.TEXT}))
IMAGES = Capabilities(media_types=("image/*",), reads=frozenset({Form.PAGES}))


def make_document(
    text: str | None = "halo", *, name: str = "report", media_type: str = "text/plain"
) -> Document:
    """A document as the core makes it."""
    content = (text or "").encode()
    return Document(
        name=name,
        role=name.partition("-")[0],
        media_type=media_type,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        text=text,
    )


def make_picture(width: int = 64, height: int = 48, *, form: str = "PNG", seed: int = 0) -> bytes:
    """A picture of noise, as a file's bytes."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


class Length(Checker):
    """Tells how long a text is."""

    name = "length"
    version = "1.0"
    title = "Length of a text"
    capabilities = TEXT_ONLY

    async def check(self, document: Document, context: CheckContext) -> Result:
        text = document.text or ""
        finding = Finding(code="length", message="measured", attributes={"characters": len(text)})
        return Result(
            outcome=Outcome.PASS, score=0.5, findings=(finding,), facts={"length": len(text)}
        )


class Doubled(Checker):
    """Doubles what `length` found; runs in a thread."""

    name = "doubled"
    version = "1.0"
    title = "Twice the length"
    capabilities = Capabilities(
        media_types=("text/plain",), reads=frozenset({Form.TEXT}), requires=("length",)
    )

    def check(self, document: Document, context: CheckContext) -> Result:
        length = context.results["length"].facts["length"]
        return Result(outcome=Outcome.PASS, facts={"doubled": 2 * length})


class Brightness(Checker):
    """Looks at pixels."""

    name = "brightness"
    version = "1.0"
    title = "Mean brightness"
    capabilities = IMAGES

    def check(self, document: Document, context: CheckContext) -> Result:
        return Result(outcome=Outcome.PASS, facts={"mean": float(document.pages[0].pixels.mean())})


class Broken(Checker):
    """Breaks at every text, and says a secret while it does."""

    name = "broken"
    version = "1.0"
    title = "Breaks"
    capabilities = TEXT_ONLY

    async def check(self, document: Document, context: CheckContext) -> Result:
        raise ZeroDivisionError(f"cannot divide {document.text}")


class Unreadable(Checker):
    """Finds every text unreadable."""

    name = "unreadable"
    version = "1.0"
    title = "Cannot read"
    capabilities = TEXT_ONLY

    async def check(self, document: Document, context: CheckContext) -> Result:
        raise DocumentUnreadable("The ink has run; send it again.")


class Slow(Checker):
    """Takes as many seconds as the text says, and tells how many checks are under way."""

    name = "slow"
    version = "1.0"
    title = "Takes its time"
    capabilities = TEXT_ONLY

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.running = 0
        self.cancelled = 0
        self.started = asyncio.Event()

    async def check(self, document: Document, context: CheckContext) -> Result:
        self.running += 1
        self.started.set()
        try:
            await asyncio.sleep(float(document.text or "0"))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return Result(outcome=Outcome.PASS)


class SlowThread(Checker):
    """Waits in a thread, as sync checks do."""

    name = "slow_thread"
    version = "1.0"
    title = "Takes its time in a thread"
    capabilities = TEXT_ONLY

    def check(self, document: Document, context: CheckContext) -> Result:
        context.wait(asyncio.sleep(float(document.text or "0")))
        return Result(outcome=Outcome.PASS)


def make_registry(
    *kinds: type[Checker], functions: Mapping[str, Callable[..., Any]] | None = None
) -> Registry:
    """A registry of these checkers with their default settings."""
    checkers = {
        kind.name: RegisteredChecker(checker=kind(kind.settings_type()), plugin="tests")
        for kind in kinds
    }
    return Registry(checkers=checkers, policy_functions=functions or {})


def make_settings(folder: Path, **changes: Any) -> ServerSettings:
    """Settings of a server on a free port, with neither models, policies nor store of its own."""
    for name in ("models", "policies"):
        (folder / name).mkdir(exist_ok=True)
    given = {
        "port": 0,
        "policies": folder / "policies",
        "inference": {"model_repository": folder / "models"},
        "decode_workers": 1,
        "store": {"kind": "none"},
        **changes,
    }
    return ServerSettings(**given)


@asynccontextmanager
async def running_server(
    settings: ServerSettings, kinds: Iterable[type[Checker]] | Registry
) -> AsyncIterator[str]:
    """A real server in this event loop; yields its address."""
    loaded = kinds if isinstance(kinds, Registry) else make_registry(*kinds)
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(
        app.serve(settings, ready=bound.set_result, stop=stop, on_signals=False, loaded=loaded)
    )
    await asyncio.wait((serving, bound), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    try:
        yield f"127.0.0.1:{bound.result()}"
    finally:
        stop.set()
        await serving
