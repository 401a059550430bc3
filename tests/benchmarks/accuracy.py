"""Measure the models on labelled data and write accuracy.json: `accuracy.py [CORPORA]`.

    python tests/benchmarks/accuracy.py CORPORA [--every N] [--specimens 60] [--only NAME…]

Cards and letters are drawn, so those two figures need nothing. The others need CORPORA (or the
variable ABSAH_CORPORA), a folder of public corpora, of which those that are there are measured:

    ocr/drivethru/LANGUAGE/*.png, *.txt    ragambahasa/rbocrdt-evaluation-metrics
    ocr/sroie/img/*.jpg, box/*.csv         zzzDavid/ICDAR-2019-SROIE
    detection/coco_val/images, labels      COCO val2017 with labels in YOLO's form
    ner/nergrit, nerp, idner2k             IndoNLP/indonlu and khairunnisaor/idner-news-2k
    authenticity/misd/spliced, masks       MISD (Kadam et al. 2021)

Each is measured by its model's own `evaluate` under ops/models, which tells how; intervals are
95 %, by bootstrap. "theirs" is measured in the same run where that can be done, else it is a
published figure; the note says whose.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import HERE, Figure, table
from rich.console import Console

ROOT = HERE.parents[1]
RAPIDOCR_ERRORS = {"balinese": 0.027, "javanese": 0.076, "minangkabau": 0.074, "sundanese": 0.040}
RAPIDOCR_RECALL = 0.920
RAPIDOCR = "RapidOCR 3.10.0 with the same models, on all files (plugins/ocr/README.md)"
PUBLISHED_F1 = {
    "nergrit": (79.9, "NusaBERT-large, published, on the test part"),
    "nerp": (85.1, "NusaBERT-large, published, on the test part"),
    "idner2k": (84.9, "the same model before its weights were stored in 8 bits (MODEL_CARD.md)"),
}
QUALITIES = ("as is", 90)
WIDTH = 110
"""Of the table, where it does not go to a terminal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What is asked for: the corpora, each which file of them, and how many specimens."""

    corpora: Path | None
    every: int
    specimens: int

    def evaluate(self, *arguments: str, folder: str = ".") -> Any:
        """Run an evaluation, a script or `-m module`, in a folder of the tree; its JSON."""
        with tempfile.TemporaryDirectory() as scratch:
            written = Path(scratch) / "figures.json"
            command = [sys.executable, *arguments, "--json", str(written)]
            ended = subprocess.run(
                command, cwd=ROOT / folder, capture_output=True, text=True, check=False
            )
            if ended.returncode:
                raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr}")
            return json.loads(written.read_text(encoding="utf-8"))

    def corpus(self, name: str) -> Path | None:
        """A corpus's folder, or None where it is not there."""
        folder = self.corpora / name if self.corpora else None
        return folder if folder and folder.is_dir() else None


def cards(run: Run) -> Iterator[Figure]:
    """Fields of drawn identity cards."""
    yield _fields(run, "identity")


def letters(run: Run) -> Iterator[Figure]:
    """Fields of drawn letters."""
    yield _fields(run, "letter")


def _fields(run: Run, checker: str) -> Figure:
    found = run.evaluate(*("ops/models/readers/measure.py", checker, "--count", str(run.specimens)))
    return Figure(
        name=f"{checker}_fields",
        ours=found["value"],
        theirs=1.0,
        unit="of all fields",
        at_least=0.9,
        interval=(found["low"], found["high"]),
        note=f"{found['fields']} fields of {found['files']} drawn specimens from clean to poor, "
        "against all that is printed",
    )


def ocr(run: Run) -> Iterator[Figure]:
    """Characters of paragraphs and words of receipts."""
    corpus = run.corpus("ocr")
    if not corpus:
        return
    module = ("-m", "ops.models.ocr.evaluate", str(corpus), "--every", str(run.every))
    for found in run.evaluate(*module):
        language = found["name"].removeprefix("character error rate, ")
        errors = language in RAPIDOCR_ERRORS
        yield Figure(
            name=f"ocr_errors_{language}" if errors else "ocr_words_receipts",
            ours=found["value"],
            theirs=RAPIDOCR_ERRORS[language] if errors else RAPIDOCR_RECALL,
            unit="edits/character" if errors else "of all words",
            **({"at_most": 1.0} if errors else {"at_least": 1.0}),
            interval=(found["low"], found["high"]),
            note=f"{found['files']} files; against {RAPIDOCR}",
        )


def objects(run: Run) -> Iterator[Figure]:
    """Boxes on photos, in three views against the one that the network is published for."""
    corpus = run.corpus("detection/coco_val")
    if not corpus:
        return
    module = ("-m", "ops.models.objects.evaluate", str(corpus), "--every", str(run.every))
    ours, theirs = (
        {f["name"]: f for f in run.evaluate(*module, *more)} for more in ((), ("--sizes", "416"))
    )
    for measure, name in (("mAP50-95", "objects_map50_95"), ("mAP50", "objects_map50")):
        yield Figure(
            name=name,
            ours=ours[measure]["ours"],
            theirs=theirs[measure]["ours"],
            unit=measure,
            at_least=1.0,
            interval=tuple(ours[measure]["interval"]),
            note="photos of COCO val2017; against one view of 416 pixels, measured in this run",
        )


def entities(run: Run) -> Iterator[Figure]:
    """Names in sentences, right in kind and extent."""
    corpus = run.corpus("ner")
    if not corpus:
        return
    model = str(ROOT / "model_repository" / "entities_ner")
    for row in run.evaluate(
        *("-m", "entities.evaluate", "--corpora", str(corpus), "--model", model),
        *("--casings", "as it is", "--every", str(run.every)),
        folder="ops/models",
    ):
        if row["code"] == "all":
            theirs, source = PUBLISHED_F1[row["corpus"]]
            yield Figure(
                name=f"entities_f1_{row['corpus']}",
                ours=row["f1"],
                theirs=theirs,
                unit="strict F1, %",
                at_least=0.9,
                interval=tuple(row["interval"]),
                note=f"{row['gold']} entities of the validation part; against {source}",
            )


def authenticity(run: Run) -> Iterator[Figure]:
    """Where a photo was pasted together, as saved and saved again."""
    corpus = run.corpus("authenticity/misd")
    if not corpus:
        return
    rows = run.evaluate(
        *("-m", "authenticity.evaluate", str(corpus), "--every", str(run.every)),
        folder="ops/models",
    )
    found = {(row["saved"], row["map"]): row for row in rows}
    for quality in QUALITIES:
        ours = found[quality, "heatmap"]
        yield Figure(
            name=f"splices_auc_{str(quality).replace(' ', '_')}",
            ours=ours["auc"],
            theirs=found[quality, "error levels"]["auc"],
            unit="AUC",
            at_least=1.0,
            interval=tuple(ours["interval"]),
            note=f"{ours['pictures']} photos of MISD, saved: {quality}; against error levels, "
            "measured in this run",
        )


MEASURES: dict[str, Callable[[Run], Iterator[Figure]]] = {
    each.__name__: each for each in (cards, letters, ocr, objects, entities, authenticity)
}


def main() -> int:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    run = Run(corpora=options.corpora, every=options.every, specimens=options.specimens)
    figures: list[Figure] = []
    unmeasured = []
    for name in options.only or MEASURES:
        with console.status(name):
            found = list(MEASURES[name](run))
        figures += found
        unmeasured += [] if found else [name]
    console.print(table(figures, digits=3))
    if unmeasured:
        console.print(_how_to_measure(unmeasured), soft_wrap=True)
    if not options.only:
        lines = json.dumps([figure.as_json() for figure in figures], indent=2)
        (ROOT / "accuracy.json").write_text(lines + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    named = os.environ.get("ABSAH_CORPORA")
    parser.add_argument("corpora", nargs="?", type=Path, default=Path(named) if named else None)
    parser.add_argument("--every", type=int, default=1, help="measure each N-th file only")
    parser.add_argument("--specimens", type=int, default=60, help="cards and letters to draw")
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), help="write no accuracy.json")
    options = parser.parse_args()
    if options.corpora:
        options.corpora = options.corpora.resolve()
        if not options.corpora.is_dir():
            parser.error(f"{options.corpora} is no folder")
    return options


def _how_to_measure(names: Sequence[str]) -> str:
    return (
        f"Not measured for want of corpora: {', '.join(names)}. Name a folder of them, "
        "`make accuracy CORPORA=folder`; `tests/benchmarks/accuracy.py --help` tells what is "
        "looked for in it and where it comes from."
    )


if __name__ == "__main__":
    sys.exit(main())
