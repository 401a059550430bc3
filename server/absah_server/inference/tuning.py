"""Remember which engine, executions, threads and batches serve a model best on a machine.

`absah models tune` measures it and writes it to tuning.json beside the models of the repository,
or into the user's data folder ($XDG_DATA_HOME/absah) where the repository cannot be written to.
A measurement counts for one model as it is (its digest), one machine (processor and their number)
and the runtimes it was made with; where any of them has changed, it is as if there were none.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from absah_server.core.errors import ModelInvalid
from absah_server.inference import whole_files
from absah_server.inference.engines import EngineName
from absah_server.inference.processors import available_processors
from absah_server.inference.repository import StoredModel

TUNING_NAME = "tuning.json"
FORMAT = 2
_CPU_FILE = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How a model is executed: up to `runs` executions at once, each in `threads` threads.

    `joins` says whether requests share an execution, where the model's config allows it.
    """

    engine: EngineName
    runs: int
    threads: int
    joins: bool = True

    def __str__(self) -> str:
        executions = "1 execution" if self.runs == 1 else f"{self.runs} executions"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        alone = "" if self.joins else ", each request alone"
        return f"{self.engine}, {executions} of {threads}{alone}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What a measurement depends on besides the model; `runtimes` is "name version, …"."""

    processor: str
    processors: int
    runtimes: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One plan measured: answers a second by callers at once, memory, and how far it agrees.

    `memory_bytes` is what loading the model and running it took of memory in a process of its
    own. `deviation` is the largest difference of an output from ONNX Runtime's, over the largest
    magnitude of that output. `refused` says why the plan may not be chosen, empty where it may.
    """

    plan: Plan
    rates: Mapping[int, float]
    memory_bytes: int
    deviation: float
    refused: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tuning:
    """What was measured for one model on one machine, and what was chosen."""

    model: str
    version: str
    digest: str
    machine: Machine
    time: str
    plan: Plan
    measurements: Sequence[Measurement]


@functools.cache
def this_machine() -> Machine:
    """The machine that this process runs on, and the runtimes that it could use."""
    runtimes = [f"onnxruntime {metadata.version('onnxruntime')}"]
    # An optional extra: where it is missing its plans are neither made nor used.
    with contextlib.suppress(metadata.PackageNotFoundError):
        runtimes.append(f"openvino {metadata.version('openvino')}")
    return Machine(
        processor=_processor(),
        processors=available_processors(),
        runtimes=", ".join(runtimes),
    )


def tuned(model: StoredModel) -> Tuning | None:
    """What was measured for this very model on this machine, None where nothing was.

    Raises `ModelInvalid` where a file of measurements cannot be read.
    """
    machine = this_machine()
    for file in files(model):
        for tuning in _read(file):
            if tuning.digest == model.digest and tuning.machine == machine:
                return tuning
    return None


def save(model: StoredModel, tuning: Tuning) -> Path:
    """Keep a measurement in place of older ones for the same model and machine; returns the file.

    Raises OSError where neither the repository nor the user's data folder can be written to.
    """
    beside, own = files(model)
    try:
        return _save(beside, tuning)
    except OSError as exc:
        if exc.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
    own.parent.mkdir(parents=True, exist_ok=True)
    return _save(own, tuning)


def files(model: StoredModel) -> tuple[Path, Path]:
    """Where measurements are looked for: beside the models, then in the user's data folder."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return (
        model.directory.parent / TUNING_NAME,
        Path(data).expanduser() / "absah" / TUNING_NAME,
    )


def _save(file: Path, tuning: Tuning) -> Path:
    kept = [t for t in _read(file) if (t.model, t.machine) != (tuning.model, tuning.machine)]
    stored = {"format": FORMAT, "tunings": [asdict(t) for t in (*kept, tuning)]}
    whole_files.write(file, json.dumps(stored, indent=2, ensure_ascii=False) + "\n")
    return file


def _read(file: Path) -> Iterator[Tuning]:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["format"] == FORMAT:
            yield from map(_tuning, stored["tunings"])
    except (FileNotFoundError, PermissionError):
        return
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ModelInvalid(
            model="*",
            file=str(file),
            problem=f"cannot be read: {exc!r}",
            hint="delete it and run `absah models tune`",
        ) from exc


def _tuning(stored: Mapping[str, Any]) -> Tuning:
    return Tuning(
        **{
            **stored,
            "machine": Machine(**stored["machine"]),
            "plan": _plan(stored["plan"]),
            "measurements": tuple(_measurement(m) for m in stored["measurements"]),
        }
    )


def _measurement(stored: Mapping[str, Any]) -> Measurement:
    rates = {int(clients): rate for clients, rate in stored["rates"].items()}
    return Measurement(**{**stored, "plan": _plan(stored["plan"]), "rates": rates})


def _plan(stored: Mapping[str, Any]) -> Plan:
    return Plan(**{**stored, "engine": EngineName(stored["engine"])})


def _processor() -> str:
    try:
        lines = _CPU_FILE.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in facts.items()}
    # Virtual machines often hide the model's name; its numbers tell it as well.
    keys = ("model name", "cpu family", "model", "stepping")
    return " ".join(named[key] for key in keys if key in named) or platform.machine()
