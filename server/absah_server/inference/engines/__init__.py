"""The runtimes that can execute a model in this process, behind one small protocol."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Mapping
from typing import Protocol

from absah_sdk.checking import Array
from absah_server.inference.signature import Signature

# Both runtimes would tell their makers how they are used, and write ids under HOME. They look
# once, when they are imported, which every module of this package does after this line.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


class EngineName(enum.StrEnum):
    """The engines by the name that settings and config.pbtxt use."""

    AUTO = "auto"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


class RunStopped(Exception):
    """An execution did not finish because it was told to stop."""


class Run(Protocol):
    """One execution, or several one after another, that can be stopped from another thread."""

    def execute(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model on one batch, in the calling thread, and return the outputs by name.

        Outputs are the caller's own memory. Raises `RunStopped`, or whatever the runtime raises.
        """

    def stop(self) -> None:
        """Make `execute` raise `RunStopped` soon, now and in later calls."""


class Engine(Protocol):
    """A model opened by a runtime; many threads may use it at once."""

    @property
    def name(self) -> EngineName: ...

    def signature(self) -> Signature:
        """The tensors of the graph."""

    def new_run(self) -> Run:
        """Prepare an execution."""
