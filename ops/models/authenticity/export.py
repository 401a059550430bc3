"""Export trained weights to the model repository, and verify what was written.

cd ops/models && python -m authenticity.export FILE.pt [--repository ../../model_repository]
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from absah_authenticity import localisation, traces

from . import network

REPOSITORY = Path(__file__).parents[3] / "model_repository"
OPSET = 17
TOLERANCE = 1e-3


def export(model: network.SpliceLocalizer, path: Path) -> None:
    """Write the network as ONNX with free batch, rows and columns."""
    example = torch.zeros(1, traces.PLANES, 16, 24)
    axes = {0: "batch", 2: "rows", 3: "columns"}
    with warnings.catch_warnings():
        # The newer exporter wants onnxscript; this one needs nothing more and writes the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model.eval(),
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=[localisation.INPUT],
            output_names=[localisation.OUTPUT],
            dynamic_axes={localisation.INPUT: axes, localisation.OUTPUT: axes},
        )


def verify(model: network.SpliceLocalizer, path: Path) -> float:
    """Compare ONNX Runtime with torch on other sizes; return the largest difference.

    Raises ValueError where it is more than rounding.
    """
    session = onnxruntime.InferenceSession(str(path))
    rng = np.random.default_rng(0)
    worst = 0.0
    for shape in ((1, 64, 96), (2, 16, 8), (1, 100, 132)):
        planes = rng.normal(1, 1, (shape[0], traces.PLANES, *shape[1:])).astype(np.float32)
        (found,) = session.run([localisation.OUTPUT], {localisation.INPUT: planes})
        with torch.no_grad():
            wanted = model(torch.from_numpy(planes)).numpy()
        worst = max(worst, float(np.abs(found - wanted).max()))
    if worst > TOLERANCE:
        raise ValueError(f"ONNX differs from torch by {worst}")
    return worst


def main() -> None:
    """Export, verify and say where."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--repository", type=Path, default=REPOSITORY)
    arguments = parser.parse_args()
    model = network.SpliceLocalizer()
    model.load_state_dict(torch.load(arguments.weights, weights_only=True))
    path = arguments.repository / localisation.MODEL / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    export(model, path)
    print(f"{path}: {path.stat().st_size} bytes, differs from torch by {verify(model, path):.1e}")


if __name__ == "__main__":
    main()
