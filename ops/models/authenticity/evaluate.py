"""Measure localisation and false alarms on a folder of spliced and authentic photographs.

    cd ops/models && python -m authenticity.evaluate CORPUS [--every N] [--json FILE]

CORPUS holds `spliced/NAME.jpg` with `masks/NAME.png` (white: pasted) and `authentic/`. Both kinds
are measured as they are and saved again at the same qualities, so that no format gives a class
away. Beside the map stand two baselines: error levels at one quality, and a blurred gradient that
knows only what the picture shows. A map is worth what it has over that.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from absah_authenticity import heatmap, jpeg, judgeable, judging, localisation, pixels, traces
from absah_authenticity.exif import Exif
from absah_authenticity.reading import FileSignals
from absah_authenticity.settings import AuthenticitySettings
from absah_ops.models.golden.measures import area_under_curve
from absah_sdk import Page

from . import measures

REPOSITORY = Path(__file__).parents[3] / "model_repository"
QUALITIES = (None, 95, 90, 75)
ROUNDS = 2000
Picture = NDArray[Any]


class Localiser:
    """The shipped network, run as the checker runs it."""

    def __init__(self, repository: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = repository / localisation.MODEL / "1" / "model.onnx"
        self.session = onnxruntime.InferenceSession(str(path), options)
        self.settings = AuthenticitySettings()

    def __call__(self, picture: Picture) -> localisation.Localisation:
        analysed = traces.bounded(
            picture,
            max_native_pixels=self.settings.max_native_pixels,
            shrunk_pixels=self.settings.shrunk_pixels,
        )
        planes, size = traces.measure(analysed), (analysed.shape[1], analysed.shape[0])
        inputs = {localisation.INPUT: planes[np.newaxis]}
        (logits,) = self.session.run([localisation.OUTPUT], inputs)
        return localisation.localise(logits[0, 0], planes, size)

    def heatmap(self, picture: Picture) -> Picture:
        """The map as the checker returns it, 8 bit grey of the picture's size, in [0, 1]."""
        size = (picture.shape[1], picture.shape[0])
        png = heatmap.draw(self(picture).map_, size, 1).content
        return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) / 255


def content_baseline(picture: Picture) -> Picture:
    """Where the picture is busy: the gradient, blurred. Knows nothing of tampering."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return cv2.GaussianBlur(np.hypot(across, down), (0, 0), 12)


def error_level_baseline(picture: Picture) -> Picture:
    """Error level analysis alone: the change when saved again at quality 95, blurred."""
    again = traces.saved_again(picture[..., ::-1].copy(), 95)[..., ::-1]
    return cv2.GaussianBlur(cv2.absdiff(picture, again).max(axis=2).astype(np.float32), (0, 0), 10)


def saved(picture: Picture, quality: int | None) -> Picture:
    """The picture as it is, or after saving it as JPEG."""
    if quality is None:
        return picture
    return traces.saved_again(picture[..., ::-1].copy(), quality)[..., ::-1].copy()


def spliced(corpus: Path, every: int) -> Iterator[tuple[Picture, NDArray[np.bool_]]]:
    """Pictures, (height, width, 3) RGB, with their masks; a mask of one kind only is left out."""
    for path in sorted((corpus / "spliced").iterdir())[::every]:
        mask = cv2.imread(str(corpus / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE) > 127
        if 0 < mask.mean() < 1:
            yield _read(path), mask


def _read(path: Path) -> Picture:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def localisation_table(localiser: Localiser, corpus: Path, every: int) -> list[dict[str, Any]]:
    """Mean AUC and F1 over pictures, for the map and the baselines, at each quality.

    `interval` is that of the AUC: 95 %, percentile bootstrap over pictures.
    """
    maps = {
        "heatmap": localiser.heatmap,
        "error levels": error_level_baseline,
        "content only": content_baseline,
    }
    rows = []
    for quality in QUALITIES:
        found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for picture, mask in spliced(corpus, every):
            again = saved(picture, quality)
            for name, draw in maps.items():
                map_ = draw(again)
                found[name].append(_measured(map_, mask))
        for name, values in found.items():
            means = np.mean(values, axis=0).round(3).tolist()
            figures = dict(zip(("auc", "best_f1", "f1_at_half"), means, strict=True))
            row = {"saved": quality or "as is", "map": name, "pictures": len(values)}
            rows.append(row | figures | {"interval": _interval([auc for auc, _, _ in values])})
    return rows


def _interval(values: Sequence[float]) -> list[float]:
    drawn = np.random.default_rng(0).choice(np.array(values), (ROUNDS, len(values))).mean(axis=1)
    bounds: list[float] = np.percentile(drawn, [2.5, 97.5]).round(3).tolist()
    return bounds


def _measured(map_: Picture, mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    fixed = measures.f1(map_, mask, 0.5) if map_.max() <= 1 else float("nan")
    return area_under_curve(map_, mask), measures.best_f1(map_, mask), fixed


def outcome_table(localiser: Localiser, folder: Path, every: int) -> list[dict[str, Any]]:
    """How pictures without metadata end at each quality, and by which codes."""
    rows = []
    for quality in QUALITIES:
        outcomes: Counter[str] = Counter()
        codes: Counter[str] = Counter()
        for path in sorted(folder.iterdir())[::every]:
            outcome, found = judged(localiser, saved(_read(path), quality), quality or 100)
            outcomes[outcome] += 1
            codes.update(found)
        row = {"folder": folder.name, "saved": quality or "as is", "codes": dict(codes)}
        rows.append(row | outcomes)
    return rows


def judged(localiser: Localiser, picture: Picture, quality: int) -> tuple[str, set[str]]:
    """Outcome and codes of a picture whose file says nothing."""
    settings, size = localiser.settings, (picture.shape[1], picture.shape[0])
    header = cv2.imencode(".jpg", picture[:16, :16], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    structure = jpeg.read(header.tobytes())
    file = FileSignals(provenance=None, tags=Exif(), structure=structure)
    seen = pixels.examine(Page(number=1, pixels=picture), file, settings)
    found = localiser(picture)
    findings = [*pixels.copy_findings(seen, 1, settings), *localisation.findings(found, 1)]
    findings += judgeable.findings(size, seen.flat_share, structure, settings)
    score = judging.score(findings, found.evidence)
    outcome = judging.outcome(findings, score, review_score=settings.review_score)
    return outcome.value, {finding.code for finding in findings}


def main() -> None:
    """Print the tables, one JSON object a line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--repository", type=Path, default=REPOSITORY)
    parser.add_argument("--every", type=int, default=1, help="measure each N-th picture only")
    parser.add_argument(
        "--json", type=Path, help="write the localisation to this file, and measure nothing else"
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    localiser = Localiser(arguments.repository)
    rows = localisation_table(localiser, arguments.corpus, arguments.every)
    for row in rows:
        print(json.dumps(row), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
        return
    for folder in ("authentic", "spliced"):
        for row in outcome_table(localiser, arguments.corpus / folder, arguments.every):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
