"""The functions as policies call them: in CEL, over any JSON, by roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cel
import pluggy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import absah_claims
import absah_sdk.hookspecs
from absah_claims.functions import policy_functions

FUNCTIONS = policy_functions()
KEYS = (
    *("checker", "document", "facts", "findings", "fields", "text", "value", "confidence", "name"),
    *("role", "nik", "span", "start", "end", "code", "attributes", "field", "counts", "person"),
    *("possible_counts", "capture_time", "outcome"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
RESULTS = st.lists(
    st.fixed_dictionaries(
        {
            "checker": st.sampled_from(
                ["identity", "letter", "entities", "ocr", "objects", "authenticity", "x"]
            ),
            "document": st.sampled_from(["a", "b"]),
            "facts": JSON
            | st.fixed_dictionaries(
                {
                    "text": st.text(max_size=30) | JSON,
                    "fields": st.dictionaries(
                        st.sampled_from(["nik", "name", "sex", "birth_date", "date", "number"]),
                        st.fixed_dictionaries({"value": st.text(max_size=20), "raw": JSON}) | JSON,
                        max_size=3,
                    ),
                    "counts": JSON,
                    "capture_time": st.text(max_size=12),
                }
            ),
            "findings": JSON,
        }
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(JSON | st.text(max_size=40), RESULTS | JSON)
def test_no_json_value_makes_a_function_raise(claim: Any, evidence: Any) -> None:
    for function in FUNCTIONS.values():
        arguments = (claim,) if function is FUNCTIONS["combine"] else (claim, evidence)
        answer = function(*arguments)
        assert answer["outcome"] in ("AGREES", "CONTRADICTS", "UNSETTLED")
        assert answer["detail"]["id"] is not None


def test_the_plugin_offers_its_functions_to_policies() -> None:
    plugins = pluggy.PluginManager("absah")
    plugins.add_hookspecs(absah_sdk.hookspecs)
    plugins.register(absah_claims)
    (offered,) = plugins.hook.absah_policy_functions()
    assert set(offered) == set(FUNCTIONS)


def test_the_readme_tells_of_every_function() -> None:
    readme = Path(absah_claims.__file__).parents[1] / "README.md"
    told = set(re.findall(r"^\| `(\w+)\(", readme.read_text(), re.MULTILINE))
    assert told == set(FUNCTIONS)


def test_a_policy_calls_a_function_in_cel() -> None:
    card = {
        "checker": "identity",
        "document": "identity",
        "outcome": "PASS",
        "score": None,
        "findings": [{"code": "field", "attributes": {"field": "name"}}],
        "facts": {"fields": {"name": {"value": "BUDI", "raw": "BUDI", "confidence": 0.9}}},
    }
    context = cel.Context(
        variables={"claims": {"name": "Siti Aminah", "participants": 3.0}, "results": [card]},
        functions=dict(FUNCTIONS),
    )
    answer = cel.evaluate("match_name(claims.name, results)", context)
    assert answer["outcome"] == "CONTRADICTS"
    assert answer["findings"] == [{"document": "identity", "checker": "identity", "index": 0}]
    assert cel.evaluate("match_participants(claims.participants, []).outcome", context) == (
        "UNSETTLED"
    )


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - {"combine"}))
@pytest.mark.parametrize("claim", ["", "   ", None, [], {}, "x" * 2_000])
def test_a_claim_that_cannot_be_read_is_unsettled(function: str, claim: Any) -> None:
    assert FUNCTIONS[function](claim, [])["outcome"] == "UNSETTLED"


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - {"combine", "match_nik"}))
def test_no_evidence_is_unsettled(function: str) -> None:
    assert FUNCTIONS[function]("2026-03-12", [])["outcome"] == "UNSETTLED"


def test_a_nik_may_come_as_a_number() -> None:
    report = {"checker": "entities", "document": "r", "facts": {"text": "NIK 3201011508950001"}}
    assert FUNCTIONS["match_nik"](3201011508950001.0, [report])["outcome"] == "AGREES"


def test_the_role_of_a_document_decides_what_it_is() -> None:
    scan = {"checker": "ocr", "document": "d", "facts": {"text": "Pelapor: Siti Aminah"}}
    as_letter = FUNCTIONS["match_name"]("Budi Santoso", [scan])
    as_report = FUNCTIONS["match_name"]("Budi Santoso", [scan, {"name": "d", "role": "report"}])
    assert as_letter["outcome"] == "UNSETTLED"
    assert as_report["outcome"] == "CONTRADICTS"


def test_the_text_of_a_document_stands_in_for_its_entities() -> None:
    document = {"name": "report", "role": "report", "text": "Pelapor: Budi Santoso"}
    assert FUNCTIONS["match_name"]("Budi Santoso", [document])["outcome"] == "AGREES"


@pytest.mark.parametrize(
    ("outcomes", "joined"),
    [
        (["AGREES", "CONTRADICTS", "UNSETTLED"], "CONTRADICTS"),
        (["UNSETTLED", "AGREES"], "AGREES"),
        (["UNSETTLED"], "UNSETTLED"),
        ([], "UNSETTLED"),
    ],
)
def test_combine_joins_what_sources_say(outcomes: list[str], joined: str) -> None:
    comparisons = [{"outcome": o, "found": "", "detail": {}, "findings": []} for o in outcomes]
    assert FUNCTIONS["combine"](comparisons)["outcome"] == joined


def test_what_was_found_is_short_and_on_one_line() -> None:
    text = "Hadir Budi\nSantoso " + "Siti Aminah " * 50
    report = {"checker": "entities", "document": "r", "facts": {"text": text}}
    answer = FUNCTIONS["match_activity"]("Budi Siti Aminah hadir", [report])
    assert len(answer["found"]) <= 160
    assert "\n" not in answer["found"]
