"""Messages are answered once in effect, or parked with their reason; nothing is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridging import (
    LONG,
    SHORT,
    answers_of,
    eventually,
    make_config,
    message,
    played,
    queue_of,
    running_bridge,
)
from legacy import LegacyProgram

import absah
from absah_bridge.delivery import topology

Answer = tuple[Any, bytes]


async def test_a_message_is_answered_in_the_legacy_words(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> list[Any]:
        program.declare(answers_of(queue))
        answers = []
        for text in (LONG, SHORT):
            program.send(queue, message(7, text))
            answers.append(json.loads(program.receive(answers_of(queue))[1]))
        return answers

    async with running_bridge(tmp_path, config):
        answers = await played(broker, legacy)
    assert answers == [{"nomor": 7, "status": "00"}, {"nomor": 7, "status": "20"}]


async def test_a_bad_message_is_parked_with_its_cause_and_the_next_goes_on(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> tuple[Mapping[str, Any], Any]:
        program.declare(answers_of(queue))
        program.send(queue, b'{"nomor": 1}')
        program.send(queue, message(2))
        answer = json.loads(program.receive(answers_of(queue))[1])
        return program.headers_of_parked(queue), answer

    async with running_bridge(tmp_path, config):
        headers, answer = await played(broker, legacy)
    assert answer["nomor"] == 2
    assert headers["x-absah-cause"] == "MISSING_FIELD"
    assert headers["x-absah-field"] == "isi"
    with absah.AdminClient(core) as admin:
        (group,) = await asyncio.to_thread(admin.dead_letter_groups)
    assert (group.system, group.cause, group.field) == ("simpeg", "MISSING_FIELD", "isi")


async def test_a_message_that_comes_twice_gets_the_same_answer(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> list[Answer]:
        program.declare(answers_of(queue))
        for _ in range(2):
            program.send(queue, message(1), message_id="M-1")
        return [program.receive(answers_of(queue)) for _ in range(2)]

    async with running_bridge(tmp_path, config):
        (first, told), (second, again) = await played(broker, legacy)
    assert told == again
    assert first.message_id == second.message_id
    assert first.correlation_id == "M-1"


async def test_an_id_that_is_used_for_another_message_is_parked(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> tuple[Answer, Mapping[str, Any]]:
        program.declare(answers_of(queue))
        program.send(queue, message(1), message_id="M-1")
        answer = program.receive(answers_of(queue))
        program.send(queue, message(1, SHORT), message_id="M-1")
        return answer, program.headers_of_parked(queue)

    async with running_bridge(tmp_path, config):
        (_, told), headers = await played(broker, legacy)
    assert json.loads(told)["status"] == "00"
    assert headers["x-absah-cause"] == "REQUEST_REFUSED"
    assert "REQUEST_ID_REUSED" in headers["x-absah-problem"]


async def test_an_answer_goes_where_the_message_asks_for_it(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> tuple[Answer, Answer]:
        program.declare(f"{queue}-lain")
        program.send(queue, message(1), reply_to=f"{queue}-lain", correlation_id="K-1")
        return program.receive(f"{queue}-lain"), program.call(queue, message(2))

    async with running_bridge(tmp_path, config) as status:
        (elsewhere, one), (direct, two) = await played(broker, legacy)
        await eventually(lambda: not status.consumers["simpeg"].under_way)
        assert await played(broker, lambda program: program.count(f"{queue}.parked")) == 0
    assert elsewhere.correlation_id == "K-1"
    assert direct.correlation_id == "tanya"
    assert [json.loads(each)["nomor"] for each in (one, two)] == [1, 2]


async def test_a_message_whose_answer_no_queue_takes_is_parked(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def legacy(program: LegacyProgram) -> list[Mapping[str, Any]]:
        program.send(queue, message(1))
        program.send(queue, message(2), reply_to="tidak-ada")
        return [program.headers_of_parked(queue) for _ in range(2)]

    async with running_bridge(tmp_path, config):
        parked = await played(broker, legacy)
    assert [headers["x-absah-cause"] for headers in parked] == ["NOT_ROUTED"] * 2
    problems = " ".join(headers["x-absah-problem"] for headers in parked)
    assert answers_of(queue) in problems
    assert "tidak-ada" in problems


async def test_an_exchange_that_is_not_there_harms_no_other_message(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)
    answer = config["systems"]["simpeg"]["answer"]
    answer["to"] = {"exchange": f"{queue}-tidak-ada", "routing_key": "x"}

    def legacy(program: LegacyProgram) -> tuple[set[int], list[Mapping[str, Any]]]:
        program.declare(answers_of(queue))
        for number in range(20):
            # Every other one has an answer's address of its own; the rest closes the channel.
            to = {"reply_to": answers_of(queue)} if number % 2 else {}
            program.send(queue, message(number), **to)
        answered: set[int] = set()
        while len(answered) < 10:
            # One that was unconfirmed when the channel was closed comes twice.
            answered.add(json.loads(program.receive(answers_of(queue))[1])["nomor"])
        return answered, [program.headers_of_parked(queue) for _ in range(10)]

    async with running_bridge(tmp_path, config):
        answered, parked = await played(broker, legacy)
    assert answered == set(range(1, 20, 2))
    assert {headers["x-absah-cause"] for headers in parked} == {"NOT_ROUTED"}


async def test_messages_of_one_key_are_answered_in_their_order(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker, consume={"ordered_by": "nama"})
    queue = queue_of(config)
    # The later ones are read and validated sooner.
    texts = [LONG * (400 - 16 * number) for number in range(20)]

    def legacy(program: LegacyProgram) -> list[tuple[str, int]]:
        program.declare(answers_of(queue))
        for number, text in enumerate(texts):
            body = {"nomor": number, "nama": f"kunci-{number % 2}", "isi": text}
            program.send(queue, json.dumps(body).encode())
        answers = [json.loads(program.receive(answers_of(queue))[1]) for _ in texts]
        return [(f"kunci-{answer['nomor'] % 2}", answer["nomor"]) for answer in answers]

    async with running_bridge(tmp_path, config):
        answers = await played(broker, legacy)
    for key in ("kunci-0", "kunci-1"):
        numbers = [number for each, number in answers if each == key]
        assert numbers == sorted(numbers)
    assert len(answers) == len(texts)


async def test_a_message_that_is_delivered_again_and_again_is_parked(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def break_down(program: LegacyProgram) -> None:
        """As a bridge would that the message takes down with it."""
        program.declare(answers_of(queue))
        program.send(queue, message(1))
        for _ in range(topology.DELIVERY_LIMIT):
            while True:
                method, _, _ = program.channel.basic_get(queue)
                if method is not None:
                    break
            program.channel.basic_nack(method.delivery_tag)

    async with running_bridge(tmp_path, config):
        pass  # declares the queues
    await played(broker, break_down)
    async with running_bridge(tmp_path, config):
        headers = await played(broker, lambda program: program.headers_of_parked(queue))
    assert headers["x-absah-cause"] == "DELIVERY_LIMIT"
    with absah.AdminClient(core) as admin:
        (group,) = await asyncio.to_thread(admin.dead_letter_groups)
    assert group.cause == "DELIVERY_LIMIT"


async def test_what_is_under_way_is_answered_before_the_bridge_stops(
    tmp_path: Path, core: str, broker: str
) -> None:
    config = make_config(core, broker)
    queue = queue_of(config)

    def send(program: LegacyProgram) -> None:
        program.declare(answers_of(queue))
        for number in range(50):
            program.send(queue, message(number))

    async with running_bridge(tmp_path, config):
        await played(broker, send)
    # Stopped in the middle of it: each is either answered, once, or waits for the next bridge.
    counts = await played(
        broker, lambda program: (program.count(queue), program.count(answers_of(queue)))
    )
    assert sum(counts) == 50
