"""Install tritonserver from pip into an environment of its own, kept in the user's cache.

The wheel nvidia-pytriton carries tritonserver and its Python backend; it needs numpy 1, where the
platform needs numpy 2, so the two cannot share an environment. ONNX Runtime is of the very version
that the platform itself runs on, so that both give the same answers.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

import platformdirs

from absah_sdk import AbsahError

PYTRITON = "0.7.0"
"""Carries tritonserver 2.51."""
NUMPY = "1.26.4"
PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python that the wheel brings a stub for, of those that the platform runs on."""
_READY_NAME = "ready.txt"


class TritonNotInstalled(AbsahError):
    """The Triton server cannot be set up on this machine; the message says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """An installed tritonserver."""

    folder: Path
    libpython: Path
    """The shared library that Python stubs load."""

    @property
    def binaries(self) -> Path:
        """Where the environment's `python3` is, which the stubs run."""
        return self.folder / "venv" / "bin"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return self.folder / "venv" / "lib" / f"python{_python_version()}" / "site-packages"

    @property
    def tritonserver(self) -> Path:
        """The program."""
        return self.packages / "pytriton" / "tritonserver" / "bin" / "tritonserver"

    @property
    def backends(self) -> Path:
        """The backends: `python`, and `onnxruntime` on top of it."""
        return self.folder / "backends"

    @property
    def library_path(self) -> str:
        """LD_LIBRARY_PATH of the server; it hangs while it loads a model without it."""
        return f"{self.packages / 'nvidia_pytriton.libs'}:{self.libpython.parent}"


def prepare(tell: Callable[[str], None] = lambda step: None) -> Environment:
    """Return the environment, after installing it where that was not done before.

    `tell` is called with what is being done ("installing …"), which takes about a minute and
    330 MB the first time. Raises `TritonNotInstalled`.
    """
    environment = Environment(folder=_folder(), libpython=_libpython())
    with _alone(environment.folder):
        if not _is_ready(environment):
            _install(environment, tell)
        # Every time: it belongs to this version of the platform, not to what was installed.
        _put_backend(environment)
    return environment


def requirements() -> tuple[str, ...]:
    """What is installed beside the wheel of tritonserver."""
    return (f"numpy=={NUMPY}", f"onnxruntime=={metadata.version('onnxruntime')}")


def _folder() -> Path:
    runtime = metadata.version("onnxruntime")
    name = f"triton-{PYTRITON}-onnxruntime-{runtime}-python{_python_version()}"
    return platformdirs.user_cache_path("absah") / name


def _python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _libpython() -> Path:
    if _python_version() not in PYTHONS:
        raise TritonNotInstalled(
            f"Triton from pip runs on Python {', '.join(PYTHONS)}, and this is {_python_version()}"
        )
    name = sysconfig.get_config_var("INSTSONAME") or ""
    if not name.startswith("libpython") or ".so" not in name:
        name = f"libpython{_python_version()}.so.1.0"
    for folder in _library_folders():
        if (folder / name).exists():
            return folder / name
    raise TritonNotInstalled(
        f"{name} is not on this machine, and Triton's Python stubs need it: install it "
        f"(Debian: apt-get install libpython{_python_version()}), or use a Python that was built "
        "with --enable-shared"
    )


def _library_folders() -> Iterator[Path]:
    library = Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib")
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    yield from (library, library / multiarch, Path("/usr/lib") / multiarch, Path("/usr/lib64"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time look into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_ready(environment: Environment) -> bool:
    try:
        return (environment.folder / _READY_NAME).read_text() == _description()
    except FileNotFoundError:
        return False


def _description() -> str:
    """What an environment must have been made from to be used again."""
    return "\n".join((f"nvidia-pytriton=={PYTRITON}", *requirements(), sys.base_prefix, ""))


def _install(environment: Environment, tell: Callable[[str], None]) -> None:
    (environment.folder / _READY_NAME).unlink(missing_ok=True)
    tell("making an environment for Triton")
    venv.create(environment.folder / "venv", clear=True, symlinks=True, with_pip=True)
    tell("installing tritonserver, 130 MB")
    # Without what else the wheel asks for: that serves its Python API, which is not used here.
    _pip(environment, "--no-deps", f"nvidia-pytriton=={PYTRITON}")
    tell("installing ONNX Runtime for it")
    _pip(environment, *requirements())
    _copy_python_backend(environment)
    (environment.folder / _READY_NAME).write_text(_description())


def _pip(environment: Environment, *arguments: str) -> None:
    python = environment.binaries / "python"
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-3:])
        raise TritonNotInstalled(
            f"pip could not install {' '.join(arguments)} into {environment.folder}: {said}"
        )


def _copy_python_backend(environment: Environment) -> None:
    """Copied, not linked: the stub looks for its parts beside itself."""
    wheel = environment.packages / "pytriton" / "tritonserver"
    target = environment.backends / "python"
    target.mkdir(parents=True, exist_ok=True)
    for file in (
        wheel / "backends" / "python" / "libtriton_python.so",
        wheel / "backends" / "python" / "triton_python_backend_utils.py",
        wheel / "python_backend_stubs" / _python_version() / "triton_python_backend_stub",
    ):
        shutil.copy2(file, target)


def _put_backend(environment: Environment) -> None:
    content = resources.files("absah_ops.triton").joinpath("backend", "model.py").read_bytes()
    target = environment.backends / "onnxruntime" / "model.py"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.read_bytes() == content:
        return
    # In one step: a server that is starting may be reading it.
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as written:
        written.write(content)
    Path(written.name).chmod(0o644)
    os.replace(written.name, target)  # noqa: PTH105
