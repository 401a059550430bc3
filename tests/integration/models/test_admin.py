"""Operators see and change the models of a running server, while it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
import numpy as np
import psycopg
import pytest
from integration.inference.drawing import draw_double
from support import TEXT_ONLY, make_settings, running_server

import absah
from absah.admin.v1 import admin_service_pb2 as pb2
from absah_ops.models import verify
from absah_sdk import Capabilities, CheckContext, Checker, Document, Form, Outcome, Result
from absah_server.core.models import Candidate, Change, Mode, Rollout
from absah_server.inference import repository, rollout
from absah_server.inference.traffic import LOOK_SECONDS

T = TypeVar("T")


class Multiplied(Checker):
    """Multiplies the length of a text by its model's factor."""

    name = "multiplied"
    version = "1.0"
    title = "Length times a factor"
    capabilities = Capabilities(
        media_types=("text/plain",), reads=frozenset({Form.TEXT}), models=("double",)
    )

    async def check(self, document: Document, context: CheckContext) -> Result:
        text = document.text or ""
        outputs = await context.infer("double", {"x": np.array([[len(text)]], np.float32)})
        return Result(outcome=Outcome.PASS, facts={"product": float(outputs["y"][0, 0])})


class Plain(Checker):
    """Needs no model."""

    name = "plain"
    version = "1.0"
    title = "Nothing"
    capabilities = TEXT_ONLY

    async def check(self, document: Document, context: CheckContext) -> Result:
        return Result(outcome=Outcome.PASS)


@asynccontextmanager
async def serving(folder: Path, *, database_url: str = "", **inference: Any) -> AsyncIterator[str]:
    """A server whose model doubles in version 1 and trebles in version 2; yields its address."""
    store = {
        "store": {"kind": "postgres" if database_url else "none"},
        "database_url": database_url,
        "data": folder / "data",
    }
    settings = make_settings(
        folder,
        **store,
        inference={
            "model_repository": folder / "models",
            "engine": "onnxruntime",
            **inference,
        },
    )
    async with running_server(settings, (Multiplied, Plain)) as address:
        yield address


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The model's folder; version 1 serves."""
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path / "models", version=version, factor=factor)
    folder = tmp_path / "models" / "double"
    rollout.write(folder, Rollout(current="1"), Change(action="set", by="a test"))
    return folder


async def operate(address: str, work: Callable[[absah.AdminClient], T]) -> T:
    """Do something as an operator, whose client blocks."""

    def done() -> T:
        with absah.AdminClient(address) as admin:
            return work(admin)

    return await asyncio.to_thread(done)


async def check(client: absah.AsyncClient, checker: str = "multiplied") -> Any:
    validation = await client.validate(checkers=[checker], report=absah.Text("four"))
    (result,) = validation.check_results
    return result


async def test_models_are_listed_with_what_serves(model: Path, tmp_path: Path) -> None:
    async with serving(tmp_path) as address:
        (listed,) = await operate(address, lambda admin: admin.models())
        assert listed.name == "models/double"
        assert listed.rollout.current == "1"
        (version,) = listed.versions
        (stored,) = repository.read_model(model)
        assert (version.version, version.engine) == ("1", "onnxruntime")
        assert version.sha256 == stored.digest


async def test_requests_are_counted(model: Path, tmp_path: Path) -> None:
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        for _ in range(3):
            await check(client)
        shown = await operate(address, lambda admin: admin.model("double"))
        counted = shown.versions[0].statistics
        assert (counted.requests, counted.succeeded, counted.failed) == (3, 3, 0)


async def test_a_version_is_promoted_and_rolled_back_while_requests_go_on(
    model: Path, tmp_path: Path
) -> None:
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        seen: list[tuple[float, str]] = []
        ended = asyncio.Event()

        async def ask() -> None:
            while not ended.is_set():
                result = await check(client)
                seen.append((result.facts["product"], result.model_versions[0].version))

        asking = [asyncio.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(0.1)
        promoted = pb2.Rollout(current="2", previous="1")
        shown = await operate(address, lambda admin: admin.set_rollout("double", promoted))
        assert shown.rollout == promoted
        after = await check(client)
        assert (after.facts["product"], after.model_versions[0].version) == (12.0, "2")
        assert rollout.read(model) == Rollout(current="2", previous="1")
        back = await operate(address, lambda admin: admin.roll_back_model("double", reason="why"))
        assert (back.rollout.current, back.rollout.previous) == ("1", "2")
        assert (await check(client)).facts["product"] == 8.0
        ended.set()
        await asyncio.gather(*asking)
        # The record names the version that answered, in the midst of changes too.
        assert set(seen) <= {(8.0, "1"), (12.0, "2")}
        assert rollout.history(model)[-1]["reason"] == "why"


async def test_a_shadow_is_reported(model: Path, tmp_path: Path) -> None:
    shadow = pb2.Rollout(
        current="1",
        candidate=pb2.Candidate(version="2", mode=pb2.CANDIDATE_MODE_SHADOW, share=1),
    )
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        await operate(address, lambda admin: admin.set_rollout("double", shadow))
        assert (await check(client)).facts["product"] == 8.0
        async with asyncio.timeout(30):
            while True:
                report = await operate(address, lambda admin: admin.shadow_report("double"))
                if report.compared:
                    break
        assert (report.model, report.current, report.candidate) == ("models/double", "1", "2")
        (output,) = report.outputs
        assert (output.output, output.max_difference, output.within_tolerance) == ("y", 4.0, 0)
        assert not output.HasField("same_argmax")


async def test_a_version_is_loaded_and_unloaded(model: Path, tmp_path: Path) -> None:
    async with serving(tmp_path) as address:
        shown = await operate(address, lambda admin: admin.load_model("double", "2"))
        assert [version.version for version in shown.versions] == ["1", "2"]
        shown = await operate(address, lambda admin: admin.unload_model("double", "2"))
        assert [version.version for version in shown.versions] == ["1"]


@pytest.mark.parametrize(
    ("work", "code", "reason", "field"),
    [
        (lambda a: a.model("none"), "NOT_FOUND", "MODEL_NOT_FOUND", ""),
        (lambda a: a.load_model("../double"), "NOT_FOUND", "MODEL_NOT_FOUND", ""),
        (lambda a: a.load_model("double", "7"), "NOT_FOUND", "MODEL_NOT_FOUND", ""),
        (lambda a: a.load_model("double", ".."), "NOT_FOUND", "MODEL_NOT_FOUND", ""),
        (lambda a: a.load_model(""), "INVALID_ARGUMENT", "INVALID_REQUEST", "name"),
        (lambda a: a.unload_model("double", "2"), "NOT_FOUND", "MODEL_NOT_FOUND", ""),
        (lambda a: a.unload_model("double", "1"), "FAILED_PRECONDITION", "MODEL_IN_USE", ""),
        (lambda a: a.roll_back_model("double"), "FAILED_PRECONDITION", "ROLLOUT_REFUSED", ""),
        (lambda a: a.shadow_report("double"), "FAILED_PRECONDITION", "ROLLOUT_REFUSED", ""),
        (
            lambda a: a.set_rollout("double", pb2.Rollout(current="9")),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "rollout.current",
        ),
        (
            lambda a: a.set_rollout("double", pb2.Rollout(current="1", previous="../../x")),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "rollout.previous",
        ),
        (
            lambda a: a.set_rollout(
                "double",
                pb2.Rollout(
                    current="1",
                    candidate=pb2.Candidate(
                        version="2", mode=pb2.CANDIDATE_MODE_CANARY, share=float("nan")
                    ),
                ),
            ),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "rollout.candidate.share",
        ),
        (
            lambda a: a.set_rollout("double", pb2.Rollout(current="2"), reason="a\0b"),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "reason",
        ),
        (
            lambda a: a.set_rollout(
                "double", pb2.Rollout(current="1", candidate=pb2.Candidate(version="2"))
            ),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "rollout.candidate.mode",
        ),
        (
            lambda a: a.set_rollout(
                "double",
                pb2.Rollout(
                    current="1",
                    candidate=pb2.Candidate(version="2", mode=pb2.CANDIDATE_MODE_CANARY, share=1.5),
                ),
            ),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
            "rollout.candidate.share",
        ),
        (
            lambda a: a.set_rollout("double", pb2.Rollout(current="2"), digests={"2": "0" * 64}),
            "FAILED_PRECONDITION",
            "ROLLOUT_REFUSED",
            "",
        ),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_reason(
    model: Path,
    tmp_path: Path,
    work: Callable[[absah.AdminClient], object],
    code: str,
    reason: str,
    field: str,
) -> None:
    async with serving(tmp_path) as address:
        with pytest.raises(absah.CallFailed) as caught:
            await operate(address, work)
        assert caught.value.code is grpc.StatusCode[code]
        assert caught.value.reason == reason
        assert [name for name, _ in caught.value.fields] == ([field] if field else [])
        assert rollout.read(model) == Rollout(current="1")


async def test_a_damaged_candidate_is_refused_with_its_file(model: Path, tmp_path: Path) -> None:
    (model / "2" / "model.onnx").write_bytes(b"nothing")
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        with pytest.raises(absah.CallFailed) as caught:
            await operate(
                address, lambda admin: admin.set_rollout("double", pb2.Rollout(current="2"))
            )
        assert caught.value.reason == "MODEL_INVALID"
        assert "model.onnx" in caught.value.message
        assert (await check(client)).facts["product"] == 8.0


async def test_the_other_models_serve_and_a_mended_one_does_when_it_is_loaded(
    model: Path, tmp_path: Path
) -> None:
    file = model / "1" / "model.onnx"
    good = file.read_bytes()
    file.write_bytes(good[:-30])
    async with (
        serving(tmp_path) as address,
        absah.AsyncClient(address) as client,
    ):
        assert absah.to_dict(await check(client, "plain"))["outcome"] == "PASS"
        result = await check(client)
        assert absah.to_dict(result)["outcome"] == "SKIPPED"
        assert result.error.code == grpc.StatusCode.UNAVAILABLE.value[0]
        assert "double" in result.error.message
        (listed,) = await operate(address, lambda admin: admin.models())
        assert "model.onnx" in listed.problem
        assert list(listed.unavailable_checkers) == ["multiplied"]
        file.write_bytes(good)
        mended = await operate(address, lambda admin: admin.load_model("double"))
        assert mended.problem == ""
        async with asyncio.timeout(30):
            while not (result := await check(client)).model_versions:
                await asyncio.sleep(0.01)
        assert result.facts["product"] == 8.0


@pytest.mark.parametrize(
    "candidate", [None, Candidate(version="3", mode=Mode.SHADOW, share=1.0)], ids=["alone", "trial"]
)
async def test_a_model_whose_current_version_was_damaged_is_rolled_back_in_one_step(
    model: Path, tmp_path: Path, candidate: Candidate | None
) -> None:
    draw_double(tmp_path / "models", version=3)
    written = Rollout(current="2", previous="1", candidate=candidate)
    rollout.write(model, written, Change(action="set", by="a test"))
    (model / "2" / "model.onnx").write_bytes(b"nothing")
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        assert absah.to_dict(await check(client))["outcome"] == "SKIPPED"
        shown = await operate(address, lambda admin: admin.roll_back_model("double"))
        assert (shown.rollout.current, shown.rollout.previous) == ("1", "2")
        assert not shown.problem
        async with asyncio.timeout(30):
            while not (result := await check(client)).model_versions:
                await asyncio.sleep(0.01)
        assert result.facts["product"] == 8.0


async def test_a_version_whose_files_were_replaced_since_it_was_loaded_is_not_promoted(
    model: Path, tmp_path: Path
) -> None:
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        await operate(address, lambda admin: admin.load_model("double", "2"))
        draw_double(tmp_path / "models", version=2, factor=5.0)
        (stored,) = repository.read_model(model, versions=("2",))

        def promote(admin: absah.AdminClient) -> pb2.Model:
            wanted = pb2.Rollout(current="2", previous="1")
            return admin.set_rollout("double", wanted, digests={"2": stored.digest})

        with pytest.raises(absah.CallFailed, match="unload it and load it again") as caught:
            await operate(address, promote)
        assert caught.value.reason == "ROLLOUT_REFUSED"
        assert (await check(client)).facts["product"] == 8.0
        await operate(address, lambda admin: admin.unload_model("double", "2"))
        await operate(address, promote)
        assert (await check(client)).facts["product"] == 20.0


async def test_what_an_operator_does_is_in_the_audit_log(
    model: Path, tmp_path: Path, database_url: str
) -> None:
    async with serving(tmp_path, database_url=database_url) as address:
        await operate(address, lambda admin: admin.load_model("double", "2"))
        promoted = pb2.Rollout(current="2", previous="1")
        await operate(address, lambda a: a.set_rollout("double", promoted, reason="it is better"))
        await operate(address, lambda admin: admin.roll_back_model("double"))
        with pytest.raises(absah.CallFailed):
            await operate(address, lambda admin: admin.unload_model("double", "1"))
        await operate(address, lambda admin: admin.load_model("double", "2"))
        await operate(address, lambda admin: admin.unload_model("double", "2"))
        events = audited(database_url)
    assert [action for action, _ in events] == [
        "model.loaded",
        "model.rollout_set",
        "model.rolled_back",
        "model.loaded",
        "model.unloaded",
    ]
    assert events[1][1] == {"current": "2", "previous": "1", "reason": "it is better"}


async def test_a_rollout_written_past_the_server_is_in_the_audit_log_too(
    model: Path, tmp_path: Path, database_url: str
) -> None:
    async with serving(tmp_path, database_url=database_url) as address:
        change = Change(action="promote", by="siti", reason="forced: the law changed")
        rollout.write(model, Rollout(current="2", previous="1"), change)
        async with asyncio.timeout(30):
            while not (events := audited(database_url)):
                await asyncio.sleep(0.05)
        # What the server wrote itself it does not take for somebody else's.
        await operate(address, lambda admin: admin.roll_back_model("double"))
        await asyncio.sleep(2 * LOOK_SECONDS)
        assert [action for action, _ in audited(database_url)] == [
            "model.rollout_followed",
            "model.rolled_back",
        ]
    assert events == [
        (
            "model.rollout_followed",
            {"current": "2", "previous": "1", "by": "siti", "reason": "forced: the law changed"},
        )
    ]


def audited(database_url: str) -> list[tuple[str, dict[str, Any]]]:
    """Action and details of each event about the model, in order."""
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            "select action, details from audit_events where subject = 'models/double' order by id"
        ).fetchall()


def truncate(model: Path) -> None:
    file = model / "1" / "model.onnx"
    file.write_bytes(file.read_bytes()[:-30])


def contradict(model: Path) -> None:
    config = model / "config.pbtxt"
    config.write_text(config.read_text().replace("TYPE_FP32", "TYPE_INT64"))


def lose_labels(model: Path) -> None:
    config = model / "config.pbtxt"
    text = config.read_text().replace('name: "y"', 'name: "y" label_filename: "labels.txt"')
    config.write_text(text)


def change_what_is_sealed(model: Path) -> None:
    labels = model / "labels.txt"
    labels.write_text("one\n")
    (stored,) = repository.read_model(model)
    verify.seal(stored, {})
    labels.write_text("two\n")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (truncate, ("1/model.onnx", "truncated")),
        (contradict, ("config.pbtxt", "input[0].data_type")),
        (lose_labels, ("config.pbtxt", "output.label_filename", "labels.txt")),
        (change_what_is_sealed, ("labels.txt", "sha256", "manifest.json")),
    ],
)
async def test_a_damaged_model_is_told_by_file_and_field_while_the_others_serve(
    model: Path, tmp_path: Path, damage: Callable[[Path], None], told: tuple[str, ...]
) -> None:
    damage(draw_double(tmp_path / "models", "damaged").parents[1])
    async with (
        serving(tmp_path) as address,
        absah.AsyncClient(address) as client,
    ):
        damaged, served = await operate(address, lambda admin: admin.models())
        assert (damaged.name, served.name) == ("models/damaged", "models/double")
        assert all(word in damaged.problem for word in told), damaged.problem
        assert not damaged.versions
        assert (await check(client)).facts["product"] == 8.0
