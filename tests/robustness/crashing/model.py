"""Check a history, and what is kept after it, against what must hold whatever was killed when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from robustness.crashing.history import (
    CancelAsked,
    DeleteAsked,
    Deleted,
    Downloaded,
    History,
    Listed,
    Submitted,
    Told,
    Unexpected,
    Uploaded,
)
from robustness.crashing.kept import Kept, KeptValidation

Key = tuple[str, str, str]
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
ENDED_JOBS = ("succeeded", "failed", "cancelled", "aborted")


def problems(history: History, kept: Kept, *, max_attempts: int) -> list[str]:
    """All that is wrong, each in a sentence; empty where all is as it must be."""
    submitted = {each.key: each for each in history.of(Submitted)}
    return [
        *(f"{each.call} was answered {each.answer}" for each in history.of(Unexpected)),
        *_lost(history, kept),
        *_twice(submitted, kept),
        *_changed(history, kept),
        *_wrongly_ended(history, submitted, kept),
        *_attempts(submitted, kept, max_attempts),
        *_audit(submitted, kept),
        *_contents(history, submitted, kept),
    ]


def _lost(history: History, kept: Kept) -> Iterator[str]:
    """What was acknowledged is there, under the one name that was told, and is listed."""
    there = {each.name: each for each in kept.validations}
    told: dict[Key, set[str]] = defaultdict(set)
    for each in history.of(Told):
        told[each.key].add(each.name)
    for key, names in told.items():
        if len(names) > 1:
            yield f"request {key} was given the names {', '.join(sorted(names))}"
        for name in sorted(names):
            if name not in there:
                yield f"{name}, acknowledged to {key}, is lost"
            elif there[name].key != key:
                yield f"{name}, acknowledged to {key}, is that of {there[name].key}"
    for listed in history.of(Listed):
        kept_names = sorted(each.name for each in kept.validations if each.tenant == listed.tenant)
        if sorted(listed.names) != kept_names:
            yield f"{listed.tenant} has {len(kept_names)} validations, its list {len(listed.names)}"


def _twice(submitted: Mapping[Key, Submitted], kept: Kept) -> Iterator[str]:
    """A request leads to one validation at most, and there is none that nobody asked for."""
    for key, count in Counter(each.key for each in kept.validations).items():
        if count > 1:
            yield f"request {key} has {count} validations"
        if key not in submitted:
            yield f"request {key} has a validation, and was never made"


def _changed(history: History, kept: Kept) -> Iterator[str]:
    """An end that was told is the end: state and verdict never change afterwards."""
    final = {each.name: each for each in kept.validations}
    for told in history.of(Told):
        if told.state not in ENDED or told.name not in final:
            continue
        now = final[told.name]
        if (told.state, told.decision) != (now.state, now.decision):
            yield (
                f"{told.name} was told to be {told.state} {told.decision}, "
                f"and is {now.state} {now.decision}"
            )


def _wrongly_ended(
    history: History, submitted: Mapping[Key, Submitted], kept: Kept
) -> Iterator[str]:
    """Everything ended, with the verdict and the results that its documents have."""
    cancelled = {each.name for each in history.of(CancelAsked)}
    for each in kept.validations:
        wanted = submitted.get(each.key)
        if wanted is None:
            continue
        if each.state == "CANCELLED" and each.name in cancelled:
            if each.decision or each.decisions_told:
                yield f"{each.name} is cancelled, and decided"
        elif each.state != "SUCCEEDED":
            yield f"{each.name} is {each.state} {each.error}".rstrip()
        else:
            yield from _wrongly_decided(each, wanted)
        if any(job not in ENDED_JOBS for job in each.jobs):
            yield f"{each.name} has a job that is {', '.join(each.jobs)}"
    if kept.stray_jobs:
        yield f"{kept.stray_jobs} jobs have no validation"


def _wrongly_decided(kept: KeptValidation, wanted: Submitted) -> Iterator[str]:
    if kept.decision != wanted.decision:
        yield f"{kept.name} is {kept.decision or 'without a verdict'}, must be {wanted.decision}"
    if kept.reviews != (wanted.decision == "REVIEW"):
        yield f"{kept.name}, {kept.decision}, has {kept.reviews} reviews"
    buckets = {
        (checker, document): -1 if kept.erased else bucket
        for checker, document, bucket in wanted.results
    }
    if dict(kept.buckets) != buckets:
        yield f"{kept.name} has the results {dict(kept.buckets)}, must have {buckets}"


def _attempts(submitted: Mapping[Key, Submitted], kept: Kept, max_attempts: int) -> Iterator[str]:
    """One attempt succeeded, those before it were lost or given back, and all have ended."""
    for each in kept.validations:
        wanted = submitted.get(each.key)
        if wanted is None:
            continue
        if wanted.recorded and (each.attempts or each.jobs):
            yield f"{each.name} was answered at once, and has attempts or jobs"
        if each.attempts.count("SUCCEEDED") != (each.state == "SUCCEEDED" and not wanted.recorded):
            yield f"{each.name}, {each.state}, has the attempts {', '.join(each.attempts)}"
        if "None" in each.attempts:
            yield f"{each.name} has an attempt that never ended: {', '.join(each.attempts)}"
        if len(each.attempts) != each.attempt:
            yield f"{each.name} counts {each.attempt} attempts and has {len(each.attempts)}"
        if sum(outcome in ("LOST", "RETRIED") for outcome in each.attempts) >= max_attempts:
            yield f"{each.name} was tried {each.attempt} times"


def _audit(submitted: Mapping[Key, Submitted], kept: Kept) -> Iterator[str]:
    """Each acceptance, decision, cancellation and erasure is in the log once, and it is whole."""
    for each in kept.validations:
        wanted = submitted.get(each.key)
        if wanted is None:
            continue
        actions = []
        if not wanted.recorded:
            actions.append("validation.accepted")
        if each.state == "SUCCEEDED":
            actions.append("validation.decided")
        if each.state == "CANCELLED":
            actions.append("validation.cancelled")
        if each.erased:
            actions.append("validation.erased")
        if list(each.actions) != actions:
            yield f"{each.name}, {each.state}, has the audit events {', '.join(each.actions)}"
        elif any(decision != each.decision for decision in each.decisions_told):
            yield f"{each.name} is {each.decision}, its audit event {each.decisions_told[0]}"
    for tenant, problem in kept.chains.items():
        if problem:
            yield f"the audit chain of {tenant} is broken: {problem}"


def _contents(history: History, submitted: Mapping[Key, Submitted], kept: Kept) -> Iterator[str]:
    """Whatever is referred to, or was acknowledged, is there, byte by byte."""
    for each in kept.validations:
        if wanted := submitted.get(each.key):
            yield from _references(each, wanted, kept)
    for (tenant, digest), state in kept.documents.items():
        if state == "READY":
            yield from _content(kept, digest, f"document of {tenant}")
    gone = {(each.tenant, each.digest) for each in history.of(DeleteAsked)}
    for uploaded in history.of(Uploaded):
        key = uploaded.tenant, uploaded.digest
        if key not in gone and kept.documents.get(key) != "READY":
            yield f"the upload {uploaded.digest} of {uploaded.tenant} is lost"
    for deleted in history.of(Deleted):
        if kept.documents.get((deleted.tenant, deleted.digest)) != "DELETED":
            yield f"{deleted.digest} of {deleted.tenant} was deleted, and is there"
    for downloaded in history.of(Downloaded):
        if downloaded.came != downloaded.digest:
            yield f"downloading {downloaded.digest} of {downloaded.tenant} gave {downloaded.came}"


def _references(kept: KeptValidation, wanted: Submitted, all_kept: Kept) -> Iterator[str]:
    inputs = sorted(each.digest for each in kept.references if not each.artifact)
    if inputs != sorted(wanted.documents):
        yield f"{kept.name} refers to other documents than it was sent with"
    artifacts = {each.digest for each in kept.references if each.artifact}
    must = set(wanted.artifacts) if kept.state == "SUCCEEDED" else set()
    if artifacts != must:
        yield f"{kept.name}, {kept.state}, refers to {len(artifacts)} artifacts, not {len(must)}"
    if kept.erased:
        return
    for each in kept.references:
        what = "artifact" if each.artifact else "document"
        if all_kept.documents.get((each.tenant, each.digest)) != "READY":
            yield f"the {what} {each.digest} of {kept.name} is not READY"
        yield from _content(all_kept, each.digest, f"{what} of {kept.name}")


def _content(kept: Kept, digest: str, what: str) -> Iterator[str]:
    came = kept.contents.get(digest)
    if came is None:
        yield f"the content {digest}, {what}, is missing"
    elif came != digest:
        yield f"the content {digest}, {what}, is damaged"
