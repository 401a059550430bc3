"""Make padded batches of sentences of about the same length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from absah_entities import tokenizing

from . import corpora

LONGEST = 254
SPECIAL = tokenizing.SpecialPieces()
SORTED_TOGETHER = 1500


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Ids and mask: (batch, pieces); heads: (batch, words), where each word's first piece is;
    allowed: (batch, layers, words, labels); lengths: (batch,) words."""

    input_ids: Tensor
    attention_mask: Tensor
    heads: Tensor
    allowed: Tensor
    lengths: Tensor


@dataclass(frozen=True, slots=True)
class _Item:
    ids: list[int]
    heads: list[int]
    allowed: list[list[list[bool]]]


class Batcher:
    """Cuts sentences into pieces, groups them by length and pads them."""

    def __init__(self, pieces: tokenizing.PieceTokenizer, *, budget: int) -> None:
        self._pieces = pieces
        self._budget = budget

    def batches(self, sentences: Sequence[corpora.Sentence], rng: random.Random) -> list[Batch]:
        """All sentences in batches of at most `budget` pieces, padding included."""
        grouped: list[Batch] = []
        for start in range(0, len(sentences), SORTED_TOGETHER):
            some = [self._item(s) for s in sentences[start : start + SORTED_TOGETHER]]
            some.sort(key=lambda item: len(item.ids))
            grouped.extend(_pad(group) for group in self._group(some))
        rng.shuffle(grouped)
        return grouped

    def _item(self, sentence: corpora.Sentence) -> _Item:
        ids, heads = [SPECIAL.bos], []
        for word in self._pieces.pieces(sentence.words):
            if len(ids) + len(word) > LONGEST + 1:
                break
            heads.append(len(ids))
            ids.extend(word)
        ids.append(SPECIAL.eos)
        return _Item(ids, heads, corpora.allowed(sentence))

    def _group(self, items: Sequence[_Item]) -> Iterator[list[_Item]]:
        group: list[_Item] = []
        for item in items:
            if group and len(item.ids) * (len(group) + 1) > self._budget:
                yield group
                group = []
            group.append(item)
        if group:
            yield group


def _pad(items: Sequence[_Item]) -> Batch:
    longest = max(len(i.ids) for i in items)
    words = max(len(i.heads) for i in items)
    layers, labels = len(items[0].allowed), len(items[0].allowed[0][0])
    batch = Batch(
        input_ids=torch.ones(len(items), longest, dtype=torch.long),
        attention_mask=torch.zeros(len(items), longest),
        heads=torch.zeros(len(items), words, dtype=torch.long),
        allowed=torch.ones(len(items), layers, words, labels, dtype=torch.bool),
        lengths=torch.tensor([len(i.heads) for i in items]),
    )
    for row, item in enumerate(items):
        size, count = len(item.ids), len(item.heads)
        batch.input_ids[row, :size] = torch.tensor(item.ids)
        batch.attention_mask[row, :size] = 1
        batch.heads[row, :count] = torch.tensor(item.heads)
        batch.allowed[row, :, :count] = torch.tensor([layer[:count] for layer in item.allowed])
    return batch
