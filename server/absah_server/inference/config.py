"""Read a model's config.pbtxt into values, refusing what the in-process runtime cannot honour.

The format is Triton's `inference.ModelConfig` in protobuf text form, documented at
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_configuration.html
A field that would change answers and is not supported here raises `ModelInvalid`; fields that
only tune another server (optimization, response_cache, priority levels, GPU lists) are ignored,
and so are queue timeouts, since every caller here brings a deadline of its own.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from absah_server.core.errors import ModelInvalid

CONFIG_NAME = "config.pbtxt"

DTYPES: Mapping[str, np.dtype[Any]] = types.MappingProxyType(
    {
        "BOOL": np.dtype(np.bool_),
        "UINT8": np.dtype(np.uint8),
        "UINT16": np.dtype(np.uint16),
        "UINT32": np.dtype(np.uint32),
        "UINT64": np.dtype(np.uint64),
        "INT8": np.dtype(np.int8),
        "INT16": np.dtype(np.int16),
        "INT32": np.dtype(np.int32),
        "INT64": np.dtype(np.int64),
        "FP16": np.dtype(np.float16),
        "FP32": np.dtype(np.float32),
        "FP64": np.dtype(np.float64),
        "STRING": np.dtype(np.object_),
    }
)
"""numpy's type for each of Triton's data types that numpy knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorSpec:
    """An input or output; `dims` leave out the batch axis where the model has one, -1 is any."""

    name: str
    data_type: str
    dims: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type of its elements."""
        return DTYPES[self.data_type]


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicBatching:
    """How requests are joined: sizes worth waiting for, and for how long."""

    preferred_sizes: tuple[int, ...] = ()
    queue_delay_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionPolicy:
    """Which version folders are loaded: those named, or the `latest` highest (None: all)."""

    specific: tuple[int, ...] = ()
    latest: int | None = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmUpInput:
    """One tensor of a warm-up sample; `file` (raw little-endian bytes) where it is given."""

    data_type: str
    dims: tuple[int, ...]
    random: bool = False
    file: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmUp:
    """One warm-up request, run `count` times."""

    name: str
    batch_size: int
    inputs: Mapping[str, WarmUpInput]
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """What config.pbtxt says, checked in itself.

    `max_batch_size` 0 means that tensors have no batch axis. `instances` is None where the
    config does not say how many executions may run at once. `max_queue_size` 0 means that the
    config sets no bound.
    """

    name: str
    file: Path
    max_batch_size: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batching: DynamicBatching | None = None
    max_queue_size: int = 0
    instances: int | None = None
    version_policy: VersionPolicy = VersionPolicy()
    model_filename: str = "model.onnx"
    label_filenames: tuple[str, ...] = ()
    warm_ups: tuple[WarmUp, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_config(directory: Path, *, runs_here: bool = True) -> ModelConfig:
    """Read and check `directory`/config.pbtxt; raises `ModelInvalid`.

    `runs_here` false is for a model that a Triton server runs: by any backend, on GPUs too.
    """
    file = directory / CONFIG_NAME
    message = _parse(directory.name, file)
    return _Reader(model=directory.name, file=file, message=message, runs_here=runs_here).config()


def _parse(model: str, file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ModelInvalid(
            model=model,
            file=str(file),
            problem="is missing",
            hint="every model folder holds a config.pbtxt",
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise ModelInvalid(model=model, file=str(file), problem=f"cannot be read: {exc}") from exc
    try:
        return text_format.Parse(text, model_config_pb2.ModelConfig())
    except text_format.ParseError as exc:
        # The message opens with "LINE:COLUMN : ", which `field` tells better.
        problem = str(exc).split(" : ", 1)[-1]
        place = f"line {exc.GetLine()}, column {exc.GetColumn()}"
        raise ModelInvalid(model=model, file=str(file), field=place, problem=problem) from exc


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Turns one parsed message into a `ModelConfig`, naming the field of each mistake."""

    model: str
    file: Path
    message: Any
    runs_here: bool

    def config(self) -> ModelConfig:
        self._check_name()
        self._check_supported()
        policy = self.message.dynamic_batching.default_queue_policy
        return ModelConfig(
            name=self.model,
            file=self.file,
            max_batch_size=self._max_batch_size(),
            inputs=tuple(self._tensors("input", self.message.input)),
            outputs=tuple(self._tensors("output", self.message.output)),
            batching=self._batching(),
            max_queue_size=policy.max_queue_size,
            instances=self._instances(),
            version_policy=self._version_policy(),
            model_filename=self.message.default_model_filename or self._usual_filename(),
            label_filenames=self._label_filenames(),
            warm_ups=tuple(self._warm_ups()),
            parameters=types.MappingProxyType(
                {key: value.string_value for key, value in self.message.parameters.items()}
            ),
        )

    def _invalid(self, place: str, problem: str, hint: str = "") -> ModelInvalid:
        return ModelInvalid(
            model=self.model, file=str(self.file), field=place, problem=problem, hint=hint
        )

    def _check_name(self) -> None:
        if self.message.name not in ("", self.model):
            raise self._invalid(
                "name", f"is {self.message.name!r}, but the folder is {self.model!r}"
            )

    def _check_supported(self) -> None:
        message = self.message
        backend = message.backend or {"onnxruntime_onnx": "onnxruntime"}.get(message.platform, "")
        if backend != "onnxruntime" and self.runs_here:
            raise self._invalid(
                "backend",
                f"{message.backend or message.platform!r} cannot be served in-process",
                'only backend: "onnxruntime" can; serve others from a Triton server',
            )
        for name in ("sequence_batching", "ensemble_scheduling"):
            if message.HasField(name):
                raise self._invalid(name, "is not supported in-process", "use a Triton server")
        if message.model_transaction_policy.decoupled:
            raise self._invalid("model_transaction_policy.decoupled", "is not supported in-process")

    def _usual_filename(self) -> str:
        plan = "tensorrt" in (self.message.backend, self.message.platform.removesuffix("_plan"))
        return "model.plan" if plan else "model.onnx"

    def _max_batch_size(self) -> int:
        size: int = self.message.max_batch_size
        if size < 0:
            raise self._invalid("max_batch_size", f"is {size}; it must be 0 or more")
        return size

    def _tensors(self, kind: str, tensors: Sequence[Any]) -> Iterator[TensorSpec]:
        if not tensors:
            raise self._invalid(kind, "none is listed", f"list every {kind} with its dims")
        seen: set[str] = set()
        for index, tensor in enumerate(tensors):
            place = f"{kind}[{index}]"
            if not tensor.name or tensor.name in seen:
                raise self._invalid(f"{place}.name", "is missing or listed twice")
            seen.add(tensor.name)
            yield self._tensor(place, tensor)

    def _tensor(self, place: str, tensor: Any) -> TensorSpec:
        for name in ("is_shape_tensor", "allow_ragged_batch", "optional"):
            if getattr(tensor, name, False):
                raise self._invalid(f"{place}.{name}", "is not supported in-process")
        if tensor.HasField("reshape"):
            raise self._invalid(f"{place}.reshape", "is not supported in-process")
        data_type = self._data_type(place, tensor.data_type)
        return TensorSpec(
            name=tensor.name, data_type=data_type, dims=self._dims(place, tensor.dims)
        )

    def _data_type(self, place: str, number: int) -> str:
        name: str = model_config_pb2.DataType.Name(number).removeprefix("TYPE_")
        if name not in DTYPES:
            known = ", ".join(f"TYPE_{known}" for known in DTYPES)
            raise self._invalid(f"{place}.data_type", f"is TYPE_{name}", f"one of {known}")
        return name

    def _dims(self, place: str, dims: Sequence[int]) -> tuple[int, ...]:
        if not dims:
            raise self._invalid(f"{place}.dims", "is missing")
        for dim in dims:
            if dim < 1 and dim != -1:
                raise self._invalid(f"{place}.dims", f"holds {dim}", "a size, or -1 for any size")
        return tuple(dims)

    def _batching(self) -> DynamicBatching | None:
        if not self.message.HasField("dynamic_batching"):
            return None
        batching = self.message.dynamic_batching
        sizes = tuple(sorted(set(batching.preferred_batch_size)))
        limit = self.message.max_batch_size
        for size in sizes:
            if not 1 <= size <= limit:
                raise self._invalid(
                    "dynamic_batching.preferred_batch_size",
                    f"holds {size}, outside 1 to max_batch_size ({limit})",
                )
        if limit == 0:
            return None
        return DynamicBatching(
            preferred_sizes=sizes,
            queue_delay_seconds=batching.max_queue_delay_microseconds / 1e6,
        )

    def _instances(self) -> int | None:
        groups = self.message.instance_group
        for index, group in enumerate(groups):
            if self.runs_here and group.kind == model_config_pb2.ModelInstanceGroup.KIND_GPU:
                raise self._invalid(
                    f"instance_group[{index}].kind",
                    "KIND_GPU cannot be served in-process",
                    "write KIND_CPU or KIND_AUTO, or use a Triton server with a GPU",
                )
            if group.count < 0:
                raise self._invalid(f"instance_group[{index}].count", f"is {group.count}")
        return sum(group.count for group in groups) or None

    def _version_policy(self) -> VersionPolicy:
        policy = self.message.version_policy
        match policy.WhichOneof("policy_choice"):
            case "all":
                return VersionPolicy(latest=None)
            case "specific":
                versions = tuple(policy.specific.versions)
                if not versions:
                    raise self._invalid("version_policy.specific.versions", "is empty")
                return VersionPolicy(specific=versions)
            case _:
                return VersionPolicy(latest=policy.latest.num_versions or 1)

    def _label_filenames(self) -> tuple[str, ...]:
        return tuple(o.label_filename for o in self.message.output if o.label_filename)

    def _warm_ups(self) -> Iterator[WarmUp]:
        names = {tensor.name for tensor in self.message.input}
        for index, warm_up in enumerate(self.message.model_warmup):
            place = f"model_warmup[{index}].inputs"
            if set(warm_up.inputs) != names:
                raise self._invalid(place, "must give every input of the model, and no other")
            inputs = {
                name: self._warm_up_input(f"{place}[{name!r}]", value)
                for name, value in warm_up.inputs.items()
            }
            yield WarmUp(
                name=warm_up.name or f"sample {index}",
                batch_size=max(warm_up.batch_size, 1),
                inputs=types.MappingProxyType(inputs),
                count=max(warm_up.count, 1),
            )

    def _warm_up_input(self, place: str, value: Any) -> WarmUpInput:
        if any(dim < 1 for dim in value.dims):
            raise self._invalid(f"{place}.dims", "must all be sizes of 1 or more")
        return WarmUpInput(
            data_type=self._data_type(place, value.data_type),
            dims=tuple(value.dims),
            random=value.random_data,
            file=value.input_data_file or None,
        )
