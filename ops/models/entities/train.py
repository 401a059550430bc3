"""Fine-tune the encoder on all corpora at once.

    python -m entities.train --corpora DIR --prepared DIR --out DIR [--epochs 6] [--seed 1]

Only the "train" parts are read. After each epoch `epoch-N.pt` holds the weights and their
exponential moving average, so that training may be stopped at any time. On a busy machine
`--minutes` bounds the run: the learning rate then reaches zero when the time is up, and
`last.pt` is what was reached; log.jsonl tells the number of steps.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from absah_entities import tokenizing

from . import augment, batches, corpora, crf, encoder

ENCODER_RATE = 1.5e-4
HEAD_RATE = 1e-3
TRANSITION_RATE = 5e-3
LAYER_DECAY = 0.95
WEIGHT_DECAY = 0.01
WARM_UP = 0.06
AVERAGE_DECAY = 0.997


class Learner(nn.Module):
    """The tagger together with its CRF."""

    def __init__(self, tagger: encoder.Tagger) -> None:
        super().__init__()
        self.tagger = tagger
        self.crf = crf.PartialCRF(corpora.labels())

    def loss(self, batch: batches.Batch) -> Tensor:
        """Mean loss per word."""
        with torch.autocast("cpu", torch.bfloat16):
            scores = self.tagger(batch.input_ids, batch.attention_mask).float()
        index = batch.heads[..., None].expand(-1, -1, scores.shape[-1])
        words = scores.gather(1, index)
        layers, labels = batch.allowed.shape[1], batch.allowed.shape[3]
        emissions = words.unflatten(-1, (layers, labels)).transpose(1, 2)
        total: Tensor = self.crf.loss(emissions, batch.allowed, batch.lengths)
        return total / batch.lengths.sum()


def start(prepared: Path) -> Learner:
    """A learner with the prepared encoder and a fresh head."""
    stored = torch.load(prepared / "encoder.pt", weights_only=True)
    tagger = encoder.Tagger(encoder.Shape(**stored["shape"]))
    missing = tagger.load_state_dict(stored["weights"], strict=False)
    if set(missing.missing_keys) != {"head.weight", "head.bias"}:
        raise ValueError(f"{prepared} does not fit: {missing}")
    nn.init.normal_(tagger.head.weight, std=0.02)
    nn.init.zeros_(tagger.head.bias)
    return Learner(tagger)


def groups(learner: Learner) -> Iterator[dict[str, object]]:
    """Parameters with their learning rates: lower layers learn more slowly."""
    depth = learner.tagger.shape.layers
    for name, parameter in learner.named_parameters():
        parts = name.split(".")
        if parts[0] == "crf":
            rate = TRANSITION_RATE
        elif parts[1] == "head":
            rate = HEAD_RATE
        else:
            level = int(parts[2]) + 1 if parts[1] == "layers" else 0
            rate = ENCODER_RATE * LAYER_DECAY ** (depth - level)
        decay = WEIGHT_DECAY if parameter.dim() == 2 and parts[1] == "layers" else 0.0
        yield {"params": [parameter], "lr": rate, "weight_decay": decay}


def schedule(progress: float) -> float:
    """Factor of the learning rate at a progress of 0 to 1: linear warm-up, linear decay."""
    return min((progress + 0.002) / WARM_UP, max(0.0, (1.0 - progress) / (1.0 - WARM_UP)))


class Training:
    """One run over some epochs."""

    def __init__(self, learner: Learner, options: argparse.Namespace) -> None:
        self.learner = learner
        self.average = copy.deepcopy(learner).eval()
        self.options = options
        self.rng = random.Random(options.seed)
        self.sentences = sentences(options.corpora, options.repeat)
        self.augmenter = augment.Augmenter(self.sentences, augment.Rates(), self.rng)
        pieces = tokenizing.PieceTokenizer(options.prepared / "tokenizer.json")
        self.batcher = batches.Batcher(pieces, budget=options.budget)
        self.optimizer = torch.optim.AdamW(groups(learner), fused=True)
        self.step = 0
        self.began = time.monotonic()

    def run(self) -> None:
        """Train all epochs, writing a checkpoint after each."""
        epochs = self.options.epochs
        for epoch in range(1, epochs + 1):
            loss = self._epoch(epoch)
            ended = epoch == epochs or self._progress(epoch / epochs) >= 1.0
            self._save("last" if ended else f"epoch-{epoch}", loss)
            if ended:
                return

    def _epoch(self, epoch: int) -> float:
        made = self.batcher.batches(self.augmenter.epoch(self.sentences), self.rng)
        self.learner.train()
        smooth = 0.0
        bar = tqdm(made, desc=f"epoch {epoch}", mininterval=10)
        for index, batch in enumerate(bar):
            progress = self._progress((epoch - 1 + index / len(made)) / self.options.epochs)
            if progress >= 1.0:
                break
            loss = self._learn(batch, schedule(progress))
            smooth += (loss - smooth) / min(index + 1, 50)
            bar.set_postfix(loss=f"{smooth:.4f}", refresh=False)
        return smooth

    def _progress(self, done: float) -> float:
        """The share done of the run, or of its time where that is more."""
        spent_minutes = (time.monotonic() - self.began) / 60.0
        return max(done, spent_minutes / float(self.options.minutes))

    def _learn(self, batch: batches.Batch, factor: float) -> float:
        for group in self.optimizer.param_groups:
            group.setdefault("rate", group["lr"])
            group["lr"] = group["rate"] * factor
        loss = self.learner.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self._follow()
        return float(loss.detach())

    def _follow(self) -> None:
        """Move the average towards the weights."""
        decay = min(AVERAGE_DECAY, self.step / (self.step + 10))
        pairs = zip(self.average.parameters(), self.learner.parameters(), strict=True)
        with torch.no_grad():
            for ours, theirs in pairs:
                ours.lerp_(theirs, 1.0 - decay)

    def _save(self, name: str, loss: float) -> None:
        path = self.options.out / f"{name}.pt"
        shape = self.learner.tagger.shape
        encoder.save(path, self.learner, shape, average=self.average.state_dict())
        with (self.options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps({"checkpoint": name, "steps": self.step, "loss": loss}) + "\n")


def sentences(folder: Path, repeat: Sequence[str]) -> list[corpora.Sentence]:
    """Training sentences of all corpora; those of the corpora in `repeat` twice."""
    return [
        sentence
        for corpus in corpora.TYPES
        for sentence in corpora.read(folder, corpus, "train") * (2 if corpus in repeat else 1)
    ]


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--prepared", type=Path, required=True, help="what `prepare` wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end by then")
    parser.add_argument("--repeat", nargs="*", default=["nergrit", "idner2k"])
    parser.add_argument("--budget", type=int, default=1024, help="pieces a batch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    Training(start(options.prepared), options).run()


if __name__ == "__main__":
    main()
