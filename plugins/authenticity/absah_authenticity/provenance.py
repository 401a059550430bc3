"""Read and verify a C2PA manifest (Content Credentials), offline.

Specification: C2PA 2.x, "Validation". Only what is said about the active manifest decides the
state; what is said about ingredients concerns other files. `read` parses hostile bytes in native
code, so it is meant to run in a sandboxed process.
"""

from __future__ import annotations

import enum
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import c2pa

from absah_sdk import Finding, Severity

BINDING_FAILURES = frozenset(
    {
        "assertion.dataHash.mismatch",
        "assertion.bmffHash.mismatch",
        "assertion.boxesHash.mismatch",
        "assertion.multiAssetHash.mismatch",
    }
)
UNTRUSTED = frozenset({"signingCredential.untrusted"})
AI_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
CONTENT_ACTIONS = frozenset(
    {
        "c2pa.drawing",
        "c2pa.edited",
        "c2pa.placed",
        "c2pa.removed",
        "c2pa.replaced",
        "c2pa.redacted",
        "c2pa.unknown",
        "c2pa.watermarked",
    }
)
MAX_LISTED = 50
"""A manifest may list any number of things; the rest is not passed on."""


class State(enum.StrEnum):
    """What can be said about the manifest of a file."""

    NONE = "none"
    """No manifest. This means nothing."""
    TRUSTED = "trusted"
    """Signature and binding hold, and the signer is on the operator's trust list."""
    VALID = "valid"
    """Signature and binding hold; nobody vouches for the signer."""
    BROKEN_BINDING = "broken_binding"
    """The file's bytes are not the ones that were signed."""
    INVALID = "invalid"
    """The manifest itself does not verify, for example its signature."""
    UNREADABLE = "unreadable"
    """There is a manifest, but it is damaged or of an unknown form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What the manifest store of one file says. Times are ISO 8601."""

    state: State = State.NONE
    failures: tuple[str, ...] = ()
    """Failure codes of the active manifest, as the specification names them."""
    generator: str | None = None
    signer: str | None = None
    signed_at: str | None = None
    actions: tuple[str, ...] = ()
    ai_source: str | None = None
    """The digital source type, where the active manifest says that a model made the picture."""
    ai_ingredient: bool = False
    """An ingredient's own manifest says that a model made it."""
    ingredients: int = 0
    ingredient_failures: tuple[str, ...] = ()


def read(content: bytes, media_type: str, trust_anchors: str) -> Provenance:
    """Verify the manifest of these bytes without any network.

    `trust_anchors` is PEM text, empty for none: then a good signature is VALID, never TRUSTED.
    """
    try:
        with c2pa.Reader(
            media_type, io.BytesIO(content), context=_context(trust_anchors)
        ) as reader:
            store = json.loads(reader.json())
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported):
        return Provenance()
    except c2pa.C2paError:
        carries_one = b"jumb" in content and b"c2pa" in content
        return Provenance(state=State.UNREADABLE if carries_one else State.NONE)
    try:
        return _from_store(store)
    except (AttributeError, TypeError):  # assertions may hold JSON of any shape
        return Provenance(state=State.UNREADABLE)


def _context(trust_anchors: str) -> c2pa.Context:
    settings: dict[str, Any] = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}
    }
    if trust_anchors:
        settings["trust"] = {"trust_anchors": trust_anchors}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def _from_store(store: Mapping[str, Any]) -> Provenance:
    label = store.get("active_manifest", "")
    manifests = store.get("manifests", {})
    active = manifests.get(label, {})
    results = store.get("validation_results", {})
    failures = _codes(results.get("activeManifest", {}))
    signature = active.get("signature_info", {})
    others = (manifest for name, manifest in manifests.items() if name != label)
    deltas = results.get("ingredientDeltas", [])
    return Provenance(
        state=_state(failures, str(store.get("validation_state", ""))),
        failures=failures,
        generator=_generator(active),
        signer=signature.get("common_name") or signature.get("issuer"),
        signed_at=signature.get("time"),
        actions=tuple(str(action.get("action")) for action in _actions(active))[:MAX_LISTED],
        ai_source=_ai_source(active),
        ai_ingredient=any(_ai_source(manifest) for manifest in others),
        ingredients=len(active.get("ingredients", [])),
        ingredient_failures=tuple(
            code for delta in deltas for code in _codes(delta.get("validationDeltas", {}))
        )[:MAX_LISTED],
    )


def _codes(results: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(status.get("code")) for status in results.get("failure", []))[:MAX_LISTED]


def _state(failures: tuple[str, ...], state: str) -> State:
    if BINDING_FAILURES.intersection(failures):
        return State.BROKEN_BINDING
    if state == "Trusted":
        return State.TRUSTED
    if state == "Valid" and UNTRUSTED.issuperset(failures):
        return State.VALID
    return State.INVALID


def _generator(manifest: Mapping[str, Any]) -> str | None:
    for entry in manifest.get("claim_generator_info") or []:
        if entry.get("name"):
            return " ".join(str(entry[key]) for key in ("name", "version") if entry.get(key))[:200]
    claimed = manifest.get("claim_generator")
    return str(claimed)[:200] if claimed else None


def _actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for assertion in manifest.get("assertions", []):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from assertion.get("data", {}).get("actions", [])


def _ai_source(manifest: Mapping[str, Any]) -> str | None:
    for action in _actions(manifest):
        source = str(action.get("digitalSourceType", "")).rsplit("/", 1)[-1]
        if source in AI_SOURCES:
            return source
    return None


def facts(provenance: Provenance) -> dict[str, Any]:
    """The facts of the check, under the key `c2pa`."""
    found: dict[str, Any] = {"state": provenance.state.value}
    if provenance.state is not State.NONE:
        found["failures"] = list(provenance.failures)
        found["actions"] = list(provenance.actions)
        found["ingredients"] = provenance.ingredients
        for key in ("generator", "signer", "signed_at"):
            if (value := getattr(provenance, key)) is not None:
                found[key] = value
    return found


def findings(provenance: Provenance) -> Iterator[Finding]:
    """What the manifest says for or against the picture."""
    if (statement := _STATEMENTS.get(provenance.state)) is not None:
        code, severity, message = statement
        attributes = {"failures": list(provenance.failures), "signer": provenance.signer or ""}
        yield Finding(code=code, severity=severity, message=message, attributes=attributes)
    yield from _made_by_model(provenance)
    yield from _edits(provenance)
    if provenance.ingredient_failures:
        yield Finding(
            code="c2pa_ingredient_invalid",
            message="An ingredient of this picture carries credentials that do not verify.",
            attributes={"failures": list(provenance.ingredient_failures)},
        )


_STATEMENTS = {
    State.TRUSTED: (
        "c2pa_trusted",
        Severity.INFO,
        "Signed by a trusted signer, and not one byte has changed since.",
    ),
    State.VALID: (
        "c2pa_untrusted",
        Severity.INFO,
        "Signed and unchanged since, but the signer is not on the trust list.",
    ),
    State.BROKEN_BINDING: (
        "c2pa_broken_binding",
        Severity.CRITICAL,
        "The file was changed after it was signed: its bytes do not match the signed digest.",
    ),
    State.INVALID: (
        "c2pa_invalid",
        Severity.WARNING,
        "The Content Credentials do not verify.",
    ),
    State.UNREADABLE: (
        "c2pa_unreadable",
        Severity.WARNING,
        "The Content Credentials are damaged.",
    ),
}


def _made_by_model(provenance: Provenance) -> Iterator[Finding]:
    if provenance.ai_source is not None:
        yield Finding(
            code="c2pa_ai_generated",
            severity=Severity.WARNING,
            message="The Content Credentials say that a generative model made this picture or"
            " parts of it.",
            attributes={"source_type": provenance.ai_source},
        )
    if provenance.ai_ingredient:
        yield Finding(
            code="c2pa_ai_ingredient",
            severity=Severity.WARNING,
            message="The Content Credentials say that a generative model made an ingredient.",
        )


def _edits(provenance: Provenance) -> Iterator[Finding]:
    changes = sorted(CONTENT_ACTIONS.intersection(provenance.actions))
    if changes:
        yield Finding(
            code="c2pa_edited",
            severity=Severity.WARNING,
            message="The Content Credentials name edits that change what the picture shows.",
            attributes={"actions": changes},
        )
