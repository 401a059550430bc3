"""Measure a model folder on the corpora as a user would meet it: from raw text to spans.

    python -m entities.evaluate --corpora DIR --model model_repository/entities_ner [--json FILE]

A sentence is its tokens joined by blanks. An entity counts as found if it has the right code
and covers the right tokens, all and no others (micro F1, as seqeval counts; a token is covered
if a span overlaps it). Codes that a corpus does not mark are not counted there. Intervals: 95 %,
percentile bootstrap over sentences (Efron 1979).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from absah_entities import decoding, tokenizing

from . import corpora

BATCH = 16
ROUNDS = 2000
CASINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "lower": str.lower,
    "upper": str.upper,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Entities of each sentence: right, predicted, gold; each (sentences,)."""

    right: NDArray[np.int64]
    predicted: NDArray[np.int64]
    gold: NDArray[np.int64]

    def f1(self, chosen: NDArray[np.int64] | slice = slice(None)) -> float:
        """Micro F1 in percent over the chosen sentences."""
        total = self.predicted[chosen].sum() + self.gold[chosen].sum()
        return 200.0 * float(self.right[chosen].sum()) / max(1.0, float(total))

    def interval(self, rng: np.random.Generator) -> tuple[float, float]:
        """95 % bootstrap interval of F1."""
        size = len(self.gold)
        drawn = [self.f1(rng.integers(0, size, size)) for _ in range(ROUNDS)]
        low, high = np.percentile(drawn, [2.5, 97.5])
        return float(low), float(high)


class Model:
    """A model folder: tokenizer, ONNX model and decoder."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = str(folder / "1" / "model.onnx")
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._pieces = tokenizing.PieceTokenizer(folder / "tokenizer.json")
        self._decoder = decoding.Decoder.from_file(folder / "decoder.json")

    def entities(self, texts: Sequence[str]) -> list[list[decoding.Entity]]:
        """Entities of each text."""
        cut = [self._pieces.windows(text) for text in texts]
        windows = [window for some in cut for window in some]
        scores: list[decoding.Scores] = [np.zeros((0, 0), np.float32)] * len(windows)
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].input_ids))
        for start in tqdm(range(0, len(order), BATCH), mininterval=5, leave=False):
            chosen = order[start : start + BATCH]
            for index, scored in zip(chosen, self._run([windows[i] for i in chosen]), strict=True):
                scores[index] = scored
        left = iter(scores)
        return [
            self._decoder.entities(text, some, [next(left) for _ in some])
            for text, some in zip(texts, cut, strict=True)
        ]

    def _run(self, windows: Sequence[tokenizing.Window]) -> decoding.Scores:
        longest = max(len(w.input_ids) for w in windows)
        ids = np.ones((len(windows), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window.input_ids)] = window.input_ids
            mask[row, : len(window.input_ids)] = 1
        (logits,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        scores: decoding.Scores = logits
        return scores


def on_tokens(tokens: Sequence[str], spans: Sequence[decoding.Entity]) -> set[corpora.Entity]:
    """Spans of the tokens' joined text as ranges of tokens."""
    ends = np.cumsum([len(t) + 1 for t in tokens]) - 1
    starts = ends - [len(t) for t in tokens]
    return {
        corpora.Entity(
            span.code,
            int(np.searchsorted(ends, span.start, side="right")),
            int(np.searchsorted(starts, span.end, side="left")),
        )
        for span in spans
    }


def count(
    model: Model, folder: Path, corpus: str, part: str, casing: Callable[[str], str], every: int
) -> dict[str, Counts]:
    """Counts by code, and for all codes of the corpus ("all"), in each `every`-th sentence."""
    types = corpora.TYPES[corpus]
    rows = list(corpora.read_bio(folder / corpus / f"{part}.txt"))[::every]
    texts = [" ".join(map(casing, tokens)) for tokens, _ in rows]
    found = model.entities(texts)
    pairs = [
        (on_tokens([casing(t) for t in tokens], spans), set(corpora.entities_of(tags, types)))
        for (tokens, tags), spans in zip(rows, found, strict=True)
    ]
    codes = sorted(set(types.values()))
    return {name: _count(pairs, chosen) for name, chosen in _choices(codes)}


def _choices(codes: Sequence[str]) -> Iterator[tuple[str, set[str]]]:
    yield "all", set(codes)
    for code in codes:
        yield code, {code}


def _count(
    pairs: Sequence[tuple[set[corpora.Entity], set[corpora.Entity]]], codes: set[str]
) -> Counts:
    kept = [[{e for e in side if e.code in codes} for side in pair] for pair in pairs]
    return Counts(
        right=np.array([len(found & gold) for found, gold in kept]),
        predicted=np.array([len(found) for found, _ in kept]),
        gold=np.array([len(gold) for _, gold in kept]),
    )


def measure(
    model: Model, folder: Path, part: str, casings: Sequence[str], *, every: int = 1
) -> list[dict[str, Any]]:
    """Figures of every corpus, casing and code, from each `every`-th sentence."""
    figures = []
    for corpus in corpora.TYPES:
        for casing in casings:
            counted = count(model, folder, corpus, part, CASINGS[casing], every)
            for code, counts in counted.items():
                low, high = counts.interval(np.random.default_rng(0))
                figures.append(
                    {
                        "corpus": corpus,
                        "casing": casing,
                        "code": code,
                        "f1": round(counts.f1(), 1),
                        "interval": [round(low, 1), round(high, 1)],
                        "gold": int(counts.gold.sum()),
                    }
                )
    return figures


def main() -> None:
    """Parse the command line and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--model", type=Path, required=True, help="the model's folder")
    parser.add_argument("--part", default="valid")
    parser.add_argument("--casings", nargs="*", choices=list(CASINGS), default=list(CASINGS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="read each N-th sentence only")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    model = Model(options.model, threads=options.threads)
    figures = measure(model, options.corpora, options.part, options.casings, every=options.every)
    print(f"{'corpus':<9}{'casing':<10}{'code':<5}{'F1':>6}   95 % interval   gold")
    for row in figures:
        low, high = row["interval"]
        print(
            f"{row['corpus']:<9}{row['casing']:<10}{row['code']:<5}{row['f1']:>6}"
            f"   {low:>5} to {high:<6} {row['gold']:>6}"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
