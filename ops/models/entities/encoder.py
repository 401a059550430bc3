"""The network: a BERT encoder and a linear layer that scores labels for every piece."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Sizes of the network."""

    pieces: int
    labels: int
    hidden: int = 384
    layers: int = 12
    heads: int = 12
    feed_forward: int = 1536
    positions: int = 512
    epsilon: float = 1e-12


class Layer(nn.Module):
    """One transformer layer, normalised after each residual sum as in BERT."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = dropout
        self.query_key_value = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.attended = nn.Linear(shape.hidden, shape.hidden)
        self.attended_norm = nn.LayerNorm(shape.hidden, shape.epsilon)
        self.widen = nn.Linear(shape.hidden, shape.feed_forward)
        self.narrow = nn.Linear(shape.feed_forward, shape.hidden)
        self.narrow_norm = nn.LayerNorm(shape.hidden, shape.epsilon)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        batch, length, hidden = states.shape
        mixed = self.query_key_value(states)
        mixed = mixed.view(batch, length, 3, self.heads, hidden // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        bias = bias.to(query.dtype)
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        context = self.attended(context.transpose(1, 2).reshape(batch, length, hidden))
        states = self.attended_norm(states + self._drop(context))
        widened = functional.gelu(self.widen(states))
        normed: Tensor = self.narrow_norm(states + self._drop(self.narrow(widened)))
        return normed

    def _drop(self, values: Tensor) -> Tensor:
        return functional.dropout(values, self.dropout, self.training)


class Tagger(nn.Module):
    """Scores of every label for every piece: (batch, length) ids → (batch, length, labels)."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.words = nn.Embedding(shape.pieces, shape.hidden)
        self.places = nn.Embedding(shape.positions, shape.hidden)
        self.embedding_norm = nn.LayerNorm(shape.hidden, shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.head = nn.Linear(shape.hidden, shape.labels)

    def encode(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        states = self.embedding_norm(self.words(input_ids) + self.places(places))
        states = functional.dropout(states, self.dropout, self.training)
        bias = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * -1e4
        for layer in self.layers:
            states = layer(states, bias)
        encoded: Tensor = states
        return encoded

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encode(input_ids, attention_mask)
        states = functional.dropout(states, self.dropout, self.training)
        scores: Tensor = self.head(states)
        return scores


def save(path: Path, model: nn.Module, shape: Shape, **more: Any) -> None:
    """Save weights, sizes and whatever else belongs to them."""
    torch.save({"weights": model.state_dict(), "shape": asdict(shape), **more}, path)
