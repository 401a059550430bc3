"""Write the folder of a model: config.pbtxt, labels, card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from absah_ops.models.bringing.kind import Folder, Tensor
from absah_ops.models.golden.choosing import CHECKER_PARAMETER

CARD = """# {name}

{about} Used by the checker `{checker}`.

| | |
|---|---|
| architecture | to be filled in |
| origin | `{file}`, SHA-256 {digest} |
| licence | to be filled in |
| trained on | to be filled in |
| brought by | `absah models import`, {day} |

Inputs: {inputs}. Outputs: {outputs}. {labels} labels.

## Figures

None yet: `absah models evaluate {name} --golden FOLDER` measures it.

## Where it fails

Not known yet.
"""
ABOUT = {
    "objects": "Finds things in photos: boxes with labels.",
    "entities": "Finds entities in text.",
}


def write(directory: Path, checker: str, folder: Folder) -> None:
    """Write all but the graph and the card."""
    directory.mkdir(parents=True)
    (directory / "config.pbtxt").write_text(_config(directory.name, checker, folder))
    labels = "".join(f"{label}\n" for label in folder.labels)
    (directory / "labels.txt").write_text(labels, encoding="utf-8")
    for name, content in folder.files.items():
        content = content.encode() if isinstance(content, str) else content
        (directory / name).write_bytes(content)


def write_card(
    directory: Path, checker: str, folder: Folder, *, file: str, digest: str, day: str
) -> None:
    """Write MODEL_CARD.md with what is known, for a person to complete."""
    text = CARD.format(
        name=directory.name,
        about=ABOUT[checker],
        checker=checker,
        file=file,
        digest=digest,
        day=day,
        inputs=", ".join(map(_told, folder.inputs)),
        outputs=", ".join(map(_told, folder.outputs)),
        labels=len(folder.labels),
    )
    (directory / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def _told(tensor: Tensor) -> str:
    dims = " × ".join("any" if dim < 0 else str(dim) for dim in tensor.dims)
    return f"`{tensor.name}` {tensor.data_type} {dims}"


def _config(name: str, checker: str, folder: Folder) -> str:
    lines = [
        f"name: {json.dumps(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {folder.max_batch_size}",
        *_tensors("input", folder.inputs),
        *_tensors("output", folder.outputs),
    ]
    if folder.max_batch_size:
        lines.append("dynamic_batching { }")
    lines.append("instance_group [ { count: 1, kind: KIND_CPU } ]")
    parameters = {CHECKER_PARAMETER: checker, **folder.parameters}
    lines += [
        f"parameters {{ key: {json.dumps(key)} "
        f"value {{ string_value: {json.dumps(value, ensure_ascii=False)} }} }}"
        for key, value in parameters.items()
    ]
    return "\n".join(lines) + "\n"


def _tensors(kind: str, tensors: Sequence[Tensor]) -> list[str]:
    lines = [f"{kind} ["]
    for index, tensor in enumerate(tensors):
        comma = "," if index < len(tensors) - 1 else ""
        labels = ', label_filename: "labels.txt"' if tensor.labelled else ""
        dims = ", ".join(map(str, tensor.dims))
        lines.append(
            f"  {{ name: {json.dumps(tensor.name)}, data_type: TYPE_{tensor.data_type}, "
            f"dims: [ {dims} ]{labels} }}{comma}"
        )
    return [*lines, "]"]
