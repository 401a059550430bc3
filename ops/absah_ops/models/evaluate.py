"""`absah models evaluate`: measure a version on a golden set."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from absah_ops import showing
from absah_ops.listing import json_option
from absah_ops.models import addresses, evaluation
from absah_ops.models.golden import choosing
from absah_ops.models.golden.task import Case, Task
from absah_sdk import AbsahError

golden_option = click.option(
    "--golden",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of documents with known answers.  [default: a small set that is drawn]",
)


@click.command()
@addresses.address_argument
@golden_option
@click.option("--worst", default=5, show_default=True, help="Examples to show.")
@json_option
def evaluate(address: str, golden: Path | None, worst: int, as_json: bool) -> None:
    """Measure a version of a model on documents with known answers.

    Without @VERSION it is the one that serves. The checker that uses the model runs as a server
    would run it. What a folder holds depends on the checker: `absah models evaluate --help` and
    docs/operators.md.

    \b
    ocr           NAME.png or .jpg with its text NAME.txt
    objects       images/NAME.jpg with labels/NAME.txt in YOLO's form
    entities      NAME.txt of lines "token TAB tag"; codes.json translates tags
    authenticity  spliced/NAME.jpg with masks/NAME.png
    """
    model = addresses.stored(addresses.parse(address))
    task = choosing.choose(model)
    cases = read_cases(task, golden)
    with showing.progress(f"{model.name}@{model.version}", len(cases), quiet=as_json) as done:
        measured = asyncio.run(evaluation.measure(model, task, cases, done=done))
    ranked = sorted(measured.judged, key=lambda judged: -judged.loss)
    shown = [judged for judged in ranked if judged.loss > 0][:worst]
    if as_json:
        line = {
            "model": model.name,
            "version": model.version,
            "metric": measured.metric,
            "figure": measured.figure,
            "cases": len(cases),
            "milliseconds": round(measured.seconds * 1000, 1),
            "worst": [{"case": j.case, "loss": j.loss, "detail": j.detail} for j in shown],
        }
        click.echo(json.dumps(line, ensure_ascii=False))
        return
    click.echo(
        f"{model.name}@{model.version}: {measured.metric} {measured.figure:.4f} "
        f"on {len(cases)} cases, {measured.seconds * 1000:.0f} ms each"
    )
    if shown:
        showing.table(("worst", "how"), [(j.case, j.detail) for j in shown])


def read_cases(task: Task, golden: Path | None) -> list[Case]:
    """The golden set; raises `AbsahError` where the folder holds none for the task."""
    cases = task.cases(golden)
    if not cases:
        raise AbsahError(
            f"{golden} holds no case for {task.checker}; "
            "`absah models evaluate --help` says what belongs there"
        )
    return cases
