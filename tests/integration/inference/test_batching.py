"""Requests are joined into batches, in order, within bounds, and each gets its own answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from integration.inference.drawing import (
    ENDLESS,
    draw_double,
    draw_lookup,
    draw_spin,
    floats,
    indices,
    occupied,
    serving,
    settled,
    soon,
)

from absah_sdk import DeadlinePassed, InferenceFailed
from absah_server.core.errors import Overloaded
from absah_server.inference.engines import EngineName
from absah_server.inference.local import LocalInference
from absah_server.inference.statistics import ModelStatistics
from absah_server.inference.tuning import Plan


def statistics(inference: LocalInference, model: str) -> ModelStatistics:
    return next(s for s in inference.statistics() if s.model == model)


def ask(inference: LocalInference, *rows: float, size: int = 1) -> asyncio.Task[list[float]]:
    async def answer() -> list[float]:
        outputs = await inference.infer("double", floats(*rows, size=size), deadline=soon())
        assert outputs["y"].shape == (len(rows), size)
        return [float(row[0]) for row in outputs["y"]]

    return asyncio.create_task(answer())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    draw_spin(tmp_path, max_batch_size=2)
    return tmp_path


async def test_requests_that_wait_together_share_a_batch(repository: Path) -> None:
    draw_double(repository)
    async with serving(repository) as inference:
        async with occupied(inference):
            tasks = [ask(inference, 1), ask(inference, 2, 3), ask(inference, 4)]
            await settled()
        assert await asyncio.gather(*tasks) == [[2], [4, 6], [8]]
        assert statistics(inference, "double").batch_sizes == {4: 1}


async def test_without_dynamic_batching_each_request_runs_alone(repository: Path) -> None:
    draw_double(repository, more="")
    async with serving(repository) as inference:
        async with occupied(inference):
            tasks = [ask(inference, 1), ask(inference, 2, 3)]
            await settled()
        assert await asyncio.gather(*tasks) == [[2], [4, 6]]
        assert statistics(inference, "double").batch_sizes == {1: 1, 2: 1}


async def test_each_request_runs_alone_where_that_was_measured_to_be_better(
    repository: Path,
) -> None:
    draw_double(repository)
    alone = Plan(engine=EngineName.ONNXRUNTIME, runs=1, threads=1, joins=False)
    async with serving(repository, plans={"double": alone}) as inference:
        async with occupied(inference):
            tasks = [ask(inference, 1), ask(inference, 2, 3)]
            await settled()
        assert await asyncio.gather(*tasks) == [[2], [4, 6]]
        assert statistics(inference, "double").batch_sizes == {1: 1, 2: 1}


async def test_items_of_different_shapes_are_not_joined(repository: Path) -> None:
    draw_double(repository)
    async with serving(repository) as inference:
        async with occupied(inference):
            tasks = [
                ask(inference, 1, size=3),
                ask(inference, 2, size=5),
                ask(inference, 3, size=3),
            ]
            await settled()
        assert await asyncio.gather(*tasks) == [[2], [4], [6]]
        assert statistics(inference, "double").batch_sizes == {1: 1, 2: 1}


async def test_a_batch_takes_the_largest_preferred_size_that_waits(repository: Path) -> None:
    draw_double(repository, more="dynamic_batching { preferred_batch_size: [ 2, 4 ] }")
    async with serving(repository) as inference:
        async with occupied(inference):
            tasks = [ask(inference, n) for n in range(7)]
            await settled()
        await asyncio.gather(*tasks)
        assert statistics(inference, "double").batch_sizes == {1: 1, 2: 1, 4: 1}


async def test_a_lone_request_waits_for_company_up_to_the_queue_delay(repository: Path) -> None:
    an_hour = "dynamic_batching { preferred_batch_size: [ 2 ] max_queue_delay_microseconds: %d }"
    draw_double(repository, more=an_hour % 3_600_000_000)
    async with serving(repository) as inference:
        first = ask(inference, 1)
        await settled()
        assert statistics(inference, "double").queued == 1
        second = ask(inference, 2)
        assert [await first, await second] == [[2], [4]]
        assert statistics(inference, "double").batch_sizes == {2: 1}


async def test_a_lone_request_runs_once_the_queue_delay_has_passed(repository: Path) -> None:
    more = "dynamic_batching { max_queue_delay_microseconds: 1000 }"
    draw_double(repository, more=more)
    async with serving(repository) as inference:
        assert await ask(inference, 1) == [2]


async def test_a_request_larger_than_a_batch_is_cut_and_joined_again(repository: Path) -> None:
    draw_double(repository, max_batch_size=4)
    async with serving(repository, concurrent_runs=2) as inference:
        assert await ask(inference, *range(11)) == [2.0 * n for n in range(11)]
        assert statistics(inference, "double").batch_sizes == {3: 1, 4: 2}


async def test_every_request_gets_its_own_answer_whatever_comes_together(repository: Path) -> None:
    draw_double(repository, max_batch_size=5, more="dynamic_batching { }")
    random = np.random.default_rng(7)
    async with serving(repository, concurrent_runs=3) as inference:
        requests = [random.random(random.integers(1, 12)).round(3) for _ in range(200)]
        tasks = [ask(inference, *rows, size=int(random.integers(1, 4))) for rows in requests]
        for rows, answer in zip(requests, await asyncio.gather(*tasks), strict=True):
            assert answer == pytest.approx(2 * rows)


async def test_a_poisoned_request_fails_alone(repository: Path) -> None:
    draw_lookup(repository)
    async with serving(repository) as inference:
        async with occupied(inference):
            tasks = [
                asyncio.create_task(inference.infer("lookup", indices(n), deadline=soon()))
                for n in (0, 1, 99, 2, 0)
            ]
            await settled()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers.pop(2), InferenceFailed)
        assert [float(a["y"][0, 0]) for a in answers] == [10, 11, 12, 10]  # type: ignore[index]
        counted = statistics(inference, "lookup")
        assert (counted.succeeded, counted.failed, counted.batch_sizes) == (4, 1, {5: 1})


async def test_a_failure_does_not_repeat_what_was_sent(repository: Path) -> None:
    draw_lookup(repository)
    async with serving(repository) as inference:
        with pytest.raises(InferenceFailed) as caught:
            await inference.infer("lookup", indices(987654), deadline=soon())
        assert "987654" not in str(caught.value)


async def test_a_request_whose_deadline_passes_in_the_queue_is_not_run(repository: Path) -> None:
    draw_double(repository)
    async with serving(repository) as inference:
        async with occupied(inference):
            with pytest.raises(DeadlinePassed):
                await inference.infer("double", floats(1), deadline=soon(0.01))
            assert statistics(inference, "double").queued == 0
        assert await ask(inference, 2) == [4]
        counted = statistics(inference, "double")
        assert (counted.dropped, counted.items) == (1, 1)


async def test_a_request_that_comes_after_its_deadline_is_not_queued(repository: Path) -> None:
    draw_double(repository)
    async with serving(repository) as inference:
        with pytest.raises(DeadlinePassed):
            await inference.infer("double", floats(1), deadline=soon(-1))
        assert statistics(inference, "double").batches == 0


async def test_a_cancelled_caller_leaves_the_queue(repository: Path) -> None:
    draw_double(repository, max_batch_size=2)
    async with serving(repository) as inference:
        async with occupied(inference):
            task = ask(inference, 1, 2, 3)
            await settled()
            assert statistics(inference, "double").queued == 2
            task.cancel()
            await asyncio.wait([task])
            assert statistics(inference, "double").queued == 0
        assert statistics(inference, "double").batches == 0
        assert statistics(inference, "double").dropped == 1


async def test_a_run_is_stopped_when_its_last_caller_leaves(repository: Path) -> None:
    async with serving(repository) as inference:
        task = asyncio.create_task(inference.infer("spin", indices(ENDLESS), deadline=soon()))
        await settled()
        assert statistics(inference, "spin").running == 1
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(20):
            while statistics(inference, "spin").running:
                await asyncio.sleep(0.001)
        assert (statistics(inference, "spin").failed, statistics(inference, "spin").dropped) == (
            0,
            1,
        )


async def test_a_run_goes_on_while_one_of_its_callers_stays(repository: Path) -> None:
    async with serving(repository) as inference:
        async with occupied(inference):
            leaves, stays = (
                asyncio.create_task(inference.infer("spin", indices(200_000), deadline=soon()))
                for _ in range(2)
            )
            await settled()
        while statistics(inference, "spin").queued:
            await asyncio.sleep(0.001)
        leaves.cancel()
        assert (await stays)["y"].tolist() == [[200_000]]
        assert statistics(inference, "spin").batch_sizes == {1: 1, 2: 1}


async def test_a_running_request_ends_at_its_deadline(repository: Path) -> None:
    async with serving(repository) as inference:
        with pytest.raises(DeadlinePassed):
            await inference.infer("spin", indices(ENDLESS), deadline=soon(0.01))
        answer = await inference.infer("spin", indices(3), deadline=soon())
        assert answer["y"].tolist() == [[3]]


async def test_a_full_queue_refuses_and_says_when_to_come_back(repository: Path) -> None:
    draw_double(repository, more="dynamic_batching { default_queue_policy { max_queue_size: 2 } }")
    async with serving(repository) as inference:
        async with occupied(inference):
            waiting = [ask(inference, 1), ask(inference, 2)]
            await settled()
            with pytest.raises(Overloaded) as caught:
                await inference.infer("double", floats(3), deadline=soon())
            assert caught.value.retry_after_seconds > 0
        assert await asyncio.gather(*waiting) == [[2], [4]]
        assert statistics(inference, "double").refused == 1


async def test_a_config_without_a_bound_has_the_default_bound(repository: Path) -> None:
    draw_double(repository)
    async with serving(repository, max_queue_size=1) as inference, occupied(inference):
        waiting = ask(inference, 1)
        await settled()
        with pytest.raises(Overloaded):
            await inference.infer("double", floats(3), deadline=soon())
        waiting.cancel()


async def test_the_longer_the_queue_the_later_a_refused_caller_comes_back(
    repository: Path,
) -> None:
    hints = []
    for bound in (4, 64):
        draw_spin(
            repository,
            max_batch_size=1,
            more=f"dynamic_batching {{ default_queue_policy {{ max_queue_size: {bound} }} }}",
        )
        async with serving(repository) as inference:
            # A run of known length, from which the queue's length in time follows.
            await inference.infer("spin", indices(300_000), deadline=soon())
            async with occupied(inference):
                waiting = [
                    asyncio.create_task(inference.infer("spin", indices(0), deadline=soon()))
                    for _ in range(bound)
                ]
                await settled()
                with pytest.raises(Overloaded) as caught:
                    await inference.infer("spin", indices(0), deadline=soon())
                hints.append(caught.value.retry_after_seconds)
            await asyncio.gather(*waiting)
    assert hints[1] > hints[0]


async def test_a_request_larger_than_the_whole_queue_is_let_in_when_nothing_waits(
    repository: Path,
) -> None:
    draw_double(
        repository,
        max_batch_size=1,
        more="dynamic_batching { default_queue_policy { max_queue_size: 2 } }",
    )
    async with serving(repository) as inference:
        assert await ask(inference, 1, 2, 3, 4) == [2, 4, 6, 8]


async def test_the_oldest_work_runs_first_across_shapes_and_models(repository: Path) -> None:
    draw_double(repository)
    draw_double(repository, "other")
    ended: list[str] = []

    async def note(name: str, model: str, size: int) -> None:
        await inference.infer(model, floats(1, size=size), deadline=soon())
        ended.append(name)

    async with serving(repository) as inference:
        async with occupied(inference):
            tasks = [
                asyncio.create_task(note(*work))
                for work in (
                    ("rare shape", "double", 7),
                    ("other model", "other", 1),
                    ("common shape", "double", 1),
                    ("joins the rare shape", "double", 7),
                )
            ]
            await settled()
        await asyncio.gather(*tasks)
    assert ended == ["rare shape", "joins the rare shape", "other model", "common shape"]


async def test_a_busy_model_leaves_the_other_slots_to_others(repository: Path) -> None:
    draw_double(repository)
    draw_spin(repository, max_batch_size=1, more="instance_group [ { count: 1 kind: KIND_CPU } ]")
    async with serving(repository, concurrent_runs=2) as inference, occupied(inference):
        second = asyncio.create_task(inference.infer("spin", indices(ENDLESS), deadline=soon()))
        await settled()
        assert statistics(inference, "spin").queued == 1
        assert await ask(inference, 1) == [2]
        second.cancel()


async def test_closing_finishes_what_runs_and_fails_what_waits(repository: Path) -> None:
    async with serving(repository) as inference:
        running = asyncio.create_task(inference.infer("spin", indices(200_000), deadline=soon()))
        await settled()
        waiting = asyncio.create_task(inference.infer("spin", indices(1), deadline=soon()))
        await settled()
    assert (await running)["y"].tolist() == [[200_000]]
    with pytest.raises(InferenceFailed):
        await waiting
