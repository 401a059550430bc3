"""A server that keeps results, with checkers that tell how often they ran."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psycopg
from support import make_picture, make_settings, running_server

import absah
from absah.v1 import check_result_pb2, validation_pb2
from absah_sdk import (
    Artifact,
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
from absah_server.core.models import Change, Rollout
from absah_server.inference import rollout

T = TypeVar("T")
POLICY = """\
policy: photos
version: 1
title: {id: Foto, en: Photos}
documents:
  photo: {title: {id: Foto, en: Photo}, count: [1, 2], media_types: [image/*]}
claims:
  number: {title: {id: Nomor, en: Number}, type: string}
checks:
  shade: {documents: [photo]}
  twice: {documents: [photo]}
  claimed: {documents: [photo]}
  moody: {documents: [photo]}
rules:
  - rule: bright
    each: result
    when: result.checker == "shade" && result.score > 0.9
    decision: REJECT
    message: {id: "terlalu terang", en: "too bright"}
accepted: {id: Baik, en: Fine}
"""


class Counted(Checker):
    """Counts its runs; `runs` is reset by each test."""

    version = "1.0"
    title = "Counts its runs"
    runs = 0

    def check(self, document: Document, context: CheckContext) -> Result:
        type(self).runs += 1
        return self.found(document, context)

    def found(self, document: Document, context: CheckContext) -> Result:
        raise NotImplementedError


class ShadeSettings(Settings):
    """A setting, which belongs to what a result depends on."""

    least: float = 0.0


class Shade(Counted):
    """Doubles the mean of the pixels by a model, and draws a map."""

    name = "shade"
    settings_type = ShadeSettings
    capabilities = Capabilities(
        media_types=("image/*",), reads=frozenset({Form.PAGES}), models=("double",)
    )

    def found(self, document: Document, context: CheckContext) -> Result:
        pixels = document.pages[0].pixels
        if pixels.shape[0] == 1:
            raise DocumentUnreadable("one row is no picture")
        mean = np.array([[pixels.mean() / 512]], np.float32)
        shade = float(context.wait(context.infer("double", {"x": mean}))["y"][0, 0])
        drawn = Artifact(name="map", media_type="image/png", content=make_picture(4, 4, seed=1))
        finding = Finding(code="shade", confidence=0.5, attributes={"pair": (1, 2)})
        return Result(
            outcome=Outcome.PASS,
            score=shade,
            findings=(finding,),
            facts={"shade": shade, "size": pixels.shape[:2]},
            artifacts=(drawn,),
        )


class Twice(Counted):
    """Builds on the shade; cheap, but looks at the pixels."""

    name = "twice"
    capabilities = Capabilities(
        media_types=("image/*",), reads=frozenset({Form.PAGES}), requires=("shade",)
    )

    def found(self, document: Document, context: CheckContext) -> Result:
        shade = context.results["shade"].facts["shade"]
        return Result(outcome=Outcome.PASS, facts={"twice": 2 * shade})


class Claimed(Counted):
    """Reads the claims."""

    name = "claimed"
    capabilities = Capabilities(
        media_types=("image/*",), reads=frozenset({Form.PAGES, Form.CLAIMS})
    )

    def found(self, document: Document, context: CheckContext) -> Result:
        return Result(outcome=Outcome.PASS, facts={"number": context.claims.get("number", "")})


class Moody(Counted):
    """Would not come out the same again; and sees no claims, since it does not ask for them."""

    name = "moody"
    capabilities = Capabilities(media_types=("image/*",), reads=frozenset({Form.PAGES}))

    def found(self, document: Document, context: CheckContext) -> Result:
        assert not context.claims
        return Result(outcome=Outcome.PASS, facts={"run": self.runs}, repeatable=False)


KINDS = (Shade, Twice, Claimed, Moody)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A folder and a database that servers of a test share, one after another."""

    folder: Path
    database_url: str

    @asynccontextmanager
    async def serving(self, *kinds: type[Checker], **changes: Any) -> AsyncIterator[Client]:
        settings = make_settings(
            self.folder,
            store={"kind": "postgres"},
            database_url=self.database_url,
            data=self.folder / "data",
            inference={"model_repository": self.folder / "models", "engine": "onnxruntime"},
            **changes,
        )
        async with running_server(settings, kinds or KINDS) as address:
            yield Client(address=address, bench=self)

    def promote(self, version: str) -> None:
        change = Change(action="set", by="a test")
        rollout.write(self.folder / "models" / "double", Rollout(current=version), change)

    def rows(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("select count(*) from cached_results").fetchone()
        assert row
        return int(row[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Calls one server from threads beside its loop."""

    address: str
    bench: Bench

    async def call(self, ask: Callable[[absah.Client], T], **who: str) -> T:
        def called() -> T:
            with absah.Client(self.address, **who) as client:
                return ask(client)

        return await asyncio.to_thread(called)

    async def validate(
        self, photo: Any, *, tenant: str = "", **asked: Any
    ) -> validation_pb2.Validation:
        return await self.call(
            lambda client: client.validate("photos", photo=photo, **asked), tenant=tenant
        )

    async def kept(self, count: int) -> None:
        """Wait until so many results are in the store."""
        async with asyncio.timeout(20):
            while await asyncio.to_thread(self.bench.rows) < count:
                await asyncio.sleep(0.02)

    async def inferences(self) -> int:
        """How many requests the model has answered."""

        def counted() -> int:
            with absah.AdminClient(self.address) as admin:
                versions = admin.model("double").versions
            return sum(int(version.statistics.requests) for version in versions)

        return await asyncio.to_thread(counted)


def result_of(
    validation: validation_pb2.Validation, checker: str, document: str = "photo"
) -> check_result_pb2.CheckResult:
    return next(
        r for r in validation.check_results if (r.checker, r.document) == (checker, document)
    )


def changed(kind: type[Checker], **attributes: Any) -> type[Checker]:
    """The same checker with other attributes; its runs are counted apart."""
    return type(kind.__name__, (kind,), {"runs": 0, **attributes})
