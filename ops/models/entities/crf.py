"""A linear-chain CRF (Lafferty et al. 2001) over sets of allowed labels (Tsuboi et al. 2008)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4


class PartialCRF(nn.Module):
    """CRFs of several layers with as many labels each, trained on partly known labels.

    `transitions[layer, i, j]` scores label j after label i, `starts[layer, j]` label j first.
    What BIO forbids scores FORBIDDEN and stays so.
    """

    def __init__(self, layers: Sequence[Sequence[str]]) -> None:
        super().__init__()
        count, size = len(layers), len(layers[0])
        self.transitions = nn.Parameter(torch.zeros(count, size, size))
        self.starts = nn.Parameter(torch.zeros(count, size))
        barred = [[[_barred(a, b) for b in names] for a in names] for names in layers]
        barred_first = [[name.startswith("I-") for name in names] for names in layers]
        self.register_buffer("barred", torch.tensor(barred), persistent=False)
        self.register_buffer("barred_first", torch.tensor(barred_first), persistent=False)

    def scores(self) -> tuple[Tensor, Tensor]:
        """Transitions and starts with what is forbidden filled in."""
        barred, barred_first = self.get_buffer("barred"), self.get_buffer("barred_first")
        return (
            self.transitions.masked_fill(barred, FORBIDDEN),
            self.starts.masked_fill(barred_first, FORBIDDEN),
        )

    def loss(self, emissions: Tensor, allowed: Tensor, lengths: Tensor) -> Tensor:
        """Negative log likelihood of the allowed label sequences, summed over layers and batch.

        emissions: (batch, layers, words, labels); allowed: the same shape, bool;
        lengths: (batch,) words. Words beyond a length are ignored.
        """
        limited = emissions.masked_fill(~allowed, FORBIDDEN)
        everything = self._log_partition(torch.stack([emissions, limited]), lengths)
        return (everything[0] - everything[1]).sum()

    def _log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        transitions, starts = self.scores()
        state = emissions[..., 0, :] + starts
        for step in range(1, emissions.shape[-2]):
            moved = torch.logsumexp(state[..., :, None] + transitions, dim=-2)
            going = (lengths > step)[None, :, None, None]
            state = torch.where(going, moved + emissions[..., step, :], state)
        return torch.logsumexp(state, dim=-1)


def _barred(before: str, after: str) -> bool:
    return after.startswith("I-") and before[2:] != after[2:]
