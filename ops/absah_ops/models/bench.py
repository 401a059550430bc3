"""`absah models bench`: how fast models are served, against ONNX Runtime alone and Triton."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import click
from rich.status import Status

from absah_ops import showing
from absah_ops.models import addresses
from absah_sdk import AbsahError


@click.command()
@click.argument("models", nargs=-1)
@click.option(
    "--rounds", type=click.IntRange(3), default=5, show_default=True, help="Rounds of each way."
)
@click.option(
    "--seconds", type=click.FloatRange(0.05), default=0.4, show_default=True, help="Of a round."
)
@click.option(
    "--triton",
    metavar="HOST:PORT",
    help="A server over the same repository.  [default: one from pip, started for this]",
)
@click.option("--no-triton", is_flag=True, help="Leave Triton out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def bench(
    models: Sequence[str],
    rounds: int,
    seconds: float,
    triton: str | None,
    no_triton: bool,
    as_json: bool,
) -> None:
    """Compare ways of serving MODELS, all without: requests a second of 1, 4 and 16 callers.

    ONNX Runtime is a session of 2 threads that do not spin, called by as many threads; in-process
    is what `absah serve` does; Triton is asked by gRPC, and with tensors in shared memory. All
    take turns in every round; what is printed are medians.
    """
    from absah_ops.measuring import serving

    chosen = addresses.several(models)
    with ExitStack() as stack:
        address = None if no_triton else triton or _started(stack, [m.name for m in chosen])
        for model in chosen:
            with Status(f"{model.name} …", console=showing.console(stderr=True)) as status:

                def told(what: str, name: str = model.name, shown: Status = status) -> None:
                    shown.update(f"{name}: {what} …")

                found = serving.compare(
                    model, triton=address, rounds_=rounds, seconds=seconds, told=told
                )
            if as_json:
                click.echo(json.dumps(found.as_json()))
            else:
                show(found)


def show(found: Any) -> None:
    """Print one model's table."""
    from absah_ops.measuring import serving

    click.echo(f"{found.model}: {found.plan}")
    rows = []
    for way in serving.WAYS:
        rates = [found.rate(way, n) for n in serving.CALLERS]
        if rates[0] is None:
            continue
        ratio = found.ratio(way, serving.CALLERS[-1])
        rows.append((way, *(f"{rate:.1f}" for rate in rates), f"{ratio:.2f}"))
    one_by_one = found.ratio(serving.DIRECT, 1)
    rows.append(("onnxruntime, one by one", "", "", "", f"{one_by_one:.2f}"))
    callers = [f"{n} at once" for n in serving.CALLERS]
    showing.table(("requests/s", *callers, "in-process is × this"), rows)


def _started(stack: ExitStack, names: Sequence[str]) -> str | None:
    from absah_ops.triton import environment, server
    from absah_server.settings import Settings

    try:
        with showing.waiting("starting Triton"):
            running = stack.enter_context(
                server.running(Settings().inference.model_repository, load=names)
            )
    except (server.TritonFailed, environment.TritonNotInstalled) as exc:
        raise AbsahError(f"{exc}\n--no-triton leaves Triton out.") from exc
    return running.grpc_address
