"""Measure the checker `objects` on a folder of labelled photos.

    python -m ops.models.objects.evaluate FOLDER [--model objects_nanodet] [--sizes 320 448 608]
        [--possible-confidence 0.15] [--confidence 0.3] [--every N] [--json FILE]

FOLDER holds `images/*.jpg` and `labels/*.txt` in YOLO's form: a line a box, "class centre-x
centre-y width height" in fractions. The checker runs as a server would run it. Printed are
mAP50-95 and mAP50, and how well people are counted, each with a 95 % interval from a bootstrap
over the photos.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from absah_ops.models.golden import average_precision
from absah_ops.models.golden.average_precision import Matches
from absah_ops.models.golden.objects import found_boxes, read_labels
from absah_server.harness import open_harness
from absah_server.settings import Settings

PERSON = "person"
ROUNDS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """What one photo showed and what was found in it; boxes in fractions of its sides."""

    matches: Mapping[int, Matches]
    people: int
    counted: int
    possible: int
    seconds: float


async def examine(
    folder: Path, settings: Settings, labels: Sequence[str], *, every: int = 1
) -> list[Photo]:
    """Check each `every`-th photo of the folder, one after another."""
    photos = []
    async with open_harness("objects", settings) as harness:
        for file in sorted((folder / "images").glob("*.jpg"))[::every]:
            started = time.perf_counter()
            result = (await harness.check(file.read_bytes())).result
            seconds = time.perf_counter() - started
            labelled = read_labels(folder / "labels" / f"{file.stem}.txt")
            photos.append(
                Photo(
                    matches=average_precision.match(found_boxes(result, labels), labelled),
                    people=int((labelled.classes == labels.index(PERSON)).sum()),
                    counted=result.facts["counts"].get(PERSON, 0),
                    possible=result.facts["possible_counts"].get(PERSON, 0),
                    seconds=seconds,
                )
            )
    return photos


def _map(photos: Sequence[Photo]) -> float:
    return float(average_precision.average_precision([p.matches for p in photos]).mean())


def _map50(photos: Sequence[Photo]) -> float:
    return float(average_precision.average_precision([p.matches for p in photos])[0])


def _count_error(photos: Sequence[Photo]) -> float:
    return float(np.mean([abs(p.counted - p.people) for p in photos]))


def _exact(photos: Sequence[Photo]) -> float:
    return float(np.mean([p.counted == p.people for p in photos]))


def _few_error(photos: Sequence[Photo]) -> float:
    errors = [abs(p.counted - p.people) for p in photos if 1 <= p.people <= 4]
    return float(np.mean(errors)) if errors else 0.0


def _bounded(photos: Sequence[Photo]) -> float:
    bounded = [p.possible >= p.people for p in photos if p.people]
    return float(np.mean(bounded)) if bounded else 1.0


MEASURES: Mapping[str, Callable[[Sequence[Photo]], float]] = {
    "mAP50-95": _map,
    "mAP50": _map50,
    "people: mean error of the count": _count_error,
    "people: share of photos counted exactly": _exact,
    "people: mean error where 1 to 4 are labelled": _few_error,
    "people: share of photos with people not above the possible count": _bounded,
}


def interval(
    photos: Sequence[Photo], measure: Callable[[Sequence[Photo]], float]
) -> NDArray[np.float64]:
    """The 95 % interval of a measure over photos drawn with replacement, (2,)."""
    generator = np.random.default_rng(0)
    draws = generator.integers(0, len(photos), (ROUNDS, len(photos)))
    values = [measure([photos[i] for i in draw]) for draw in draws]
    return np.percentile(values, [2.5, 97.5])


def _settings(arguments: argparse.Namespace) -> Settings:
    wished = {
        "model": arguments.model,
        "sizes": arguments.sizes,
        "confidence": arguments.confidence,
        "possible_confidence": arguments.possible_confidence,
    }
    return Settings(checkers={"objects": {k: v for k, v in wished.items() if v is not None}})


def main() -> None:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="objects_nanodet")
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--confidence", type=float)
    parser.add_argument("--possible-confidence", type=float)
    parser.add_argument("--every", type=int, default=1, help="check each N-th photo only")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    settings = _settings(arguments)
    model = settings.inference.model_repository / arguments.model
    labels = (model / "labels.txt").read_text(encoding="utf-8").splitlines()
    photos = asyncio.run(examine(arguments.folder, settings, labels, every=arguments.every))
    if not photos:
        raise SystemExit(f"{arguments.folder} holds no images/*.jpg")
    seconds = float(np.median([photo.seconds for photo in photos]))
    print(f"{len(photos)} photos, {seconds * 1000:.0f} ms each (median)")
    figures: list[dict[str, Any]] = []
    for name, measure in MEASURES.items():
        value, (low, high) = measure(photos), interval(photos, measure)
        print(f"{value:7.3f}  [{low:.3f}, {high:.3f}]  {name}")
        figures.append({"name": name, "ours": value, "interval": [low, high]})
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
