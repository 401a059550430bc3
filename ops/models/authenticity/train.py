"""Train the localiser on splices made from honest photographs.

    cd ops/models && python -m authenticity.train --photos DIR --out FILE.pt [--minutes 20]

Samples are made first, in parts that `--cache` keeps, so that a stopped run goes on. Every fifth
photo by name is held out: from those come the pictures that the log measures. `photos.md` lists
the photographs that the shipped model was trained on and where they come from.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from absah_authenticity import traces
from absah_ops.models.golden.measures import area_under_curve

from . import network, splices

SIZE = (320, 256)
PART = 500
BATCH = 16
RATE = 2e-3
WEIGHT_DECAY = 1e-2
WARM_UP_STEPS = 50
AVERAGE_DECAY = 0.995
OVERLAP_WEIGHT = 0.3
HELD_OUT_EVERY = 5
HELD_OUT_SAMPLES = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """Traces, float16 (count, planes, rows, columns), and what share of each cell was pasted."""

    planes: NDArray[Any]
    masks: NDArray[Any]


def make(photos: Sequence[splices.Picture], count: int, seed: int) -> Samples:
    """Make samples; the same seed makes the same ones."""
    rng = np.random.default_rng(seed)
    planes, masks = [], []
    for _ in range(count):
        sample = splices.sample(rng, photos, SIZE)
        picture = cv2.cvtColor(sample.picture, cv2.COLOR_BGR2RGB)
        planes.append(traces.measure(picture).astype(np.float16))
        masks.append(cells(sample.mask))
    return Samples(planes=np.stack(planes), masks=np.stack(masks))


def cells(mask: splices.Mask) -> NDArray[Any]:
    """The share of each cell that a mask covers."""
    size = (mask.shape[1] // traces.CELL, mask.shape[0] // traces.CELL)
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def prepared(photos: Sequence[splices.Picture], count: int, seed: int, cache: Path) -> Samples:
    """Make samples in parts, or read the parts that are there already."""
    cache.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, count, PART):
        path = cache / f"{seed}-{start}.npz"
        if not path.exists():
            made = make(photos, min(PART, count - start), seed * 100_000 + start)
            np.savez(path, planes=made.planes, masks=made.masks)
            print(f"made {start + PART} samples", flush=True)
        with np.load(path) as stored:
            parts.append(Samples(planes=stored["planes"], masks=stored["masks"]))
    return Samples(
        planes=np.concatenate([part.planes for part in parts]),
        masks=np.concatenate([part.masks for part in parts]),
    )


def loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the cells, and how little prediction and mask overlap (Dice)."""
    entropy = F.binary_cross_entropy_with_logits(logits, masks)
    found = torch.sigmoid(logits)
    shared, both = (found * masks).sum((1, 2, 3)), (found + masks).sum((1, 2, 3))
    return entropy + OVERLAP_WEIGHT * (1 - (2 * shared + 1) / (both + 1)).mean()


def measure(model: network.SpliceLocalizer, samples: Samples) -> float:
    """Mean AUC over the spliced samples."""
    areas = []
    with torch.no_grad():
        for planes, mask in zip(samples.planes, samples.masks, strict=True):
            if 0 < (mask > 0.5).mean() < 1:
                logits = model(torch.from_numpy(planes.astype(np.float32))[None])
                areas.append(area_under_curve(logits[0, 0].numpy(), mask > 0.5))
    return float(np.mean(areas))


def train(
    samples: Samples, held_out: Samples, minutes: float, seed: int
) -> network.SpliceLocalizer:
    """Train for so many minutes and return the running average of the weights."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = network.SpliceLocalizer().to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE_DECAY)
    )
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    start, step = time.monotonic(), 0
    while (done := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            rising = min(1.0, (step + 1) / WARM_UP_STEPS)
            group["lr"] = RATE * rising * (0.5 + 0.5 * math.cos(math.pi * done))
        chosen = rng.integers(0, len(samples.planes), BATCH)
        planes = torch.from_numpy(samples.planes[chosen].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(planes.contiguous(memory_format=torch.channels_last))
        cost = loss(logits.float(), torch.from_numpy(samples.masks[chosen])[:, None])
        optimizer.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        step += 1
        if step % 500 == 0:
            area = measure(average.module, held_out)
            print(f"step {step}, done {done:.2f}, held-out AUC {area:.4f}", flush=True)
    print(f"step {step}, held-out AUC {measure(average.module, held_out):.4f}", flush=True)
    trained: network.SpliceLocalizer = average.module
    return trained


def main() -> None:
    """Read photos, make samples, train, and write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("samples"))
    parser.add_argument("--samples", type=int, default=7000)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = splices.load_photos(arguments.photos)
    held = photos[::HELD_OUT_EVERY]
    rest = [photo for at, photo in enumerate(photos) if at % HELD_OUT_EVERY]
    samples = prepared(rest, arguments.samples, arguments.seed, arguments.cache)
    held_out = prepared(held, HELD_OUT_SAMPLES, arguments.seed + 1, arguments.cache)
    model = train(samples, held_out, arguments.minutes, arguments.seed)
    torch.save(model.state_dict(), arguments.out)


if __name__ == "__main__":
    main()
