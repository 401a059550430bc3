"""Checks are led to the version that the rollout says, while versions come and go."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.inference.drawing import (
    ENDLESS,
    draw_double,
    draw_spin,
    floats,
    indices,
    save_graph,
    settled,
    soon,
)
from onnx import TensorProto, helper

from absah_server.core.errors import ModelInUse, ModelInvalid, ModelUnknown, RolloutRefused
from absah_server.core.models import Candidate, Change, Mode, Rollout
from absah_server.inference import rollout
from absah_server.inference.invalid import OnInvalid
from absah_server.inference.local import LocalInference
from absah_server.inference.scheduling import Scheduler
from absah_server.inference.traffic import Traffic

CHANGE = Change(action="set", by="a test")
FACTORS = {"1": 2.0, "2": 3.0}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Version 1 doubles, version 2 trebles; version 1 serves."""
    for version, factor in FACTORS.items():
        draw_double(tmp_path, version=int(version), factor=factor)
    rollout.write(tmp_path / "double", Rollout(current="1"), CHANGE)
    return tmp_path


@asynccontextmanager
async def leading(
    repository: Path, *, draw: Callable[[], float] = lambda: 0.5, **settings: Any
) -> AsyncIterator[Traffic]:
    """Traffic over the repository that looks for changes all the time."""
    pins = settings.get("pins", {})
    inner = LocalInference(repository, engine="onnxruntime", concurrent_runs=1, **settings)
    traffic = Traffic(inner, repository, draw=draw, look_seconds=0.01, pins=pins)
    await traffic.start()
    try:
        yield traffic
    finally:
        await traffic.close()


async def answer(traffic: Traffic) -> float:
    outputs = await traffic.infer("double", floats(1), deadline=soon())
    return float(outputs["y"][0, 0])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def loaded(traffic: Traffic) -> set[str]:
    return {version for _, version in traffic.inner.versions()}


def trial(mode: Mode, share: float) -> Rollout:
    return Rollout(current="1", candidate=Candidate(version="2", mode=mode, share=share))


async def test_the_rollouts_version_answers_and_no_other_is_loaded(repository: Path) -> None:
    async with leading(repository) as traffic:
        assert await answer(traffic) == 2.0
        assert loaded(traffic) == {"1"}
        assert traffic.models()["double"].version == "1"


async def test_without_a_rollout_the_highest_version_answers(repository: Path) -> None:
    rollout.path(repository / "double").unlink()
    async with leading(repository) as traffic:
        assert await answer(traffic) == 3.0


async def test_a_pinned_version_answers_whatever_the_rollout_says(repository: Path) -> None:
    async with leading(repository, pins={"double": "2"}) as traffic:
        rollout.write(repository / "double", trial(Mode.CANARY, 1), CHANGE)
        await asyncio.sleep(0.05)
        assert await answer(traffic) == 3.0
        with pytest.raises(RolloutRefused, match=r"inference\.pins holds version 2"):
            await traffic.set_rollout("double", Rollout(current="1"), CHANGE)
        assert await answer(traffic) == 3.0


async def test_a_changed_file_is_followed_without_a_restart(repository: Path) -> None:
    async with leading(repository) as traffic:
        rollout.write(repository / "double", Rollout(current="2", previous="1"), CHANGE)
        await until(lambda: loaded(traffic) == {"2"})
        assert await answer(traffic) == 3.0


async def test_no_request_fails_while_versions_change(repository: Path) -> None:
    async with leading(repository) as traffic:
        seen: list[float] = []
        ended = asyncio.Event()

        async def ask() -> None:
            while not ended.is_set():
                seen.append(await answer(traffic))

        asking = [asyncio.create_task(ask()) for _ in range(4)]
        for current in ("2", "1", "2", "1"):
            await traffic.set_rollout("double", Rollout(current=current), CHANGE)
            before = len(seen)
            await until(lambda: len(seen) > before + 20)  # noqa: B023 - awaited at once
        ended.set()
        await asyncio.gather(*asking)
        assert set(seen) == {2.0, 3.0}
        await until(lambda: loaded(traffic) == {"1"})


async def test_a_check_keeps_the_version_that_it_met(repository: Path) -> None:
    async with leading(repository) as traffic:
        with traffic.use() as use:
            first = await use.infer("double", floats(1), deadline=soon())
            await traffic.set_rollout("double", Rollout(current="2", previous="1"), CHANGE)
            second = await use.infer("double", floats(1), deadline=soon())
            assert first["y"].tolist() == second["y"].tolist() == [[2.0]]
            assert use.used()["double"].version == "1"
            assert loaded(traffic) == {"1", "2"}
            assert await answer(traffic) == 3.0
        await until(lambda: loaded(traffic) == {"2"})


async def test_what_is_named_again_before_its_last_check_ends_stays(repository: Path) -> None:
    async with leading(repository) as traffic:
        with traffic.use() as use:
            await use.infer("double", floats(1), deadline=soon())
            await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
            await traffic.set_rollout("double", Rollout(current="1"), CHANGE)
        await until(lambda: loaded(traffic) == {"1"})
        assert await answer(traffic) == 2.0


async def test_a_canary_answers_its_share_of_the_checks(repository: Path) -> None:
    draws = iter([0.1, 0.3, 0.1, 0.9])
    rollout.write(repository / "double", trial(Mode.CANARY, 0.2), CHANGE)
    async with leading(repository, draw=lambda: next(draws)) as traffic:
        assert [await answer(traffic) for _ in range(4)] == [3.0, 2.0, 3.0, 2.0]


async def test_a_shadow_answers_nobody_and_its_agreement_is_told(repository: Path) -> None:
    rollout.write(repository / "double", trial(Mode.SHADOW, 1), CHANGE)
    async with leading(repository) as traffic:
        shadow = traffic.shadow("double")
        assert shadow is not None
        for count in range(1, 4):
            assert await answer(traffic) == 2.0
            await until(lambda: shadow.report().compared == count)  # noqa: B023 - awaited at once
        report = shadow.report()
        assert (report.current, report.candidate) == ("1", "2")
        assert (report.drawn, report.dropped, report.failed) == (3, 0, 0)
        assert report.outputs["y"].within_tolerance == 0
        assert report.outputs["y"].largest == report.outputs["y"].mean_difference == 1.0
        assert report.candidate_seconds > 0


async def test_a_shadow_sees_its_share_alone(repository: Path) -> None:
    draws = iter([0.05, 0.5, 0.6])
    rollout.write(repository / "double", trial(Mode.SHADOW, 0.1), CHANGE)
    async with leading(repository, draw=lambda: next(draws)) as traffic:
        for _ in range(3):
            await answer(traffic)
        shadow = traffic.shadow("double")
        assert shadow is not None
        assert shadow.report().drawn == 1


async def test_what_comes_while_the_shadow_is_busy_is_dropped(repository: Path) -> None:
    rollout.write(repository / "double", trial(Mode.SHADOW, 1), CHANGE)
    async with leading(repository) as traffic:
        shadow = traffic.shadow("double")
        assert shadow is not None
        answers = await asyncio.gather(*(answer(traffic) for _ in range(32)))
        assert set(answers) == {2.0}
        await until(lambda: (r := shadow.report()).compared + r.dropped == 32)
        assert shadow.report().dropped > 0


async def test_changing_what_was_asked_does_not_change_what_the_shadow_sees(
    repository: Path,
) -> None:
    rollout.write(repository / "double", trial(Mode.SHADOW, 1), CHANGE)
    async with leading(repository) as traffic:
        inputs = floats(1)
        outputs = await traffic.infer("double", inputs, deadline=soon())
        inputs["x"][:] = 100
        outputs["y"][:] = 100
        shadow = traffic.shadow("double")
        assert shadow is not None
        await until(lambda: shadow.report().compared == 1)
        assert shadow.report().outputs["y"].largest == 1.0


def draw_fragile(file: Path) -> None:
    """y = table[x], which fails for an x of 3 or more."""
    table = helper.make_tensor("t", TensorProto.FLOAT, [3], [0.0, 2.0, 4.0])
    save_graph(
        file,
        [
            helper.make_node("Constant", [], ["table"], value=table),
            helper.make_node("Cast", ["x"], ["place"], to=TensorProto.INT64),
            helper.make_node("Gather", ["table", "place"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["items", "size"])],
        [("y", TensorProto.FLOAT, ["items", "size"])],
    )


async def test_a_candidate_that_fails_fails_no_request(repository: Path) -> None:
    draw_fragile(repository / "double" / "2" / "model.onnx")
    rollout.write(repository / "double", trial(Mode.SHADOW, 1), CHANGE)
    async with leading(repository) as traffic:
        shadow = traffic.shadow("double")
        assert shadow is not None
        outputs = await traffic.infer("double", floats(7), deadline=soon())
        assert outputs["y"].tolist() == [[14.0]]
        await until(lambda: shadow.report().failed == 1)
        assert await answer(traffic) == 2.0
        await until(lambda: shadow.report().compared == 1)
        assert shadow.report().outputs["y"].within_tolerance == 1.0


async def test_a_rollout_with_a_mistake_leaves_all_as_it_was(repository: Path) -> None:
    async with leading(repository) as traffic:
        rollout.path(repository / "double").write_text('{"current": "seven"}')
        await until(lambda: bool(traffic.problems()))
        assert "current" in traffic.problems()["double"]
        assert await answer(traffic) == 2.0
        rollout.path(repository / "double").write_text('{"current": "2"}')
        await until(lambda: not traffic.problems())
        assert await answer(traffic) == 3.0


async def test_a_candidate_that_cannot_be_loaded_leaves_all_as_it_was(repository: Path) -> None:
    (repository / "double" / "2" / "model.onnx").write_bytes(b"nothing")
    async with leading(repository) as traffic:
        with pytest.raises(ModelInvalid, match=r"model\.onnx"):
            await traffic.set_rollout("double", trial(Mode.CANARY, 1), CHANGE)
        with pytest.raises(ModelInvalid):
            await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
        assert await answer(traffic) == 2.0
        assert rollout.read(repository / "double") == Rollout(current="1")


async def test_a_rollout_that_cannot_be_written_is_not_followed(repository: Path) -> None:
    async with leading(repository) as traffic:
        rollout.path(repository / "double").unlink()
        rollout.path(repository / "double").mkdir()
        with pytest.raises((OSError, ModelInvalid)):
            await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
        assert await answer(traffic) == 2.0


async def test_a_rollout_that_cannot_be_written_is_refused_with_its_file(repository: Path) -> None:
    async with leading(repository) as traffic:
        await traffic.load("double", "2")
        shutil.rmtree(repository / "double")
        with pytest.raises(
            RolloutRefused, match=r"double/rollout\.json cannot be written: No such"
        ):
            await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
        assert await answer(traffic) == 2.0


async def test_a_version_is_loaded_beside_the_others_and_answers_by_its_address(
    repository: Path,
) -> None:
    async with leading(repository) as traffic:
        await traffic.load("double", "2")
        outputs = await traffic.inner.infer("double@2", floats(1), deadline=soon())
        assert outputs["y"].tolist() == [[3.0]]
        assert await answer(traffic) == 2.0
        await traffic.unload("double", "2")
        assert loaded(traffic) == {"1"}


async def test_the_version_that_answers_cannot_be_unloaded(repository: Path) -> None:
    async with leading(repository) as traffic:
        with pytest.raises(ModelInUse):
            await traffic.unload("double", "1")
        with pytest.raises(ModelUnknown):
            await traffic.unload("double", "2")


async def test_unloading_ends_where_somebody_loads_the_version_meanwhile(repository: Path) -> None:
    rollout.write(repository / "double", trial(Mode.CANARY, 1), CHANGE)
    async with leading(repository) as traffic:
        with traffic.use() as use:
            await use.infer("double", floats(1), deadline=soon())
            await traffic.set_rollout("double", Rollout(current="1"), CHANGE)
            unloading = asyncio.create_task(traffic.unload("double", "2"))
            await asyncio.sleep(0.05)
            assert not unloading.done()
            await traffic.load("double", "2")
            with pytest.raises(ModelInUse):
                await asyncio.wait_for(unloading, 10)
        assert loaded(traffic) == {"1", "2"}


async def test_what_waits_for_a_version_is_answered_before_it_goes(repository: Path) -> None:
    async with leading(repository) as traffic:
        asked = [asyncio.create_task(answer(traffic)) for _ in range(20)]
        await asyncio.sleep(0)
        await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
        assert set(await asyncio.gather(*asked)) <= {2.0, 3.0}
        await until(lambda: loaded(traffic) == {"2"})


async def test_a_model_that_was_mended_serves_when_it_is_loaded(repository: Path) -> None:
    file = repository / "double" / "1" / "model.onnx"
    good = file.read_bytes()
    file.write_bytes(good[:-30])
    async with leading(repository, on_invalid=OnInvalid.SERVE_OTHERS) as traffic:
        assert "model.onnx" in traffic.problems()["double"]
        with pytest.raises(ModelUnknown):
            await answer(traffic)
        told = asyncio.Event()
        traffic.loaded = told.set
        file.write_bytes(good)
        await traffic.load("double")
        assert await answer(traffic) == 2.0
        assert traffic.problems() == {}
        assert told.is_set()


async def test_a_model_whose_rollout_was_mended_serves_as_it_says(repository: Path) -> None:
    (repository / "double" / "1" / "model.onnx").write_bytes(b"nothing")
    async with leading(repository, on_invalid=OnInvalid.SERVE_OTHERS) as traffic:
        wanted = Rollout(current="2", previous="1")
        rollout.write(repository / "double", wanted, CHANGE)
        await traffic.load("double")
        assert await answer(traffic) == 3.0
        assert traffic.rollouts()["double"] == wanted


async def test_a_model_that_cannot_be_served_is_once_its_rollout_names_another_version(
    repository: Path,
) -> None:
    damage(repository)
    async with leading(repository, on_invalid=OnInvalid.SERVE_OTHERS) as traffic:
        told: list[Rollout] = []

        async def followed(model: str, rollout: Rollout) -> None:
            told.append(rollout)

        traffic.followed = followed
        wanted = Rollout(current="2", previous="1")
        rollout.write(repository / "double", wanted, CHANGE)
        await until(lambda: bool(told))
        assert told == [wanted]
        assert await answer(traffic) == 3.0
        assert traffic.problems() == {}


async def test_a_model_that_cannot_be_served_is_once_a_rollout_is_set(repository: Path) -> None:
    damage(repository)
    async with leading(repository, on_invalid=OnInvalid.SERVE_OTHERS) as traffic:
        with pytest.raises(ModelInvalid):
            await traffic.set_rollout("double", Rollout(current="1"), CHANGE)
        assert "model.onnx" in traffic.problems()["double"]
        await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
        assert await answer(traffic) == 3.0
        assert rollout.read(repository / "double") == Rollout(current="2")


async def test_a_model_stays_unserved_where_its_rollout_cannot_be_written(
    repository: Path,
) -> None:
    rollout.path(repository / "double").unlink()
    rollout.path(repository / "double").mkdir()
    async with leading(repository, on_invalid=OnInvalid.SERVE_OTHERS) as traffic:
        with pytest.raises(ModelInvalid):
            await traffic.set_rollout("double", Rollout(current="2"), CHANGE)
        assert "rollout.json" in traffic.problems()["double"]
        with pytest.raises(ModelUnknown):
            await answer(traffic)
        await until(lambda: not loaded(traffic))


async def test_a_pinned_model_that_was_mended_serves_in_that_version_alone(
    repository: Path,
) -> None:
    good = (repository / "double" / "1" / "model.onnx").read_bytes()
    damage(repository)
    rollout.write(repository / "double", Rollout(current="2"), CHANGE)
    pins = {"double": "1"}
    async with leading(repository, pins=pins, on_invalid=OnInvalid.SERVE_OTHERS) as traffic:
        with pytest.raises(RolloutRefused, match=r"inference\.pins holds version 1"):
            await traffic.load("double", "2")
        assert not loaded(traffic)
        (repository / "double" / "1" / "model.onnx").write_bytes(good)
        assert (await traffic.load("double")).version == "1"
        assert await answer(traffic) == 2.0


def damage(repository: Path) -> None:
    """Let no server open version 1."""
    (repository / "double" / "1" / "model.onnx").write_bytes(b"nothing")


async def test_a_version_in_the_background_takes_no_slot_from_the_others(
    repository: Path,
) -> None:
    draw_spin(repository)
    async with leading(repository) as traffic:
        await traffic.inner.load("spin", "1", background=True)
        endless = asyncio.create_task(
            traffic.inner.infer("spin@1", indices(ENDLESS), deadline=soon())
        )
        await settled()
        assert await answer(traffic) == 2.0
        assert not endless.done()
        endless.cancel()
        await asyncio.wait([endless])


async def test_a_version_in_the_background_does_not_answer_by_the_models_name(
    repository: Path,
) -> None:
    async with leading(repository) as traffic:
        await traffic.inner.load("double", "2", background=True)
        assert traffic.inner.models()["double"].version == "1"
        outputs = await traffic.inner.infer("double", floats(1), deadline=soon())
        assert outputs["y"].tolist() == [[2.0]]
        await traffic.inner.load("double", "2")
        outputs = await traffic.inner.infer("double", floats(1), deadline=soon())
        assert outputs["y"].tolist() == [[3.0]]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads share one niceness")
async def test_the_background_yields_the_processor() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    found: list[int] = []
    scheduler = Scheduler(slots=1, niceness=19)
    scheduler.execute(niceness, found.append)
    await scheduler.close()
    await until(lambda: bool(found))
    assert found == [19]
    assert niceness() < 19
