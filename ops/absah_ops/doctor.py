"""`absah doctor`: what is reachable, what is missing, how to mend it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

import absah
from absah_ops import showing
from absah_ops.failing import explain
from absah_server import platform
from absah_server.decode.sandbox import ProcessSandbox
from absah_server.inference.engines import opening
from absah_server.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One thing looked at. An optional thing that is missing is no fault."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    optional: bool = False

    @property
    def word(self) -> str:
        return "yes" if self.ok else "optional" if self.optional else "no"


@click.command()
@click.option("--server", envvar="ABSAH_SERVER", metavar="HOST:PORT", help="Look at this server.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def doctor(server: str | None, as_json: bool) -> None:
    """Look at everything that a server needs, and say how to mend what is missing.

    Exits with 1 if something that is needed is missing.
    """
    looks: list[Callable[[], Diagnosis]] = [
        _python,
        _settings,
        _models,
        _checkers,
        _policies,
        _sandbox,
        _port,
        _openvino,
        _tesseract,
    ]
    if server:
        looks.append(lambda: _server(server))
    found = [_look(look) for look in looks]
    if as_json:
        for diagnosis in found:
            click.echo(json.dumps(asdict(diagnosis), ensure_ascii=False))
    else:
        rows = [(d.word, d.what, d.found, d.mend if not d.ok else "") for d in found]
        showing.table(("ok", "what", "found", "how to mend it"), rows)
    if not all(d.ok or d.optional for d in found):
        sys.exit(1)


def _look(look: Callable[[], Diagnosis]) -> Diagnosis:
    try:
        return look()
    except Exception as exc:
        message = explain(exc)
        if message is None:
            raise
        what = look.__name__.removeprefix("_").replace("<lambda>", "server")
        return Diagnosis(what=what, ok=False, found=message, mend="see what was found")


def _python() -> Diagnosis:
    version = ".".join(map(str, sys.version_info[:3]))
    return Diagnosis(
        what="python",
        ok=sys.version_info >= (3, 11),
        found=version,
        mend="install Python 3.11 or newer",
    )


def _settings() -> Diagnosis:
    settings = Settings()
    return Diagnosis(
        what="settings", ok=True, found=f"{settings.host}:{settings.port}, policies and limits fit"
    )


def _models() -> Diagnosis:
    reading = opening.verify_repository(Settings().inference.model_repository)
    problems = "; ".join(str(error) for error in reading.errors)
    names = ", ".join(dict.fromkeys(model.name for model in reading.models))
    return Diagnosis(
        what="models",
        ok=not problems,
        found=problems or names,
        mend="restore the model repository, or name another: inference.model_repository",
    )


def _checkers() -> Diagnosis:
    names = ", ".join(sorted(platform.load_registry(Settings()).checkers))
    return Diagnosis(what="checkers", ok=True, found=names)


def _policies() -> Diagnosis:
    settings = Settings()
    loaded = platform.load_policies(settings, platform.load_registry(settings)).all()
    return Diagnosis(
        what="policies", ok=True, found=", ".join(policy.reference for policy in loaded)
    )


def _sandbox() -> Diagnosis:
    async def run() -> None:
        sandbox = ProcessSandbox(Settings().decode, workers=1)
        try:
            await sandbox.start()
        finally:
            await sandbox.close()

    asyncio.run(run())
    return Diagnosis(what="sandbox", ok=True, found="decoding processes start")


def _port() -> Diagnosis:
    settings = Settings()
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


def _server(address: str) -> Diagnosis:
    with absah.Client(address, timeout_seconds=5) as client:
        names = ", ".join(c.name.removeprefix("checkers/") for c in client.checkers())
    return Diagnosis(what="server", ok=True, found=f"{address} answers, with {names}")
