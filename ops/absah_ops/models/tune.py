"""`absah models tune`: find the engine and thread plan that serve each model best here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.status import Status

from absah_ops import showing
from absah_ops.models import addresses
from absah_server.inference import tuning
from absah_server.inference.tuning import Tuning


@click.command()
@click.argument("models", nargs=-1)
@click.option(
    "--rounds", type=click.IntRange(3), default=7, show_default=True, help="Rounds of each plan."
)
@click.option(
    "--seconds", type=click.FloatRange(0.05), default=0.5, show_default=True, help="Of a round."
)
@click.option(
    "--more-memory-mib",
    type=click.IntRange(0),
    default=192,
    show_default=True,
    help="How much memory a faster engine may take beyond ONNX Runtime, for each model.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tune(
    models: Sequence[str],
    rounds: int,
    seconds: float,
    more_memory_mib: int,
    as_json: bool,
) -> None:
    """Measure which engine, executions and threads serve MODELS best on this machine; all without.

    The answer is kept beside the models (or in the user's data folder where those cannot be
    written to), for this processor, these versions of the runtimes and these very models. A
    server started afterwards follows it; `absah models show` tells it.
    """
    from absah_ops.measuring import tuning as measuring

    thoroughness = measuring.Thoroughness(
        rounds=rounds, seconds=seconds, more_memory_mib=more_memory_mib
    )
    for model in addresses.several(models):
        with Status(f"{model.name} …", console=showing.console(stderr=True)) as status:

            def told(what: str, name: str = model.name, shown: Status = status) -> None:
                shown.update(f"{name}: {what} …")

            found = measuring.tune(model, thoroughness, told=told)
        file = tuning.save(model, found)
        if as_json:
            click.echo(json.dumps({**asdict(found), "file": str(file)}, ensure_ascii=False))
        else:
            _show(found, file)


def _show(found: Tuning, file: Path) -> None:
    rows = [
        (
            "→" if each.plan == found.plan else "",
            str(each.plan),
            *(f"{rate:.1f}" for rate in each.rates.values()),
            f"{each.memory_bytes / 2**20:.0f}",
            f"{each.deviation:.1g}",
            each.refused,
        )
        for each in found.measurements
    ]
    callers = [f"requests/s, {n} at once" for n in found.measurements[0].rates]
    click.echo(f"{found.model}@{found.version}: {found.plan}, kept in {file}")
    showing.table(("", "plan", *callers, "MiB", "deviation", "not chosen as it"), rows)
