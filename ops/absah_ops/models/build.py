"""`absah models build`: another form of a model, for a GPU or for this processor."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from absah_ops import showing
from absah_ops.models import addresses
from absah_server.inference.repository import StoredModel

if TYPE_CHECKING:
    from absah_ops.building.targets import Wish


class Target(enum.StrEnum):
    """What can be built."""

    TENSORRT = "tensorrt"
    TENSORRT_ACCELERATOR = "tensorrt-accelerator"
    OPENVINO = "openvino"
    INT8 = "int8"


PRECISIONS = {
    Target.TENSORRT: ("fp16", "fp32"),
    Target.TENSORRT_ACCELERATOR: ("fp16", "fp32"),
    Target.OPENVINO: ("bf16", "f32"),
    Target.INT8: ("int8",),
}
"""For each target, the default first."""
FOR_GPU = (Target.TENSORRT, Target.TENSORRT_ACCELERATOR)


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The options of one call."""

    target: Target
    precision: str
    output: Path | None
    shapes: dict[str, str]
    max_batch_size: int | None
    workspace_mib: int | None
    timing_cache: Path | None
    engine_cache: Path | None
    replace: bool
    dry_run: bool


@click.command()
@addresses.address_argument
@click.option(
    "--target",
    type=click.Choice([target.value for target in Target]),
    required=True,
    help="tensorrt: a plan for this machine's GPU. tensorrt-accelerator: ONNX Runtime with "
    "TensorRT inside, for any GPU host. openvino, int8: a candidate for processors.",
)
@click.option(
    "--precision", help="fp16 or fp32 for GPUs, bf16 or f32 for openvino.  [default: the first]"
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Repository for GPU hosts, made if need be.  [default: the source's, with -gpu]",
)
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="INPUT='MIN OPT MAX'",
    help="Bounds of a dynamic input without the batch axis, such as pixels='32x32x3 640x480x3 "
    "2048x2048x3'.  [default: absah.profile.INPUT of the config]",
)
@click.option("--max-batch-size", type=click.IntRange(1), help="[default: that of the config]")
@click.option("--workspace-mib", type=click.IntRange(1), help="Memory that layers may use.")
@click.option(
    "--timing-cache",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps TensorRT's timings.  [default: timing.cache in the output repository]",
)
@click.option(
    "--engine-cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the GPU host, which Triton alone may write to, where the accelerator keeps its "
    "engines.  [default: none, they are built at each load]",
)
@click.option("--replace", is_flag=True, help="For GPUs: replace the version if it is there.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Write nothing; for tensorrt, parse and build with tensorrt_rtx, which needs no GPU.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def build(
    address: str,
    target: str,
    precision: str | None,
    output: Path | None,
    shapes: Sequence[str],
    max_batch_size: int | None,
    workspace_mib: int | None,
    timing_cache: Path | None,
    engine_cache: Path | None,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Build another form of a model, of the version that serves unless another is named.

    For a GPU it goes into a repository of its own, since Triton takes one config for all versions
    of a model: point Triton there, and Absah at both. For processors it becomes a candidate
    version, which serves only when `absah models promote` has let it through.

    \b
    absah models build ocr_detection --target tensorrt --dry-run     anywhere
    absah models build ocr_detection --target tensorrt               on the GPU host
    absah models build entities_ner --target int8                    then evaluate and promote
    """
    given = Given(
        target=Target(target),
        precision=_precision(Target(target), precision),
        output=output,
        shapes=_shapes(shapes),
        max_batch_size=max_batch_size,
        workspace_mib=workspace_mib,
        timing_cache=timing_cache,
        engine_cache=engine_cache,
        replace=replace,
        dry_run=dry_run,
    )
    _check_usage(given)
    _require_onnx()
    from absah_ops.building import targets

    source = addresses.stored(addresses.parse(address))
    wish = _wish(given, source.directory.parent)
    makers: dict[Target, Callable[[StoredModel, Wish], targets.Result]] = {
        Target.TENSORRT: targets.tensorrt_plan,
        Target.TENSORRT_ACCELERATOR: targets.tensorrt_accelerator,
        Target.OPENVINO: targets.for_openvino,
        Target.INT8: targets.dynamic_int8,
    }
    with showing.waiting(f"building {source.name} for {target}", quiet=as_json):
        result = makers[given.target](source, wish)
    if as_json:
        click.echo(json.dumps(result.as_json(), ensure_ascii=False))
        return
    for line in result.lines():
        click.echo(line)


def _wish(given: Given, folder: Path) -> Wish:
    from absah_ops.building.targets import Wish

    output = given.output or folder.with_name(f"{folder.name}-gpu")
    return Wish(
        precision=given.precision,
        output=output,
        shapes=given.shapes,
        max_batch_size=given.max_batch_size,
        workspace_mib=given.workspace_mib,
        timing_cache=given.timing_cache or output / "timing.cache",
        engine_cache=given.engine_cache,
        replace=given.replace,
        dry_run=given.dry_run,
    )


def _precision(target: Target, given: str | None) -> str:
    known = PRECISIONS[target]
    if given is not None and given not in known:
        raise click.UsageError(
            f"--precision {given} does not go with --target {target}; it takes {' or '.join(known)}"
        )
    return given or known[0]


def _shapes(given: Sequence[str]) -> dict[str, str]:
    shapes = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(
                f"--shape {text!r} is not INPUT='MIN OPT MAX', such as "
                "pixels='32x32x3 640x480x3 2048x2048x3'"
            )
        shapes[name] = value
    return shapes


def _check_usage(given: Given) -> None:
    if given.engine_cache and given.target is not Target.TENSORRT_ACCELERATOR:
        raise click.UsageError(
            f"--engine-cache is for the accelerator, not for --target {given.target}"
        )
    if given.target in FOR_GPU:
        return
    options = {
        "--output": given.output,
        "--shape": given.shapes,
        "--max-batch-size": given.max_batch_size,
        "--workspace-mib": given.workspace_mib,
        "--timing-cache": given.timing_cache,
        "--replace": given.replace,
    }
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} is for GPU targets, not for --target {given.target}")


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError as exc:
        raise click.ClickException(
            "building models needs the package onnx: pip install 'absah[build]'"
        ) from exc
