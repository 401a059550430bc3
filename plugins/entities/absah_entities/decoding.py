"""Turn the model's scores into entities with their places in the text.

The labels come in layers that are decoded side by side: people, organisations and places in
one; brands and products, events, food and drink in the other. Each layer is a linear-chain CRF:
the best path is Viterbi's, and an entity's confidence is the least posterior probability of its
words' labels (forward-backward; Rabiner 1989).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .tokenizing import Window, Word

Scores = NDArray[np.float32]

FORBIDDEN = -1e4
EXCLUSIVE = frozenset({"PER", "LOC"})
_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True, slots=True)
class Entity:
    """text[start:end], counted in Unicode code points; confidence is 0 to 1."""

    code: str
    start: int
    end: int
    confidence: float


class Decoder:
    """Decodes word scores of shape (words, labels), the layers' labels side by side."""

    def __init__(
        self, layers: Sequence[Sequence[str]], transitions: Scores, starts: Scores
    ) -> None:
        """transitions: (layers, labels, labels), from row to column; starts: (layers, labels)."""
        self.layers = tuple(map(tuple, layers))
        barred = [[[_barred(a, b) for b in names] for a in names] for names in self.layers]
        first = [[_barred("O", b) for b in names] for names in self.layers]
        self._transitions = np.where(barred, np.float32(FORBIDDEN), transitions)
        self._starts = np.where(first, np.float32(FORBIDDEN), starts)

    @classmethod
    def from_file(cls, path: Path) -> Decoder:
        """Read `decoder.json`."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            stored["layers"],
            np.array(stored["transitions"], np.float32),
            np.array(stored["starts"], np.float32),
        )

    def entities(
        self, text: str, windows: Sequence[Window], scores: Sequence[Scores]
    ) -> list[Entity]:
        """Entities of a text in reading order.

        scores: for each window, (pieces, labels) as the model gave them; rows beyond the
        window's own pieces are padding. No entity crosses an empty line.
        """
        words, emissions = stitch(windows, scores)
        found: list[Entity] = []
        for start, end in _paragraphs(text, words):
            found.extend(self.decode(words[start:end], emissions[start:end]))
        return found

    def decode(self, words: Sequence[Word], emissions: Scores) -> list[Entity]:
        """Entities of some words by their scores, shape (words, labels)."""
        if not words:
            return []
        layered = emissions.reshape(len(words), len(self.layers), -1)
        paths = _best_paths(layered, self._transitions, self._starts)
        beliefs = _posteriors(layered, self._transitions, self._starts)
        found = [
            Entity(code, words[a].start, words[b - 1].end, _confidence(beliefs, paths, layer, a, b))
            for layer, names in enumerate(self.layers)
            for code, a, b in _spans([names[i] for i in paths[:, layer]])
        ]
        return sorted(_agreed(found), key=lambda e: (e.start, e.end, e.code))


def stitch(windows: Sequence[Window], scores: Sequence[Scores]) -> tuple[list[Word], Scores]:
    """All words once, each with its scores from the window that shows most around it."""
    count = max((w.first + len(w.words) for w in windows), default=0)
    words: list[Word | None] = [None] * count
    margins = np.full(count, -1)
    labels = scores[0].shape[-1] if scores else 0
    emissions = np.zeros((count, labels), np.float32)
    for window, scored in zip(windows, scores, strict=True):
        places = np.arange(window.first, window.first + len(window.words))
        left = window.heads if window.first else np.full(len(places), count)
        right = len(window.input_ids) - window.heads
        margin = np.minimum(left, right if places[-1] < count - 1 else count)
        better = margin > margins[places]
        margins[places[better]] = margin[better]
        emissions[places[better]] = scored[window.heads[better]]
        for place, word in zip(places, window.words, strict=True):
            words[place] = word
    return [w for w in words if w is not None], emissions


def _paragraphs(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Ranges of words between empty lines."""
    starts = np.array([w.start for w in words], np.int64)
    cuts = [int(np.searchsorted(starts, m.start())) for m in _PARAGRAPH_END.finditer(text)]
    edges = sorted({0, *cuts, len(words)})
    return list(itertools.pairwise(edges))


def _barred(before: str, after: str) -> bool:
    return after.startswith("I-") and before[2:] != after[2:]


def _best_paths(emissions: Scores, transitions: Scores, starts: Scores) -> NDArray[np.int64]:
    """Viterbi: (words, layers, labels) → best label of each word and layer."""
    state = emissions[0] + starts
    back = np.zeros(emissions.shape, np.int64)
    for step in range(1, len(emissions)):
        reached = state[:, :, None] + transitions
        back[step] = reached.argmax(axis=1)
        state = reached.max(axis=1) + emissions[step]
    paths = np.zeros(emissions.shape[:2], np.int64)
    paths[-1] = state.argmax(axis=-1)
    layers = np.arange(emissions.shape[1])
    for step in range(len(emissions) - 1, 0, -1):
        paths[step - 1] = back[step, layers, paths[step]]
    return paths


def _posteriors(emissions: Scores, transitions: Scores, starts: Scores) -> Scores:
    """Probability of each label of each word, the same shape as the emissions."""
    forward = np.zeros_like(emissions)
    backward = np.zeros_like(emissions)
    forward[0] = emissions[0] + starts
    for step in range(1, len(emissions)):
        forward[step] = emissions[step] + _log_sum(forward[step - 1][:, :, None] + transitions, 1)
    for step in range(len(emissions) - 2, -1, -1):
        following = (emissions[step + 1] + backward[step + 1])[:, None, :]
        backward[step] = _log_sum(transitions + following, 2)
    joint = forward + backward
    chances: Scores = np.exp(joint - _log_sum(joint, 2)[..., None])
    return chances


def _log_sum(values: Scores, axis: int) -> Scores:
    top = values.max(axis=axis, keepdims=True)
    total: Scores = np.log(np.exp(values - top).sum(axis=axis)) + top.squeeze(axis)
    return total


def _spans(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Code, start and end of each entity of a valid BIO sequence."""
    spans: list[tuple[str, int, int]] = []
    for index, tag in enumerate(tags):
        if tag.startswith("B-"):
            spans.append((tag[2:], index, index + 1))
        elif tag.startswith("I-"):
            code, start, _ = spans[-1]
            spans[-1] = (code, start, index + 1)
    return spans


def _confidence(
    beliefs: Scores, paths: NDArray[np.int64], layer: int, start: int, end: int
) -> float:
    chosen = [beliefs[i, layer, paths[i, layer]] for i in range(start, end)]
    return min(1.0, float(min(chosen)))


def _agreed(entities: Sequence[Entity]) -> list[Entity]:
    """Leave out what contradicts a surer entity.

    A person or a place is nothing else at the same time; an organisation may be a brand too.
    """
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda e: -e.confidence):
        if not any(_contradict(entity, other) for other in kept):
            kept.append(entity)
    return kept


def _contradict(one: Entity, other: Entity) -> bool:
    overlap = one.start < other.end and other.start < one.end
    return overlap and bool(EXCLUSIVE & {one.code, other.code})
