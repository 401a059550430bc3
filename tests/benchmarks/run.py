"""Run the benchmarks and write bench.json: `python tests/benchmarks/run.py [NAME…]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import core
import decoding
import ocr
import serving
from measuring import HERE, Figure
from rich.console import Console
from rich.table import Table

BENCHMARKS: tuple[Callable[[], Figure], ...] = (
    core.core_vs_bare_echo,
    decoding.decode_sandboxed_vs_inline,
    serving.serving_local_vs_onnxruntime,
    serving.serving_local_vs_onnxruntime_ocr_detection,
    serving.serving_local_vs_onnxruntime_objects_nanodet,
    serving.serving_local_vs_onnxruntime_entities_ner,
    ocr.ocr_server_vs_rapidocr,
    ocr.memory_all_models,
)


def main(names: list[str]) -> int:
    console = Console()
    chosen = [b for b in BENCHMARKS if not names or b.__name__ in names]
    figures = []
    for benchmark in chosen:
        with console.status(benchmark.__name__):
            figures.append(benchmark())
    table = Table("figure", "ours", "theirs", "unit", "ratio", "should be", "")
    for figure in figures:
        wanted = f"≥ {figure.at_least}" if figure.at_least is not None else f"≤ {figure.at_most}"
        table.add_row(
            figure.name,
            f"{figure.ours:.1f}",
            f"{figure.theirs:.1f}",
            figure.unit,
            f"{figure.ratio:.2f}",
            wanted,
            "[green]met[/]" if figure.met else "[red]missed[/]",
        )
    console.print(table)
    if not names:
        lines = json.dumps([figure.as_json() for figure in figures], indent=2)
        (HERE.parents[1] / "bench.json").write_text(lines + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
