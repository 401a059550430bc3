"""A policy's mistakes are told with their line before it decides anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from absah_server.core.errors import PolicyFolderMissing, PolicyInvalid, PolicyNotFound
from absah_server.core.policy_file import Policies, Reader, read_folder

GOOD = """\
policy: length-check
version: 2
title: {id: Panjang, en: Length}
documents:
  report:
    title: {id: Laporan, en: Report}
    count: [1, 2]
    media_types: [text/plain]
claims:
  name:
    title: {id: Nama, en: Name}
    type: string
    compare: match(claims.name, documents)
checks:
  length: {documents: [report], when: "document.text != 'skip'"}
rules:
  - rule: too-short
    each: result
    when: result.facts.length < 3
    decision: REVIEW
    message: {id: "{result.document} terlalu pendek", en: "{result.document} is too short"}
accepted: {id: Cukup panjang, en: Long enough}
"""


@pytest.fixture
def reader() -> Reader:
    return Reader(checkers={"length"}, functions={"match": lambda claim, evidence: {}})


def refused(reader: Reader, folder: Path, source: str) -> PolicyInvalid:
    file = folder / "length-check.yaml"
    file.write_text(source)
    with pytest.raises(PolicyInvalid) as error:
        reader.read(file)
    return error.value


def test_a_good_policy_is_read_whole(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "length-check.yaml"
    file.write_text(GOOD)
    policy = reader.read(file)
    assert policy.reference == "length-check@2"
    assert policy.documents["report"].max_count == 2
    assert policy.checks[0].when is not None
    assert policy.rules[0].decision == "REVIEW"


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("version: 2", "version: two", 2, "whole number"),
        ("count: [1, 2]", "count: [3, 2]", 7, "at least must not be above at most"),
        ("type: string", "type: text", 12, "'text' is none of string, integer, date"),
        ("match(claims.name, documents)", "match(claims.name, papers)", 13, "papers is not known"),
        ("match(claims.name, documents)", "mtach(claims.name, documents)", 13, "no function mtach"),
        ("match(claims.name, documents)", "match(claims.name,", 13, "Syntax error"),
        ("length: {documents", "lenght: {documents", 15, "no checker 'lenght'"),
        ("documents: [report], when", "documents: [photo], when", 15, "none of this policy's"),
        ("result.facts.length < 3", "finding.code == 'x'", 19, "finding is not known"),
        ("decision: REVIEW", "decision: MAYBE", 20, "none of ACCEPT, REVIEW, REJECT"),
        ("{result.document} terlalu", "{reslut.document} terlalu", 21, "reslut is not known"),
        ("    each: result", "    eech: result", 18, "'eech' is not known here"),
        ("policy: length-check", "policy: Length Check", 1, "lower-case"),
        ("version: 2\n", "version: 2\nversion: 3\n", 3, "twice"),
        ("title: {id: Panjang, en: Length}", "title: {id: Panjang}", 3, "en is missing"),
        ("accepted: {", "accepted: [", 22, ""),
    ],
)
def test_a_mistake_is_told_with_its_line(
    reader: Reader, tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    assert old in GOOD
    error = refused(reader, tmp_path, GOOD.replace(old, new))
    assert error.line == line
    assert problem in error.problem


def test_an_empty_file_is_told(reader: Reader, tmp_path: Path) -> None:
    assert "empty" in refused(reader, tmp_path, "").problem


def test_a_name_means_the_newest_version_and_each_version_can_be_had(
    reader: Reader, tmp_path: Path
) -> None:
    for version in (2, 10, 9):
        file = tmp_path / f"{version}.yaml"
        file.write_text(GOOD.replace("version: 2", f"version: {version}"))
    policies = Policies([reader.read(file) for file in tmp_path.glob("*.yaml")])
    assert policies.get("length-check").version == 10
    assert policies.get("length-check@9").version == 9
    assert [policy.version for policy in policies.all()] == [10, 9, 2]
    with pytest.raises(PolicyNotFound):
        policies.get("length-check@3")


def test_a_folder_that_is_not_there_is_no_folder_without_policies(
    reader: Reader, tmp_path: Path
) -> None:
    assert read_folder(tmp_path, reader) == []
    with pytest.raises(PolicyFolderMissing, match="nowhere to read policies from"):
        read_folder(tmp_path / "nowhere", reader)
