"""The embedded PostgreSQL comes back however it ended, whatever it left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from outages import KillablePostgres, killable_postgres

from absah_server.store.embedded import PID_NAME, EmbeddedPostgres, running_url

END_SECONDS = 60
KILLS = 6


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not below pytest's folder, which every run of pytest closes anew to PostgreSQL's own user.
    with TemporaryDirectory(prefix="absah-embedded-") as made:
        yield Path(made) / "postgres"


@pytest.fixture
def killable(folder: Path) -> Iterator[KillablePostgres]:
    with killable_postgres(folder) as made:
        yield made


def kill_once_ready(folder: Path, ended: threading.Event) -> None:
    """SIGKILL the server in a folder as soon as its own word says that it is ready."""
    while not ended.is_set():
        try:
            word = (folder / PID_NAME).read_text().splitlines()
        except FileNotFoundError:
            continue
        if len(word) == 8 and word[7].strip() == "ready" and running_url(folder):
            os.kill(int(word[0]), 9)
            return


def test_a_server_that_dies_again_as_soon_as_it_is_revived_is_not_waited_for(
    folder: Path, killable: KillablePostgres
) -> None:
    for _ in range(KILLS):
        killable.kill()
        ended = threading.Event()
        killing = threading.Thread(target=kill_once_ready, args=(folder, ended))
        killing.start()
        reviving = threading.Thread(target=killable.revive, daemon=True)
        reviving.start()
        reviving.join(END_SECONDS)
        ended.set()
        killing.join()
        assert not reviving.is_alive()
    with psycopg.connect(killable.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_number_that_is_another_process_by_now_is_not_taken_for_the_server(
    folder: Path, killable: KillablePostgres
) -> None:
    word = (folder / PID_NAME).read_text().splitlines()
    killable.kill()
    (folder / PID_NAME).write_text("\n".join([str(os.getpid()), *word[1:]]) + "\n")
    assert running_url(folder) is None
    killable.revive()
    with psycopg.connect(killable.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_starts_over_what_another_machine_start_left(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    first.start()
    word = (folder / PID_NAME).read_text().splitlines()
    first.close()
    assert running_url(folder) is None
    (folder / PID_NAME).write_text("\n".join([str(os.getpid()), *word[1:]]) + "\n")
    again = EmbeddedPostgres(folder)
    try:
        with psycopg.connect(again.start()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        again.close()
    assert running_url(folder) is None
