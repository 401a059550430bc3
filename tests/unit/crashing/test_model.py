"""The crash suite's own check finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from robustness.crashing import checkers, killing, model
from robustness.crashing.history import (
    CancelAsked,
    DeleteAsked,
    Deleted,
    Downloaded,
    History,
    Listed,
    Told,
    Unexpected,
    Uploaded,
)
from robustness.crashing.kept import Kept, KeptValidation, Reference

TENANT, CLIENT = "kecamatan", "client-1"
CREATED, ANSWERED, CANCELLED = "validations/1", "validations/2", "validations/3"
TEXTS = (b"0 first", b"0 second", b"0 third")
LONE = "f" * 64
MAX_ATTEMPTS = 5

Doctored = tuple[History, Kept]


def digests(content: bytes) -> tuple[str, str]:
    """Of a text and of its artifact."""
    made = checkers.submission(
        tenant=TENANT, client=CLIENT, request_id="", policy="", contents=[content], recorded=False
    )
    return made.documents[0], made.artifacts[0]


def told(name: str, **changes: str) -> Told:
    number = int(name[-1]) - 1
    given = {
        "state": "SUCCEEDED",
        "decision": checkers.DECISIONS[checkers.bucket_of(TEXTS[number])],
        **changes,
    }
    return Told(tenant=TENANT, client=CLIENT, request_id=f"r-{number}", name=name, **given)


def good() -> Doctored:
    """One that a worker ran at the second attempt, one answered at once, one cancelled."""
    history = History()
    for number, content in enumerate(TEXTS):
        history.add(
            checkers.submission(
                tenant=TENANT,
                client=CLIENT,
                request_id=f"r-{number}",
                policy=checkers.LASTING,
                contents=[content],
                recorded=number == 1,
            )
        )
    history.add(told(CREATED, state="PENDING", decision=""))
    history.add(told(CREATED))
    history.add(told(ANSWERED))
    history.add(CancelAsked(tenant=TENANT, name=CANCELLED))
    history.add(told(CANCELLED, state="CANCELLED", decision=""))
    history.add(Listed(tenant=TENANT, names=(CANCELLED, ANSWERED, CREATED)))
    history.add(Uploaded(tenant=TENANT, digest=digests(TEXTS[0])[0]))
    history.add(DeleteAsked(tenant=TENANT, digest=LONE))
    history.add(Deleted(tenant=TENANT, digest=LONE))
    validations = [
        made(
            0, actions=("validation.accepted", "validation.decided"), attempts=("LOST", "SUCCEEDED")
        ),
        made(1, actions=("validation.decided",), attempts=()),
        replace(
            made(
                2, actions=("validation.accepted", "validation.cancelled"), attempts=("CANCELLED",)
            ),
            state="CANCELLED",
            decision="",
            decisions_told=(),
            buckets={},
            reviews=0,
            references=(Reference(tenant=TENANT, digest=digests(TEXTS[2])[0], artifact=False),),
        ),
    ]
    contents = {each.digest: each.digest for v in validations for each in v.references}
    kept = Kept(
        validations=validations,
        documents={(TENANT, digest): "READY" for digest in contents} | {(TENANT, LONE): "DELETED"},
        contents=contents,
        chains={TENANT: ""},
    )
    return history, kept


def made(number: int, *, actions: tuple[str, ...], attempts: tuple[str, ...]) -> KeptValidation:
    content = TEXTS[number]
    document, artifact = digests(content)
    decision = checkers.DECISIONS[checkers.bucket_of(content)]
    return KeptValidation(
        name=f"validations/{number + 1}",
        tenant=TENANT,
        client=CLIENT,
        request_id=f"r-{number}",
        state="SUCCEEDED",
        decision=decision,
        error="",
        erased=False,
        attempt=len(attempts),
        attempts=attempts,
        buckets={
            (checker, document): bucket
            for checker, document, bucket in checkers.results_of([content], None)
        },
        references=(
            Reference(tenant=TENANT, digest=document, artifact=False),
            Reference(tenant=TENANT, digest=artifact, artifact=True),
        ),
        actions=actions,
        decisions_told=(decision,),
        jobs=("succeeded",) if attempts else (),
        reviews=int(decision == "REVIEW"),
    )


def found(doctored: Doctored) -> list[str]:
    return model.problems(*doctored, max_attempts=MAX_ATTEMPTS)


def changed(doctored: Doctored, number: int, **changes: object) -> Doctored:
    """With one validation altered."""
    history, kept = doctored
    validations = list(kept.validations)
    validations[number] = replace(validations[number], **changes)  # type: ignore[arg-type]
    return history, replace(kept, validations=validations)


def added(doctored: Doctored, event: object) -> Doctored:
    history, kept = doctored
    history.events.append(event)  # type: ignore[arg-type]
    return history, kept


def without_content(doctored: Doctored, digest: str, instead: str | None = None) -> Doctored:
    history, kept = doctored
    contents = {d: came for d, came in kept.contents.items() if d != digest}
    return history, replace(kept, contents=contents | ({digest: instead} if instead else {}))


def with_validations(doctored: Doctored, validations: list[KeptValidation]) -> Doctored:
    history, kept = doctored
    return history, replace(kept, validations=validations)


def test_a_history_in_which_all_is_well_has_no_problems() -> None:
    assert found(good()) == []


OTHER = {"ACCEPT": "REJECT", "REVIEW": "ACCEPT", "REJECT": "ACCEPT"}


@pytest.mark.parametrize(
    ("doctor", "problem"),
    [
        (lambda d: with_validations(d, list(d[1].validations[1:])), "is lost"),
        (
            lambda d: with_validations(
                d, [*d[1].validations, replace(d[1].validations[0], name="validations/9")]
            ),
            "has 2 validations",
        ),
        (lambda d: changed(d, 0, request_id="r-9"), "was never made"),
        (lambda d: added(d, Listed(tenant=TENANT, names=(CREATED, ANSWERED))), "its list 2"),
        (lambda d: added(d, replace(told(CREATED), name="validations/9")), "was given the names"),
        (lambda d: changed(d, 0, state="RUNNING", decision=""), "is RUNNING"),
        (lambda d: changed(d, 0, state="FAILED", decision="", error="X"), "is FAILED X"),
        (lambda d: changed(d, 0, decision=""), "without a verdict"),
        (lambda d: changed(d, 1, decision=OTHER[d[1].validations[1].decision]), "must be"),
        (lambda d: changed(d, 2, state="SUCCEEDED", decision="ACCEPT"), "was told to be CANCELLED"),
        (lambda d: changed(d, 0, state="CANCELLED", decision=""), "is CANCELLED"),
        (lambda d: changed(d, 0, jobs=("doing",)), "has a job that is doing"),
        (lambda d: (d[0], replace(d[1], stray_jobs=1)), "have no validation"),
        (lambda d: changed(d, 0, attempts=("SUCCEEDED", "SUCCEEDED")), "has the attempts"),
        (lambda d: changed(d, 2, attempts=("None",)), "never ended"),
        (lambda d: changed(d, 0, attempt=3), "counts 3 attempts and has 2"),
        (
            lambda d: changed(d, 0, attempt=6, attempts=("LOST",) * 5 + ("SUCCEEDED",)),
            "was tried 6 times",
        ),
        (lambda d: changed(d, 1, attempts=("SUCCEEDED",), attempt=1), "answered at once"),
        (lambda d: changed(d, 0, buckets={}), "has the results"),
        (lambda d: changed(d, 0, reviews=2), "has 2 reviews"),
        (lambda d: changed(d, 0, actions=("validation.accepted",)), "has the audit events"),
        (lambda d: changed(d, 1, actions=("validation.decided",) * 2), "has the audit events"),
        (lambda d: changed(d, 1, decisions_told=("NONE",)), "its audit event NONE"),
        (lambda d: (d[0], replace(d[1], chains={TENANT: "sequence 3"})), "chain of kecamatan"),
        (lambda d: changed(d, 0, references=d[1].validations[0].references[:1]), "0 artifacts"),
        (lambda d: changed(d, 0, references=d[1].validations[0].references[1:]), "other documents"),
        (lambda d: without_content(d, digests(TEXTS[0])[0]), "is missing"),
        (lambda d: without_content(d, digests(TEXTS[0])[1]), "is missing"),
        (lambda d: without_content(d, digests(TEXTS[1])[0], "0" * 64), "is damaged"),
        (lambda d: added(d, Uploaded(tenant="kelurahan", digest=LONE)), "is lost"),
        (lambda d: added(d, Deleted(tenant=TENANT, digest=digests(TEXTS[0])[0])), "and is there"),
        (lambda d: added(d, Downloaded(tenant=TENANT, digest=LONE, came="0" * 64)), "gave 000"),
        (lambda d: added(d, Unexpected(tenant=TENANT, call="Get", answer="DATA_LOSS")), "DATA"),
    ],
)  # fmt: skip
def test_a_doctored_history_is_found_out(
    doctor: Callable[[Doctored], Doctored], problem: str
) -> None:
    assert any(problem in each for each in found(doctor(good())))


def test_a_decision_of_review_needs_its_review() -> None:
    content = next(t for t in (b"0 %d" % n for n in range(99)) if checkers.bucket_of(t) == 1)
    history, kept = good()
    wanted = checkers.submission(
        tenant=TENANT,
        client=CLIENT,
        request_id="r-1",
        policy=checkers.LASTING,
        contents=[content],
        recorded=True,
    )
    history.events[1] = wanted
    doctored = changed((history, kept), 1, decision="REVIEW", reviews=0)
    assert any("REVIEW, has 0 reviews" in each for each in found(doctored))


def test_a_plan_kills_each_at_each_of_its_points() -> None:
    points = killing.points_of()
    assert (killing.SERVER, "before commit of AcceptedWriter._write") in points
    assert (killing.WORKER, "after commit of Settling._write") in points
    assert (killing.POSTGRES, "before commit of Sealer.seal") in points
    assert (killing.SERVER, "after FilePartial._append") in points
    assert not any(victim == killing.POSTGRES and "commit" not in p for victim, p in points)
