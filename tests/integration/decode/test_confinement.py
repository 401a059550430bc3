"""What a process that was taken over by a document can reach: nothing of the server's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from absah_sdk import DocumentUnreadable
from absah_server.decode import landlock, seccomp
from absah_server.decode.answers import IsolatedCallFailed

pytestmark = pytest.mark.asyncio(loop_scope="module")
needs_seccomp = pytest.mark.skipif(not seccomp.supported(), reason="no filter for this processor")
needs_landlock = pytest.mark.skipif(landlock.version() < 1, reason="no Landlock in this kernel")


async def refused(sandbox, soon, function, *args) -> bool:
    with pytest.raises(IsolatedCallFailed) as caught:
        await sandbox.isolate(function, args, deadline=soon())
    return caught.value.error == "PermissionError"


async def test_the_servers_environment_is_not_there(sandbox, soon, parsers, monkeypatch):
    monkeypatch.setenv("ABSAH_DATABASE_URL", "postgresql://secret")
    environment = await sandbox.isolate(parsers.environment, (), deadline=soon())
    assert not [name for name in environment if name.startswith(("ABSAH", "PYTHON", "HOME"))]


async def test_only_its_socket_and_its_two_files_are_open(sandbox, soon, parsers):
    files = await sandbox.isolate(parsers.visible_files, (), deadline=soon())
    assert files == [0, 1, 2, 3, 4, 5]


@needs_landlock
async def test_files_outside_the_libraries_cannot_be_read(sandbox, soon, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    assert await refused(sandbox, soon, os.open, str(secret), os.O_RDONLY)
    assert await refused(sandbox, soon, os.open, "/etc/passwd", os.O_RDONLY)
    assert await refused(sandbox, soon, os.open, f"/proc/{os.getpid()}/environ", os.O_RDONLY)
    assert await refused(sandbox, soon, os.listdir, "/proc")


@needs_landlock
async def test_no_file_can_be_made_or_removed(sandbox, soon, tmp_path):
    kept = tmp_path / "kept"
    kept.touch()
    made = tmp_path / "made"
    assert await refused(sandbox, soon, os.open, str(made), os.O_WRONLY | os.O_CREAT)
    assert await refused(sandbox, soon, os.unlink, str(kept))
    assert await refused(sandbox, soon, os.mkdir, str(Path(__file__).with_name("made")))
    assert kept.exists()


@needs_seccomp
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
async def test_no_socket_can_be_opened(sandbox, soon, family):
    assert await refused(sandbox, soon, socket.socket, family)


@needs_seccomp
async def test_no_program_and_no_process_can_be_started(sandbox, soon):
    assert await refused(sandbox, soon, os.execv, "/bin/true", ["true"])
    assert await refused(sandbox, soon, os.fork)
    assert await refused(sandbox, soon, subprocess.check_output, ["/bin/true"])


@needs_seccomp
async def test_no_other_process_can_be_signalled(sandbox, soon):
    assert await refused(sandbox, soon, os.kill, os.getpid(), 0)
    assert await refused(sandbox, soon, os.kill, -1, signal.SIGCONT)


@needs_seccomp
async def test_no_memory_can_be_had_that_no_limit_counts(sandbox, soon):
    assert await refused(sandbox, soon, os.memfd_create, "hoard")


@needs_seccomp
async def test_threads_still_start(sandbox, soon, parsers):
    assert await sandbox.isolate(parsers.in_thread, (21,), deadline=soon()) == 42


async def test_a_worker_has_no_powers_and_goes_first_when_memory_runs_out(sandbox, soon, parsers):
    running = asyncio.create_task(sandbox.isolate(parsers.sleep, (1,), deadline=soon()))
    await asyncio.sleep(0.3)
    (worker, *_) = busy_workers()
    lines = (Path("/proc") / str(worker) / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert (Path("/proc") / str(worker) / "oom_score_adj").read_text().strip() == "1000"
    await running


def busy_workers() -> list[int]:
    """List the processes that die with a zygote of this process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            )
    return [
        pid
        for pid, parent in parents.items()
        if parents.get(parent) == os.getpid() and not is_server(parent)
    ]


def is_server(pid: int) -> bool:
    """Whether a process is a whole server that other tests started, whose child is a zygote."""
    return b"absah_ops" in (Path("/proc") / str(pid) / "cmdline").read_bytes()


@pytest.mark.parametrize(
    "message",
    [
        b"nonsense",
        b"[]",
        b"[" * 50_000,
        b"{}",
        b'{"offset": 0, "length": 5}',
        b'{"offset": -1, "length": 1}',
        b'{"offset": 0, "length": 1e300}',
        b'{"offset": 0, "length": 99999999999}',
        b'{"failed": 1, "at": null}',
        b"\x80\x05cos\nsystem\n",
    ],
)
async def test_an_answer_that_no_honest_worker_gives_is_refused(sandbox, soon, parsers, message):
    with pytest.raises(DocumentUnreadable, match="made to do harm"):
        await sandbox.isolate(parsers.answer, (message,), deadline=soon())


async def test_a_reason_is_shown_without_control_characters(sandbox, soon, parsers):
    message = b'{"unreadable": "\\u001b[2Jsent again\\n"}'
    with pytest.raises(DocumentUnreadable) as caught:
        await sandbox.isolate(parsers.answer, (message,), deadline=soon())
    assert str(caught.value) == " [2Jsent again "


async def test_ctypes_cannot_attach_to_the_server(sandbox, soon, parsers):
    ptrace_attach = 16
    outcome = await sandbox.isolate(
        parsers.native, ("ptrace", ptrace_attach, os.getpid(), 0, 0), deadline=soon()
    )
    assert outcome == -1
