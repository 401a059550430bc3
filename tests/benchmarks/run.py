"""Run the benchmarks and write bench.json: `python tests/benchmarks/run.py [NAME…]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import bridge
import core
import decoding
import durability
import jobs
import ocr
import serving
from measuring import HERE, Figure, table
from rich.console import Console

BENCHMARKS: tuple[Callable[[], Figure], ...] = (
    core.core_vs_bare_echo,
    jobs.jobs_vs_procrastinate,
    decoding.decode_sandboxed_vs_inline,
    durability.durable_vs_bare_inserts,
    durability.list_first_page,
    durability.list_thousandth_page,
    serving.serving_local_vs_onnxruntime,
    serving.serving_local_vs_onnxruntime_one_by_one,
    *(serving.of_model(model) for model in serving.MODELS),
    serving.serving_local_vs_triton,
    ocr.ocr_server_vs_rapidocr,
    ocr.memory_all_models,
    bridge.bridge_vs_pika,
    bridge.bridge_vs_faststream,
    bridge.bridge_vs_celery,
    bridge.bridge_memory_growth,
)


def main(names: list[str]) -> int:
    console = Console()
    known = [benchmark.__name__ for benchmark in BENCHMARKS]
    if unknown := sorted(set(names) - set(known)):
        console.print(f"No benchmark is called {', '.join(unknown)}; there are {', '.join(known)}.")
        return 2
    chosen = [b for b in BENCHMARKS if not names or b.__name__ in names]
    figures = []
    for benchmark in chosen:
        with console.status(benchmark.__name__):
            figure = benchmark()
        console.print(f"{figure.name}: {figure.ratio:.2f}", highlight=False)
        figures.append(figure)
    console.print(table(figures, digits=1))
    if not names:
        lines = json.dumps([figure.as_json() for figure in figures], indent=2)
        (HERE.parents[1] / "bench.json").write_text(lines + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
