"""Python, sandboxed processes, the port, and what makes things faster or better."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import socket
import sys
from collections.abc import Iterator

from absah_ops.diagnosing.diagnosis import Diagnosis, Look
from absah_server.decode.sandbox import ProcessSandbox
from absah_server.settings import Settings


def python() -> Diagnosis:
    """Its version."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Diagnosis(
        what="python",
        ok=sys.version_info >= (3, 11),
        found=version,
        mend="install Python 3.11 or newer",
    )


def looks(settings: Settings) -> Iterator[Look]:
    """How to look at the machine."""
    yield Look(what="sandbox", at=lambda: _sandbox(settings))
    yield Look(what="port", at=lambda: _port(settings))
    yield Look(what="openvino", at=_openvino)
    yield Look(what="tesseract", at=_tesseract)


def _sandbox(settings: Settings) -> Diagnosis:
    async def run() -> None:
        sandbox = ProcessSandbox(settings.decode, workers=1)
        try:
            await sandbox.start()
        finally:
            await sandbox.close()

    asyncio.run(run())
    return Diagnosis(what="sandbox", ok=True, found="decoding processes start")


def _port(settings: Settings) -> Diagnosis:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as exc:
            return Diagnosis(
                what="port",
                ok=False,
                found=f"{settings.host}:{settings.port}: {exc.strerror}",
                mend="a server may be running; else choose another with --port",
                optional=True,
            )
    return Diagnosis(what="port", ok=True, found=f"{settings.host}:{settings.port} is free")


def _openvino() -> Diagnosis:
    there = importlib.util.find_spec("openvino") is not None
    return Diagnosis(
        what="openvino",
        ok=there,
        found="installed" if there else "not installed",
        mend="pip install absah[openvino] makes some models faster",
        optional=True,
    )


def _tesseract() -> Diagnosis:
    path = shutil.which("tesseract")
    return Diagnosis(
        what="tesseract",
        ok=path is not None,
        found=path or "not installed",
        mend="apt install tesseract-ocr tesseract-ocr-ind gives OCR a second engine",
        optional=True,
    )
