"""Detectors: YOLOv8 and those that answer like it, YOLOX, NanoDet."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

import numpy as np

from absah_objects import description, heads
from absah_ops.models.bringing.kind import DoesNotFit, Folder, Source, Tensor
from absah_ops.models.golden import photos
from absah_sdk import AbsahError, Outcome, Result
from absah_server.inference.engines import onnxruntime
from absah_server.inference.repository import StoredModel
from absah_server.inference.signature import GraphTensor

DEFAULT_SIZE = "640x640"
PREPARATIONS: Mapping[str, Mapping[str, str]] = {
    "yolov8": {"colour": "RGB", "std": "255 255 255", "padding": "114", "placement": "centre"},
    "yolox": {"colour": "BGR", "std": "1 1 1", "padding": "114", "placement": "corner"},
    "nanodet": {
        "colour": "BGR",
        "mean": "103.53 116.28 123.675",
        "std": "57.375 57.12 58.395",
        "padding": "0",
    },
}
"""How each family of detectors has its pictures, where the operator says nothing else."""


class Detector:
    """Models of the checker `objects`."""

    checker = "objects"

    def folder(self, source: Source) -> Folder:
        """Read the graph; see `Kind.folder`."""
        head = source.head or "yolov8"
        if head not in heads.names():
            known = ", ".join(heads.names())
            raise DoesNotFit(source.file, "--head", f"{head!r} is not known", f"one of {known}")
        image = _image(source)
        labels = source.labels or _names(source)
        batched = image.shape[0] == -1
        _check_batch(source, batched)
        sizes = source.sizes or (_size(source, image),)
        parameters = {
            "head": head,
            "input": image.name,
            "sizes": " ".join(sizes),
            **PREPARATIONS.get(head, {}),
            **({"stride": source.metadata["stride"]} if _has_stride(source) else {}),
        }
        cut = 1 if batched else 0
        return Folder(
            max_batch_size=4 if batched else 0,
            inputs=[Tensor(name=image.name, data_type="FP32", dims=image.shape[cut:])],
            outputs=[
                Tensor(
                    name=output.name,
                    data_type=output.data_type,
                    dims=output.shape[cut:],
                    labelled=index == 0,
                )
                for index, output in enumerate(source.signature.outputs)
            ],
            labels=labels,
            parameters={f"{description.PREFIX}{key}": value for key, value in parameters.items()},
        )

    def try_out(self, model: StoredModel) -> None:
        """Decode the outputs for an empty canvas; see `Kind.try_out`."""
        try:
            described = description.describe(model)
            decode = heads.load(described.head)
        except ValueError as exc:
            raise DoesNotFit(model.config.file, "parameters", str(exc)) from exc
        canvas = _canvas(described.sizes[0], described.stride)
        inputs = {described.input: np.zeros((1, 3, canvas[1], canvas[0]), np.float32)}
        outputs = _run(model, inputs)
        first = {name: array[0] for name, array in outputs.items()}
        try:
            decode(first, canvas, described, 0.5)
        except ValueError as exc:
            raise DoesNotFit(
                model.file,
                f"outputs for the head {described.head}",
                str(exc),
                f"labels.txt has {len(model.labels)} lines",
            ) from exc

    def samples(self) -> list[bytes | str]:
        """The photos that come with Absah."""
        return [photos.jpeg(photo, quality=92) for _, photo in photos.load()]

    def told(self, result: Result) -> str:
        """Counts by label; see `Kind.told`."""
        if result.outcome is Outcome.ERROR:
            raise AbsahError("the checker broke on the sample; the log above says where")
        unlikely = [f.confidence for f in result.findings if (f.confidence or 0) > 1]
        if unlikely:
            raise AbsahError(
                f"a confidence is {unlikely[0]:.3g}, above 1: the scores must be after the sigmoid"
            )
        counts = result.facts.get("counts", {})
        return ", ".join(f"{n} {label}" for label, n in counts.items()) or "nothing sure"


def _image(source: Source) -> GraphTensor:
    if len(source.signature.inputs) != 1:
        names = ", ".join(tensor.name for tensor in source.signature.inputs)
        raise DoesNotFit(source.file, "inputs", f"are {names}; a detector takes one picture")
    (image,) = source.signature.inputs
    if image.data_type != "FP32":
        raise DoesNotFit(
            source.file, f"input {image.name!r}", f"is {image.data_type}", "export it as float32"
        )
    if len(image.shape) != 4 or image.shape[1] != 3 or image.shape[0] not in (-1, 1):
        raise DoesNotFit(
            source.file,
            f"input {image.name!r}",
            f"has the shape {list(image.shape)}, not [batch, 3, height, width]",
        )
    return image


def _check_batch(source: Source, batched: bool) -> None:
    for output in source.signature.outputs:
        if output.shape and (output.shape[0] == -1) is not batched:
            raise DoesNotFit(
                source.file,
                f"output {output.name!r}",
                f"has the shape {list(output.shape)}, whose batch axis is not the input's",
            )


def _names(source: Source) -> Sequence[str]:
    """The labels that ultralytics' export writes: a Python dictionary by number."""
    try:
        names = ast.literal_eval(source.metadata.get("names", ""))
        return [str(names[number]) for number in range(len(names))]
    except (ValueError, SyntaxError, KeyError, TypeError) as exc:
        raise DoesNotFit(
            source.file, "labels", "are in no metadata of the file", "give them with --labels"
        ) from exc


def _size(source: Source, image: GraphTensor) -> str:
    height, width = image.shape[2:]
    if height > 0 and width > 0:
        return f"{width}x{height}"
    given = re.findall(r"\d+", source.metadata.get("imgsz", ""))
    return f"{given[1]}x{given[0]}" if len(given) == 2 else DEFAULT_SIZE


def _has_stride(source: Source) -> bool:
    return source.metadata.get("stride", "").isdecimal()


def _canvas(size: str, stride: int) -> tuple[int, int]:
    width, _, height = size.partition("x")
    if height:
        return int(width), int(height)
    side = -(-int(width) // stride) * stride
    return side, side


def _run(
    model: StoredModel, inputs: Mapping[str, np.typing.NDArray[np.float32]]
) -> Mapping[str, np.typing.NDArray[np.float32]]:
    names = [tensor.name for tensor in model.config.outputs]
    engine = onnxruntime.OnnxRuntimeEngine(model.file, output_names=names)
    try:
        return engine.new_run().execute(inputs)
    except Exception as exc:
        problem = str(exc).splitlines()[0]
        raise DoesNotFit(model.file, "a picture of zeros", f"cannot be run: {problem}") from exc
