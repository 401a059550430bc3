"""Cutting text into windows and decoding scores into spans, without the model."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from absah_entities import decoding, tokenizing

MODEL = Path(__file__).parents[3] / "model_repository" / "entities_ner"
LAYERS = [
    ["O", *(f"{p}-{c}" for c in codes for p in "BI")]
    for codes in (("PER", "ORG", "LOC"), ("PRD", "EVT", "FNB"))
]


@pytest.fixture(scope="module")
def pieces() -> tokenizing.PieceTokenizer:
    return tokenizing.PieceTokenizer(MODEL / "tokenizer.json")


def make_decoder(rng: np.random.Generator) -> decoding.Decoder:
    return decoding.Decoder(
        LAYERS,
        rng.normal(size=(2, 7, 7)).astype(np.float32),
        rng.normal(size=(2, 7)).astype(np.float32),
    )


@given(st.text())
def test_words_are_the_text_without_its_blanks(text: str) -> None:
    words = tokenizing.words_of(text)
    assert "".join(w.text for w in words) == "".join(text.split())
    assert all(text[w.start : w.end] == w.text for w in words)


def test_punctuation_stands_alone_but_not_inside_numbers_and_addresses() -> None:
    words = [w.text for w in tokenizing.words_of("(PDI-P), Rp1.500.000,00 di kompas.com.")]
    assert words == ["(", "PDI", "-", "P", ")", ",", "Rp1.500.000,00", "di", "kompas.com", "."]


def test_a_shouted_heading_is_read_in_lower_case() -> None:
    assert tokenizing.unshouted(tokenizing.words_of("KEPALA DESA")) == ["kepala", "desa"]
    assert tokenizing.unshouted(tokenizing.words_of("Bapak BUDI dari desa")) == [
        "Bapak",
        "BUDI",
        "dari",
        "desa",
    ]


@given(st.text(max_size=400), st.integers(40, 80))
def test_windows_cover_every_word_and_keep_to_their_size(
    pieces: tokenizing.PieceTokenizer, text: str, size: int
) -> None:
    windows = pieces.windows(text, size=size, overlap=10)
    assert all(len(w.input_ids) <= size for w in windows)
    covered = {w.first + i for w in windows for i in range(len(w.words))}
    assert covered == set(range(len(tokenizing.words_of(text))))


def test_stitching_gives_every_word_its_own_scores(pieces: tokenizing.PieceTokenizer) -> None:
    text = "Budi Santoso tinggal di Jakarta.\n\n" * 40
    words = tokenizing.words_of(text)
    wanted = np.random.default_rng(0).normal(size=(len(words), 14)).astype(np.float32)
    windows = pieces.windows(text, size=64, overlap=16)
    scores = []
    for window in windows:
        padded = np.zeros((len(window.input_ids) + 3, 14), np.float32)
        padded[window.heads] = wanted[window.first : window.first + len(window.words)]
        scores.append(padded)
    stitched, emissions = decoding.stitch(windows, scores)
    assert stitched == words
    assert np.array_equal(emissions, wanted)


def test_an_empty_text_has_no_entities(pieces: tokenizing.PieceTokenizer) -> None:
    decoder = make_decoder(np.random.default_rng(0))
    assert pieces.windows(" \n") == []
    assert decoder.entities(" \n", [], []) == []


def test_no_entity_crosses_an_empty_line(pieces: tokenizing.PieceTokenizer) -> None:
    text = "Budi\n\nSantoso"
    windows = pieces.windows(text)
    scores = [np.full((len(w.input_ids), 14), -9.0, np.float32) for w in windows]
    for window, scored, label in zip(windows, scores, (1, 2), strict=True):
        scored[:, 7] = 9.0
        scored[window.heads, label] = 9.0
    decoder = decoding.Decoder(LAYERS, np.zeros((2, 7, 7)), np.zeros((2, 7)))
    found = decoder.entities(text, windows, scores)
    assert ("PER", 0, 4) in [(e.code, e.start, e.end) for e in found]
    assert all("\n" not in text[e.start : e.end] for e in found)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("Rapat selesai. Budi pulang.", [0, 3]),
        ("Bupati tiba.\nbudi pulang.", [0, 3]),
        ("Jl. Sudirman No. 5, kec. Ubud", [0]),
        ("Laporan dari Dr. Budi", [0]),
        ("nama yang\nterpotong baris", [0]),
    ],
)
def test_windows_end_where_a_sentence_surely_does(
    pieces: tokenizing.PieceTokenizer, text: str, starts: list[int]
) -> None:
    assert [w.first for w in pieces.windows(text)] == starts


@pytest.mark.parametrize("seed", range(5))
def test_paths_and_posteriors_agree_with_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    decoder = make_decoder(rng)
    emissions = rng.normal(size=(4, 2, 7)).astype(np.float32) * 2
    parts = (emissions, decoder._transitions, decoder._starts)
    paths, beliefs = decoding._best_paths(*parts), decoding._posteriors(*parts)
    for layer in range(2):
        scored = {p: _score(*parts, layer, p) for p in itertools.product(range(7), repeat=4)}
        assert tuple(paths[:, layer]) == max(scored, key=scored.__getitem__)
        weights = {p: np.exp(s) for p, s in scored.items()}
        total = sum(weights.values())
        for word, label in itertools.product(range(4), range(7)):
            belief = sum(w for p, w in weights.items() if p[word] == label) / total
            assert beliefs[word, layer, label] == pytest.approx(belief, abs=1e-4)


def _score(emissions, transitions, starts, layer: int, path: tuple[int, ...]) -> float:  # type: ignore[no-untyped-def]
    steps = itertools.pairwise(path)
    return float(
        starts[layer, path[0]]
        + sum(emissions[i, layer, label] for i, label in enumerate(path))
        + sum(transitions[layer, a, b] for a, b in steps)
    )
