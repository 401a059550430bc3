"""The network: a small fully convolutional one on planes of traces.

What is honest differs from picture to picture, so each plane is given twice: as measured, and as
its distance from the picture's own mean in units of its own spread; halfway through, the features'
mean over the picture is taken off once more. No layer normalises beyond that.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from absah_authenticity import traces

CHANNELS = 32
SPREAD_FLOOR = 1e-3


class Block(nn.Module):
    """Two convolutions beside a straight way; it starts as the straight way alone."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.second(F.relu(self.first(F.relu(features))))


class SpliceLocalizer(nn.Module):
    """Logits of "pasted" for every cell, (batch, 1, rows, columns), from traces of that size.

    Rows and columns must be even; `traces.measure` gives multiples of four.
    """

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.enter = nn.Conv2d(2 * traces.PLANES, channels, 3, padding=1)
        self.fine = Block(channels, 1)
        self.down = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.wide = nn.Sequential(*(Block(channels, dilation) for dilation in (1, 2, 4)))
        self.compare = nn.Conv2d(2 * channels, channels, 1)
        self.wider = nn.Sequential(*(Block(channels, dilation) for dilation in (1, 2, 4)))
        self.join = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.leave = nn.Conv2d(channels, 1, 1)

    def forward(self, planes: Tensor) -> Tensor:
        apart = planes - planes.mean((2, 3), keepdim=True)
        spread = (apart * apart).mean((2, 3), keepdim=True).add(SPREAD_FLOOR).sqrt()
        fine = self.fine(self.enter(torch.cat([planes, apart / spread], 1)))
        coarse = self.wide(self.down(fine))
        apart = coarse - coarse.mean((2, 3), keepdim=True)
        coarse = self.wider(self.compare(torch.cat([coarse, apart], 1)))
        coarse = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        logits: Tensor = self.leave(F.relu(self.join(torch.cat([fine, coarse], 1))))
        return logits
