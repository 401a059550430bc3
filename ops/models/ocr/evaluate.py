"""Measure how well the checker `ocr` reads a folder of labelled corpora, as a user meets it.

    python -m ops.models.ocr.evaluate CORPORA [--reader absah|rapidocr] [--every N] [--json FILE]

CORPORA holds `drivethru/<language>/<stem>.png` with `<stem>.txt`, and `sroie/img/<stem>.jpg` with
`sroie/box/<stem>.csv` (eight coordinates and the text of each line). Two figures:

- character error rate of paragraphs: edits (Levenshtein) by characters of the transcript, summed
  over a language, lower is better; a run of white space counts as one blank;
- word recall of receipts: words of the transcript (runs of letters and digits, case folded) that
  were read, each as often as it is there, summed over all receipts.

Intervals: 95 %, percentile bootstrap over files. RapidOCR, for comparison, is installed apart
(`pip install rapidocr==3.10.0`) and is run as it comes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from absah_ops.models.golden.measures import paragraph_errors

ROUNDS = 2000

Read = Callable[[Path], Awaitable[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure over a corpus, with its interval."""

    name: str
    files: int
    value: float
    low: float
    high: float


@asynccontextmanager
async def absah() -> AsyncIterator[Read]:
    """The checker, run as the server runs it."""
    from absah_server.harness import open_harness

    async with open_harness("ocr") as harness:

        async def read(file: Path) -> str:
            checked = await harness.check(file.read_bytes(), filename=file.name)
            return str(checked.result.facts.get("text", ""))

        yield read


@asynccontextmanager
async def rapidocr() -> AsyncIterator[Read]:
    """RapidOCR with its defaults; its boxes in the order that it gives them."""
    from rapidocr import RapidOCR  # type: ignore[import-not-found]

    engine = RapidOCR(params={"Global.log_level": "error"})

    async def read(file: Path) -> str:
        return "\n".join(engine(str(file)).txts or ())

    yield read


READERS = {"absah": absah, "rapidocr": rapidocr}


async def measure(corpora: Path, read: Read, *, every: int = 1) -> list[Figure]:
    """Read each `every`-th file, one after another, and sum up."""
    figures = []
    for language in sorted(path for path in (corpora / "drivethru").iterdir() if path.is_dir()):
        pairs = [
            paragraph_errors(image.with_suffix(".txt").read_text("utf-8"), await read(image))
            for image in sorted(language.glob("*.png"))[::every]
        ]
        figures.append(_figure(f"character error rate, {language.name}", pairs))
    receipts = []
    for image in sorted((corpora / "sroie" / "img").iterdir())[::every]:
        truth = corpora / "sroie" / "box" / f"{image.stem}.csv"
        with truth.open(encoding="utf-8", errors="replace") as lines:
            receipts.append(words_found(" ".join(_texts(lines)), await read(image)))
    figures.append(_figure("word recall, receipts", receipts))
    return figures


def words_found(truth: str, text: str) -> tuple[int, int]:
    """How many words of `truth` are in `text`, and how many there are."""
    expected, found = (Counter(re.findall(r"[^\W_]+", each.casefold())) for each in (truth, text))
    return (expected & found).total(), expected.total()


def _texts(lines: TextIO) -> Iterator[str]:
    for line in lines:
        if line.strip():
            yield line.rstrip("\n").split(",", 8)[8]


def _figure(name: str, pairs: Sequence[tuple[int, int]]) -> Figure:
    counts = np.array(pairs)
    generator = np.random.default_rng(0)
    drawn = [_ratio(counts[generator.integers(0, len(counts), len(counts))]) for _ in range(ROUNDS)]
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Figure(name=name, files=len(pairs), value=_ratio(counts), low=low, high=high)


def _ratio(counts: NDArray[np.int64]) -> float:
    return float(counts[:, 0].sum() / counts[:, 1].sum())


async def _run(corpora: Path, reader: str, every: int) -> list[Figure]:
    async with READERS[reader]() as read:
        return await measure(corpora, read, every=every)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--reader", choices=READERS, default="absah")
    parser.add_argument("--every", type=int, default=1, help="read each N-th file only")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    arguments = parser.parse_args()
    figures = asyncio.run(_run(arguments.corpora, arguments.reader, arguments.every))
    for figure in figures:
        print(
            f"{figure.name:40} {figure.value:.4f}  [{figure.low:.4f}, {figure.high:.4f}]"
            f"  {figure.files} files"
        )
    if arguments.json:
        rows: list[Mapping[str, object]] = [asdict(figure) for figure in figures]
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
