"""What can be built of a model, each from its source to its place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
from tritonclient.grpc import model_config_pb2

from absah_ops.building import graphs, outputs, precision, profiles, tensorrt
from absah_ops.building.errors import BuildFailed
from absah_ops.building.precision import GpuPrecision
from absah_ops.building.profiles import Profile
from absah_ops.building.tensorrt import Built, Runtime
from absah_server.inference import runtime
from absah_server.inference.engines import EngineName
from absah_server.inference.manifest import MANIFEST_NAME
from absah_server.inference.repository import StoredModel
from absah_server.inference.runtime import Precision, RuntimeWish


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How a form is to be built; see the options of `absah models build`."""

    precision: str
    output: Path
    shapes: Mapping[str, str]
    max_batch_size: int | None
    workspace_mib: int | None
    timing_cache: Path
    dry_run: bool
    engine_cache: Path | None = None
    """A folder of the GPU host that nobody else may write to; None builds engines at each load."""
    replace: bool = False
    """Whether a version that is in the GPU hosts' repository already may be replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What was built: where it lies (None for a trial), its card, and what to do next."""

    model: str
    target: str
    version: Path | None
    card: Mapping[str, str]
    profile: Mapping[str, str] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {
            "model": self.model,
            "target": self.target,
            "version": None if self.version is None else str(self.version),
            "card": dict(self.card),
            "profile": dict(self.profile),
        }

    def lines(self) -> list[str]:
        """For a person."""
        where = self.version or "nowhere, as this was a trial; it can be built"
        said = [f"{self.model} for {self.target}: {where}"]
        said += [f"  {name}: {shapes}" for name, shapes in self.profile.items()]
        said += [f"  {key}: {value}" for key, value in self.card.items()]
        return [*said, *self.next_steps]


def tensorrt_plan(source: StoredModel, wish: Wish) -> Result:
    """A plan for the card of this machine, in the repository for GPU hosts.

    A trial (`wish.dry_run`) builds with TensorRT for RTX and writes nothing. Raises `BuildFailed`.
    """
    builds_with = Runtime.RTX if wish.dry_run else Runtime.TENSORRT
    tensorrt.load(builds_with, model=source.name)
    if not wish.dry_run:
        # Told before the minutes that building takes.
        outputs.mirrored(source, wish.output, replace=wish.replace)
    profile = profiles.derive(source, given=wish.shapes, max_batch_size=wish.max_batch_size)
    built = tensorrt.build(
        _typed(source, wish.precision),
        profile,
        model=source.name,
        runtime=builds_with,
        workspace_mib=wish.workspace_mib,
        timing_cache=b"" if wish.dry_run else _read_timings(wish.timing_cache),
    )
    card = plan_card(source, wish, built, builds_with)
    version = None
    if not wish.dry_run:
        version = write_plan(source, wish, built, card)
    return Result(
        model=source.name,
        target="tensorrt",
        version=version,
        card=card,
        profile=_told(profile),
        next_steps=() if version is None else _triton_steps(source, wish.output),
    )


def tensorrt_accelerator(source: StoredModel, wish: Wish) -> Result:
    """A model for Triton's ONNX Runtime backend with TensorRT inside; needs no GPU to be made.

    The host builds its engines at first use, within the same profile as a plan, and keeps them in
    the version's folder, if it may write there. Raises `BuildFailed`.
    """
    profile = profiles.derive(source, given=wish.shapes, max_batch_size=wish.max_batch_size)
    graph = graphs.standardise(graphs.load(source.file, model=source.name), model=source.name)
    config = _gpu_config(source, wish)
    accelerator = config.optimization.execution_accelerators.gpu_execution_accelerator.add()
    accelerator.name = "tensorrt"
    accelerator.parameters.update(_accelerator_parameters(wish, profile, source))
    card = outputs.facts(source, {"precision": wish.precision})
    version = None
    if not wish.dry_run:
        version = outputs.mirror(
            source,
            wish.output,
            config=config,
            write=lambda folder: onnx.save(graph, folder / source.config.model_filename),
            card=card,
            replace=wish.replace,
        )
    return Result(
        model=source.name,
        target="tensorrt-accelerator",
        version=version,
        card=card,
        profile=_told(profile),
        next_steps=() if version is None else _triton_steps(source, wish.output),
    )


def for_openvino(source: StoredModel, wish: Wish) -> Result:
    """A candidate of the same graph that OpenVINO executes, in bf16 if so wished.

    Raises `BuildFailed` where OpenVINO cannot compile it.
    """
    _try_openvino(source, wish.precision)
    asked = RuntimeWish(engine=EngineName.OPENVINO, precision=Precision(wish.precision))

    def write(folder: Path) -> None:
        _copy_version(source, folder)
        (folder / runtime.RUNTIME_NAME).write_text(runtime.to_json(asked), encoding="utf-8")

    return _candidate(source, wish, "openvino", write)


def dynamic_int8(source: StoredModel, wish: Wish) -> Result:
    """A candidate with int8 matrices; raises `BuildFailed`."""

    def write(folder: Path) -> None:
        _copy_version(source, folder)
        file = folder / source.config.model_filename
        file.unlink()
        precision.to_dynamic_int8(_widened(source), file, model=source.name)

    if wish.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            precision.to_dynamic_int8(_widened(source), file, model=source.name)
    return _candidate(source, wish, "int8", write)


def _candidate(source: StoredModel, wish: Wish, target: str, write: Any) -> Result:
    card = outputs.facts(source, {"target": target, "precision": wish.precision})
    if wish.dry_run:
        return Result(model=source.name, target=target, version=None, card=card)
    version = outputs.candidate(source, write=write, card=card)
    return Result(
        model=source.name,
        target=target,
        version=version,
        card=card,
        next_steps=(
            f"It does not serve yet. absah models promote {source.name}@{version.name} compares "
            "it with the version that does.",
        ),
    )


def _widened(source: StoredModel) -> onnx.ModelProto:
    """The graph with float32 matrices, which it may have stored in fewer bits."""
    return graphs.widen(graphs.load(source.file, model=source.name), model=source.name)


def _typed(source: StoredModel, wanted: str) -> onnx.ModelProto:
    graph = graphs.standardise(graphs.load(source.file, model=source.name), model=source.name)
    if GpuPrecision(wanted) is GpuPrecision.FP16:
        return precision.to_float16(graph, model=source.name)
    return graph


def plan_card(
    source: StoredModel, wish: Wish, built: Built, builds_with: Runtime
) -> dict[str, str]:
    """What the manifest says of a plan."""
    gpu = tensorrt.find_card()
    return outputs.facts(
        source,
        {
            "tensorrt": str(builds_with),
            "tensorrt_version": built.version,
            "precision": wish.precision,
            "gpu": gpu.name if gpu else "none",
            "driver": gpu.driver if gpu else "none",
            "plan_bytes": str(len(built.plan)),
        },
    )


def write_plan(source: StoredModel, wish: Wish, built: Built, card: Mapping[str, str]) -> Path:
    """Put a plan into the repository for GPU hosts; returns the version's folder.

    Raises `BuildFailed`.
    """
    config = _gpu_config(source, wish)
    config.ClearField("backend")
    config.ClearField("default_model_filename")
    config.platform = "tensorrt_plan"

    def write(folder: Path) -> None:
        (folder / outputs.PLAN_NAME).write_bytes(built.plan)

    version = outputs.mirror(
        source, wish.output, config=config, write=write, card=card, replace=wish.replace
    )
    if built.timing_cache:
        wish.timing_cache.parent.mkdir(parents=True, exist_ok=True)
        wish.timing_cache.write_bytes(built.timing_cache)
    return version


def _gpu_config(source: StoredModel, wish: Wish) -> Any:
    config = outputs.read_config(source)
    config.name = source.name
    config.max_batch_size = profiles.batch_limit(source, wish.max_batch_size)
    # Which version answers is the source's affair: Absah asks for each by its number.
    config.version_policy.all.SetInParent()
    config.ClearField("instance_group")
    config.instance_group.add(count=1, kind=model_config_pb2.ModelInstanceGroup.KIND_GPU)
    if config.HasField("dynamic_batching"):
        # What is best for a processor says nothing of a card, which gains by large batches.
        config.dynamic_batching.ClearField("preferred_batch_size")
    return config


def _accelerator_parameters(wish: Wish, profile: Profile, source: StoredModel) -> dict[str, str]:
    def shapes(which: str) -> str:
        sides = {name: getattr(one, which) for name, one in profile.items()}
        return ",".join(f"{name}:{'x'.join(map(str, shape))}" for name, shape in sides.items())

    parameters = {
        "precision_mode": wish.precision.upper(),
        **{f"trt_profile_{which}_shapes": shapes(which) for which in ("min", "opt", "max")},
    }
    if wish.engine_cache is not None:
        folder = str(wish.engine_cache / source.name)
        parameters |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": folder,
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": folder,
        }
    if wish.workspace_mib is not None:
        parameters["max_workspace_size_bytes"] = str(wish.workspace_mib * 2**20)
    return parameters


def _try_openvino(source: StoredModel, wanted: str) -> None:
    try:
        import openvino
    except ImportError as exc:
        raise BuildFailed(
            model=source.name,
            problem="OpenVINO is not installed",
            hint="pip install absah[openvino]",
        ) from exc
    core = openvino.Core()
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if wanted == Precision.BF16 and "BF16" not in capabilities:
        raise BuildFailed(
            model=source.name,
            problem="this processor does not compute in bf16, so a bf16 candidate would gain "
            "nothing here",
            hint="build it where it will serve, or with --precision f32",
        )
    try:
        core.compile_model(source.file, "CPU", {"INFERENCE_PRECISION_HINT": wanted})
    except RuntimeError as exc:
        raise BuildFailed(
            model=source.name, problem=f"OpenVINO cannot compile it: {str(exc).splitlines()[0]}"
        ) from exc


def _copy_version(source: StoredModel, folder: Path) -> None:
    shutil.copytree(
        source.directory / source.version,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(MANIFEST_NAME, runtime.RUNTIME_NAME),
    )


def _read_timings(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _told(profile: Profile) -> dict[str, str]:
    return {
        name: " ".join("x".join(map(str, shape)) for shape in (one.min, one.opt, one.max))
        for name, one in profile.items()
    }


def _triton_steps(source: StoredModel, output: Path) -> tuple[str, ...]:
    return (
        f"Serve it: tritonserver --model-repository={output}, then "
        "absah serve --inference triton --triton HOST:8001",
        f"Compare first: absah models evaluate {source.name} on both; a lower precision moves "
        "scores.",
    )
