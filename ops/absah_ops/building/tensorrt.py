"""Build a TensorRT engine from an ONNX graph.

It runs on the GPU host, in the image that will serve the plan: a plan is bound to the version of
TensorRT and to the card. `Runtime.RTX` is TensorRT for RTX, which parses and builds without a GPU;
its engines are no plans for Triton, so it serves to try a model out.
"""

from __future__ import annotations

import enum
import importlib
import logging
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import onnx

from absah_ops.building.errors import BuildFailed
from absah_ops.building.profiles import Profile
from absah_server.inference.portions import matches

log = logging.getLogger(__name__)


class Runtime(enum.StrEnum):
    """The module that builds."""

    TENSORRT = "tensorrt"
    RTX = "tensorrt_rtx"


_PACKAGES = {Runtime.TENSORRT: "absah[tensorrt]", Runtime.RTX: "tensorrt-rtx-cu13"}
_RTX_CAPABILITIES = ("SM89", "SM120")
"""What a trial builds for where there is no card: those of current RTX cards."""
_ASK_CARD = (
    "nvidia-smi",
    "--query-gpu=name,driver_version,memory.total",
    "--format=csv,noheader,nounits",
)
_MEMORY = re.compile(r"out ?of ?memory|insufficient memory|not enough memory|memory.*exceed", re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """The GPU that an engine is for, as nvidia-smi tells it."""

    name: str
    driver: str
    memory_mib: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """An engine, the timings taken for it (none by TensorRT for RTX), and TensorRT's version."""

    plan: bytes
    timing_cache: bytes
    version: str


def find_card() -> Card | None:
    """The first GPU of this machine, None where there is none or its driver is not there."""
    try:
        answer = subprocess.run(  # noqa: S603
            _ASK_CARD, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = answer.stdout.strip().splitlines()
    if not lines:
        return None
    name, driver, memory = (word.strip() for word in lines[0].rsplit(",", 2))
    return Card(name=name, driver=driver, memory_mib=int(memory) if memory.isdecimal() else 0)


def load(runtime: Runtime, *, model: str) -> Any:
    """Import TensorRT, and for real plans make sure of the GPU. Raises `BuildFailed`."""
    if runtime is Runtime.TENSORRT and find_card() is None:
        raise BuildFailed(
            model=model,
            problem="a TensorRT plan is bound to the card it is built on, and this machine has "
            "no NVIDIA GPU (nvidia-smi finds none)",
            hint="run this on the GPU host, inside the Triton image that will serve the plan; "
            "--dry-run tries parsing, profiles and building here without a GPU",
        )
    try:
        return importlib.import_module(runtime)
    except ImportError as exc:
        raise BuildFailed(
            model=model,
            problem=f"the Python module {runtime} cannot be imported: {exc}",
            hint=f"pip install {_PACKAGES[runtime]}"
            + (
                ", of the version that the Triton image has"
                if runtime is Runtime.TENSORRT
                else "; it takes 230 MB and is under NVIDIA's own licence"
            ),
        ) from exc


def build(
    graph: onnx.ModelProto,
    profile: Profile,
    *,
    model: str,
    runtime: Runtime,
    workspace_mib: int | None = None,
    timing_cache: bytes = b"",
) -> Built:
    """Parse a graph and build its engine, with one optimisation profile.

    `workspace_mib` bounds the memory that layers may use while they run; None leaves it to
    TensorRT, which takes what the card has. Raises `BuildFailed`.
    """
    trt = load(runtime, model=model)
    return _Builder(trt, model).build(graph, profile, workspace_mib, timing_cache)


class _Builder:
    def __init__(self, trt: Any, model: str) -> None:
        self._trt = trt
        self._model = model
        self._is_rtx = trt.__name__ == Runtime.RTX
        self._said = _collecting_logger(trt)
        self._parser: Any = None
        """Kept as long as the network, which points into its weights."""
        try:
            self._builder = trt.Builder(self._said)
        except Exception as exc:
            raise self._failed("TensorRT cannot start", str(exc)) from exc

    def build(
        self,
        graph: onnx.ModelProto,
        profile: Profile,
        workspace_mib: int | None,
        timing_cache: bytes,
    ) -> Built:
        network = self._parse(graph)
        config = self._builder.create_builder_config()
        if workspace_mib is not None:
            pool = self._trt.MemoryPoolType.WORKSPACE
            config.set_memory_pool_limit(pool, workspace_mib * 2**20)
        self._add_profile(network, config, profile)
        if not self._is_rtx:
            self._use_timings(config, timing_cache)
        elif find_card() is None:
            self._name_cards(config)
        plan = self._builder.build_serialized_network(network, config)
        if plan is None:
            raise self._failed("TensorRT could not build the engine", self._said.errors())
        return Built(
            plan=bytes(plan),
            timing_cache=b"" if self._is_rtx else bytes(config.get_timing_cache().serialize()),
            version=str(self._trt.__version__),
        )

    def _parse(self, graph: onnx.ModelProto) -> Any:
        flags = 0
        # Absent from the versions that know no other kind of network.
        typed = getattr(self._trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        if typed is not None:
            flags |= 1 << int(typed)
        network = self._builder.create_network(flags)
        parser = self._trt.OnnxParser(network, self._said)
        if not parser.parse(graph.SerializeToString()):
            errors = [parser.get_error(index) for index in range(parser.num_errors)]
            raise BuildFailed(
                model=self._model,
                problem="TensorRT cannot read the graph: "
                + "; ".join(_parser_error(error) for error in errors),
                hint="serve it with ONNX Runtime, or with --target tensorrt-accelerator, which "
                "leaves to CUDA what TensorRT cannot do",
            )
        self._parser = parser
        return network

    def _add_profile(self, network: Any, config: Any, profile: Profile) -> None:
        made = self._builder.create_optimization_profile()
        inputs = [network.get_input(index) for index in range(network.num_inputs)]
        for tensor in inputs:
            shapes = profile.get(tensor.name)
            if shapes is None:
                raise self._bad_profile(f"the graph takes {tensor.name!r}, the config does not")
            try:
                accepted = made.set_shape(tensor.name, shapes.min, shapes.opt, shapes.max)
            except Exception as exc:
                raise self._bad_profile(f"{tensor.name!r}: {exc}") from exc
            if accepted is False:
                raise self._bad_profile(f"{tensor.name!r}: {self._said.errors()}")
            self._check_shape(tensor, shapes.max)
        if config.add_optimization_profile(made) < 0:
            raise self._bad_profile(self._said.errors())

    def _check_shape(self, tensor: Any, shape: tuple[int, ...]) -> None:
        if not matches(shape, tuple(tensor.shape)):
            raise self._bad_profile(f"{tensor.name!r} is {list(tensor.shape)} in the graph")

    def _use_timings(self, config: Any, stored: bytes) -> None:
        """Let the builder reuse what it measured before; TensorRT for RTX measures on no card."""
        if config.set_timing_cache(config.create_timing_cache(stored), False):
            return
        log.warning("timing cache of another card or version left aside")
        config.set_timing_cache(config.create_timing_cache(b""), False)

    def _name_cards(self, config: Any) -> None:
        """TensorRT for RTX must be told the cards where it can see none."""
        config.num_compute_capabilities = len(_RTX_CAPABILITIES)
        for index, name in enumerate(_RTX_CAPABILITIES):
            config.set_compute_capability(getattr(self._trt.ComputeCapability, name), index)

    def _bad_profile(self, problem: str) -> BuildFailed:
        return BuildFailed(
            model=self._model,
            problem=f"TensorRT does not take the profile: {problem}",
            hint="bound each dynamic axis with --shape INPUT='MIN OPT MAX'",
        )

    def _failed(self, what: str, why: str) -> BuildFailed:
        return failure(self._model, what, why)


def failure(model: str, what: str, why: str) -> BuildFailed:
    """What to raise where TensorRT gave up; `why` is in its own words."""
    hint = "these are TensorRT's own words"
    if _MEMORY.search(why):
        hint = (
            "the card's memory does not suffice: lower --max-batch-size or the largest shape "
            "of --shape, bound --workspace-mib, or stop what else runs on the card"
        )
    return BuildFailed(model=model, problem=f"{what}: {why}", hint=hint)


def _parser_error(error: Any) -> str:
    name, operator = error.node_name(), error.node_operator()
    description = error.desc().splitlines()[0]
    where = f"node {name!r} ({operator})" if name else f"a node of type {operator}"
    return f"{where}: {description}" if operator else description


def _collecting_logger(trt: Any) -> Any:
    """A logger that passes on what TensorRT says and keeps its errors."""
    levels = {
        trt.ILogger.INTERNAL_ERROR: logging.ERROR,
        trt.ILogger.ERROR: logging.ERROR,
        trt.ILogger.WARNING: logging.WARNING,
        trt.ILogger.INFO: logging.DEBUG,
        trt.ILogger.VERBOSE: logging.DEBUG,
    }

    class Collecting(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self._errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            level = levels[severity]
            if level >= logging.ERROR:
                self._errors.append(message)
            log.log(min(level, logging.INFO), "%s", message)

        def errors(self) -> str:
            return "; ".join(self._errors[-3:]) or "it does not say why"

    return Collecting()
