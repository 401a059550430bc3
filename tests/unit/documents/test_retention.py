"""How long contents are kept is the policy's word, or else the server's."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from absah_server.core.errors import PolicyInvalid
from absah_server.core.policy import Policy
from absah_server.core.policy_file import Reader
from absah_server.core.purging import Retention
from absah_server.settings import BlobSettings

POLICY = """\
policy: short
version: 1
title: {id: Pendek, en: Short}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 1], media_types: [text/plain]}
claims: {}
checks: {}
rules: []
accepted: {id: Baik, en: Fine}
"""
NOW = datetime.datetime(2026, 8, 17, tzinfo=datetime.UTC)


def read(folder: Path, retention: str) -> Policy:
    file = folder / "short.yaml"
    file.write_text(f"{POLICY}{retention}\n")
    return Reader(checkers=(), functions={}).read(file)


def test_a_policy_says_how_many_days_contents_are_kept(tmp_path: Path) -> None:
    assert read(tmp_path, "retention: {documents_days: 30}").documents_days == 30


def test_a_policy_need_not_say_it(tmp_path: Path) -> None:
    assert read(tmp_path, "").documents_days is None


@pytest.mark.parametrize(
    ("retention", "problem"),
    [
        ("retention: {documents_days: 0}", "a day at least"),
        ("retention: {documents_days: -1}", "whole number"),
        ("retention: {documents_days: soon}", "whole number"),
        ("retention: {}", "documents_days is missing"),
        ("retention: {days: 3}", "'days' is not known here"),
        ("retention: 30", "mapping is expected"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_line(
    tmp_path: Path, retention: str, problem: str
) -> None:
    with pytest.raises(PolicyInvalid, match=problem) as raised:
        read(tmp_path, retention)
    assert raised.value.line == 10


def test_the_days_count_back_from_now() -> None:
    retention = Retention(default_days=365, by_policy={"short@1": 30, "kept@1": None})
    cutoffs = retention.cutoffs(NOW)
    assert cutoffs.default == NOW - datetime.timedelta(days=365)
    assert cutoffs.by_policy == {"short@1": NOW - datetime.timedelta(days=30), "kept@1": None}


def test_nothing_is_due_where_nothing_is_said() -> None:
    assert Retention().cutoffs(NOW).default is None


def test_a_bucket_must_be_named() -> None:
    with pytest.raises(ValueError, match=r"blobs\.bucket"):
        BlobSettings(kind="s3")
