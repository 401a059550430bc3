"""Generate the Python code of the protos into the client package.

    python ops/protos/generate.py [OUTPUT]

The folders of protos/ are the Python packages, so that no import needs rewriting.
"""

from __future__ import annotations

import sys
from importlib import metadata, resources
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
CLIENT = ROOT / "clients" / "python"
GRPC_TOOLS_VERSION = "1.81.1"


def common_protos() -> Path:
    """The folder that holds google/rpc/status.proto, of googleapis-common-protos."""
    for file in metadata.files("googleapis-common-protos") or ():
        if file.as_posix() == "google/rpc/status.proto":
            return Path(str(file.locate())).parents[2]
    raise FileNotFoundError("googleapis-common-protos has no google/rpc/status.proto")


def proto_files() -> list[Path]:
    """All files of the contract, in a stable order."""
    return sorted(PROTOS.rglob("*.proto"))


def generate(output: Path) -> None:
    """Write the modules, stubs and gRPC code under `output`; raises RuntimeError."""
    version = metadata.version("grpcio-tools")
    if version != GRPC_TOOLS_VERSION:
        raise RuntimeError(f"grpcio-tools is {version}; the code is made with {GRPC_TOOLS_VERSION}")
    output.mkdir(parents=True, exist_ok=True)
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"-I{resources.files(grpc_tools) / '_proto'}",
        f"-I{common_protos()}",
        f"--python_out={output}",
        f"--pyi_out={output}",
        f"--grpc_python_out={output}",
        *(str(file) for file in proto_files()),
    ]
    if protoc.main(arguments):
        raise RuntimeError("protoc refused the protos")
    for file in output.rglob("*_pb2_grpc.py"):
        if "Servicer" not in file.read_text():
            file.unlink()  # protoc writes one for files without a service too


def descriptor_set(output: Path) -> None:
    """Write the FileDescriptorSet of the contract, comments left out; raises RuntimeError."""
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"-I{resources.files(grpc_tools) / '_proto'}",
        f"-I{common_protos()}",
        f"--descriptor_set_out={output}",
        *(str(file) for file in proto_files()),
    ]
    if protoc.main(arguments):
        raise RuntimeError("protoc refused the protos")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else CLIENT)
