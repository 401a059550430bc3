"""The bridge against others that consume a queue and answer with confirms, on one broker.

Queues are quorum queues, messages have 1 KB and are durable, both sides confirm. Each side finds
its messages waiting, and is timed from a tenth of the answers to the last, so that starting up does
not count.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import yaml
from measuring import HERE, Figure, alternate, line_of, process
from ocr import pss_bytes

sys.path.insert(0, str(HERE.parent))
from rabbitmq import RabbitMq

MESSAGES = 2000
MEMORY_MESSAGES = 100_000
PREFETCH = 64
POLL_SECONDS = 0.02
LONGEST_SECONDS = 300.0
BODY = json.dumps({"nomor": 7, "nama": "Siti", "isi": "x" * 940}).encode()
VENV = HERE.parents[1] / ".venv-queues"
OTHERS = ("celery==5.7.0", "faststream[rabbit]==0.7.8")


def bridge_vs_pika() -> Figure:
    return _compared(
        "bridge_vs_pika",
        lambda broker: _rate(broker, lambda queue: _script("pika_consumer.py", broker, queue)),
        at_least=0.8,
        note="pika.BlockingConnection, one thread, each confirm waited for",
    )


def bridge_vs_faststream() -> Figure:
    return _compared(
        "bridge_vs_faststream",
        lambda broker: _rate(
            broker,
            lambda queue: _script("faststream_consumer.py", broker, queue, python=_others()),
        ),
        at_least=1.0,
        note=f"{OTHERS[1]} on aio-pika with confirms, {PREFETCH} at once",
    )


def bridge_vs_celery() -> Figure:
    return _compared(
        "bridge_vs_celery",
        _celery_rate,
        at_least=1.0,
        note=f"{OTHERS[0]}, two processes, late acknowledgement, confirms",
    )


def bridge_memory_growth() -> Figure:
    """What the bridge takes after many messages, and after a tenth of them."""
    node = _node()
    queue = _declared(node)
    with _bridge(node, queue) as started:
        _fill(node, queue, MEMORY_MESSAGES // 10)
        _until(node, f"{queue}-jawaban", MEMORY_MESSAGES // 10)
        before = pss_bytes(started.pid)
        for _ in range(9):
            _fill(node, queue, MEMORY_MESSAGES // 10)
            _until(node, queue, 0)
        _until(node, f"{queue}-jawaban", MEMORY_MESSAGES)
        after = pss_bytes(started.pid)
    return Figure(
        name="bridge_memory_growth",
        ours=after / 2**20,
        theirs=before / 2**20,
        unit="MiB",
        at_most=1.1,
        note=f"PSS of the bridge after {MEMORY_MESSAGES:,} messages, over that after a tenth",
    )


def _compared(
    name: str, theirs: Callable[[RabbitMq], float], *, at_least: float, note: str
) -> Figure:
    node = _node()
    rates = alternate(lambda: _rate(node, lambda queue: _bridge(node, queue)), lambda: theirs(node))
    return Figure(
        name=name,
        ours=rates[0],
        theirs=rates[1],
        unit="messages/s",
        at_least=at_least,
        note=f"{MESSAGES} of 1 KB on a quorum queue, a core that does nothing; {note}",
    )


@functools.cache
def _node() -> RabbitMq:
    """One broker for all of the run."""
    stack = contextlib.ExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="absah-bench-"))
    node = RabbitMq(Path(folder))
    node.start()
    stack.callback(node.stop)
    atexit.register(stack.close)
    return node


def _others() -> str:
    """The Python of an environment that has what the bridge is compared with."""
    python = VENV / "bin" / "python"
    if not (VENV / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *OTHERS], check=True)
        (VENV / ".ready").touch()
    return str(python)


def _rate(
    node: RabbitMq, consumer: Callable[[str], contextlib.AbstractContextManager[object]]
) -> float:
    """Messages a second that a consumer answers."""
    queue = _declared(node)
    _fill(node, queue, MESSAGES)
    with consumer(queue):
        return _timed(node, queue)


def _celery_rate(node: RabbitMq) -> float:
    queue = _declared(node)
    arguments = (node.url, queue, str(PREFETCH), str(MESSAGES))
    with process(str(HERE / "celery_consumer.py"), *arguments, python=_others()) as started:
        line_of(started)
        assert started.stdin
        started.stdin.write("\n")
        started.stdin.flush()
        return _timed(node, queue)


def _timed(node: RabbitMq, queue: str) -> float:
    answers = f"{queue}-jawaban"
    first, began = _until(node, answers, MESSAGES // 10)
    last, ended = _until(node, answers, MESSAGES)
    return (last - first) / (ended - began)


def _script(
    name: str, node: RabbitMq, queue: str, *, python: str = sys.executable
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    return process(str(HERE / name), node.url, queue, str(PREFETCH), python=python)


@contextmanager
def _bridge(node: RabbitMq, queue: str) -> Iterator[subprocess.Popen[str]]:
    """`absah bridge run` for one system, with a core that does nothing."""
    with tempfile.TemporaryDirectory() as folder, process(str(HERE / "noop_core.py")) as core:
        file = Path(folder) / "bridge.yaml"
        file.write_text(yaml.safe_dump(_config(node, queue, port=int(line_of(core)))))
        arguments = ("-m", "absah_ops", "bridge", "run", "--config", str(file))
        with process(*arguments) as started:
            yield started


def _config(node: RabbitMq, queue: str, *, port: int) -> dict[str, object]:
    system = {
        "consume": {"queue": queue, "declare": False, "prefetch": PREFETCH},
        "codec": {"kind": "json"},
        "request": {
            "policy": "report",
            "claims": {"name": "nama"},
            "documents": [{"role": "report", "text": "isi"}],
        },
        "answer": {
            "to": {"routing_key": f"{queue}-jawaban"},
            "fields": {
                "nomor": "message.nomor",
                "status": {"from": "verdict.decision", "table": {"ACCEPT": "00"}},
            },
        },
    }
    return {
        "core": {"address": f"127.0.0.1:{port}"},
        "brokers": [{"url": node.url}],
        "systems": {"simpeg": system},
    }


@contextmanager
def _channel(node: RabbitMq) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    connection = pika.BlockingConnection(pika.URLParameters(node.url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def _declared(node: RabbitMq) -> str:
    queue = f"bench-{uuid.uuid4().hex}"
    with _channel(node) as channel:
        for name in (queue, f"{queue}-jawaban"):
            channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    return queue


def _fill(node: RabbitMq, queue: str, count: int) -> None:
    with _channel(node) as channel:
        channel.confirm_delivery()
        for _ in range(count):
            properties = pika.BasicProperties(
                delivery_mode=2, message_id=uuid.uuid4().hex, content_type="application/json"
            )
            channel.basic_publish("", queue, BODY, properties)


def _until(node: RabbitMq, queue: str, count: int) -> tuple[int, float]:
    """Wait until a queue holds as many messages (none, if `count` is 0); how many, and when."""
    end = time.monotonic() + LONGEST_SECONDS
    with _channel(node) as channel:
        while time.monotonic() < end:
            found = channel.queue_declare(queue, passive=True).method.message_count
            if found >= count if count else not found:
                return found, time.perf_counter()
            time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{queue} has {found} messages, not {count}, after {LONGEST_SECONDS} s")
