"""The client makes requests and reads answers and errors."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

import absah
from absah import errors
from absah.v1 import check_result_pb2, validation_pb2
from absah_server.core.errors import Overloaded, RequestInvalid
from absah_server.rpc.errors import status_of


def test_a_role_takes_a_path_bytes_text_or_several(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"jpeg")
    made = absah.request(
        "field-report",
        {"photo": [file, b"more"], "report": absah.Text("halo")},
        claims={"nik": "1"},
    )
    assert [d.role for d in made.documents] == ["photo", "photo", "report"]
    assert [d.WhichOneof("source") for d in made.documents] == ["content", "content", "text"]
    assert made.documents[0].filename == "a.jpg"
    assert dict(made.claims) == {"nik": "1"}


def test_a_missing_file_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        absah.request("p", {"photo": "/no/such/file"})


def test_enum_values_are_shown_by_their_bare_words() -> None:
    made = validation_pb2.Validation(
        state=validation_pb2.STATE_SUCCEEDED,
        verdict=validation_pb2.Verdict(decision=validation_pb2.DECISION_REVIEW),
        check_results=[
            check_result_pb2.CheckResult(
                outcome=check_result_pb2.OUTCOME_INCONCLUSIVE,
                findings=[check_result_pb2.Finding(severity=check_result_pb2.SEVERITY_WARNING)],
            )
        ],
    )
    plain = absah.to_dict(made)
    assert plain["state"] == "SUCCEEDED"
    assert plain["verdict"]["decision"] == "REVIEW"
    assert plain["check_results"][0]["outcome"] == "INCONCLUSIVE"
    assert plain["check_results"][0]["findings"][0]["severity"] == "WARNING"


def test_a_score_of_zero_is_told_from_no_score() -> None:
    assert absah.to_dict(check_result_pb2.CheckResult(score=0.0))["score"] == 0.0
    assert "score" not in absah.to_dict(check_result_pb2.CheckResult())


def test_an_errors_details_are_read() -> None:
    busy = errors.from_status(status_of(Overloaded(retry_after_seconds=1.5)))
    assert busy.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert busy.reason == "OVERLOADED"
    assert busy.retry_after_seconds == 1.5
    wrong = errors.from_status(status_of(RequestInvalid(("policy", "is missing"))))
    assert wrong.fields == (("policy", "is missing"),)


def test_an_unknown_fault_is_internal_with_an_id_and_nothing_else() -> None:
    status = status_of(ZeroDivisionError("secret"))
    told = errors.from_status(status)
    assert told.code is grpc.StatusCode.INTERNAL
    assert "secret" not in str(status)
    assert "error id" in told.message
