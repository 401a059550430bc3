"""Do one job in a confined process, answer, and end.

A job is a message with two files: what to read and where to write. The answer is a short message;
pixels and values lie in the second file, as `codec` writes them.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import re
import socket
import sys
from typing import Any, BinaryIO

from absah_sdk import DocumentUnreadable
from absah_server.decode import codec, images, pdf
from absah_server.decode.limits import DecodeLimits
from absah_server.decode.media_types import PDF

MAX_MESSAGE_BYTES = 64 * 1024
_MAX_REASON_CHARACTERS = 500


def serve_one(door: socket.socket, limits: DecodeLimits) -> None:
    """Wait for one job, do it and answer."""
    message, files, _, _ = socket.recv_fds(door, MAX_MESSAGE_BYTES, 2)
    if not message:
        return
    with os.fdopen(files[0], "rb") as source, os.fdopen(files[1], "r+b", buffering=0) as out:
        answer = _answer(json.loads(message), source, out, limits)
    door.send(json.dumps(answer).encode())


def _answer(
    job: dict[str, Any], source: BinaryIO, out: BinaryIO, limits: DecodeLimits
) -> dict[str, Any]:
    try:
        offset, length = codec.write(_do(job, source, out, limits), out)
    except DocumentUnreadable as exc:
        return {"unreadable": str(exc)[:_MAX_REASON_CHARACTERS]}
    except MemoryError:
        return {"exhausted": "memory"}
    except Exception as exc:
        return {"failed": type(exc).__qualname__, "at": _place(exc)}
    return {"offset": offset, "length": length}


def _do(job: dict[str, Any], source: BinaryIO, out: BinaryIO, limits: DecodeLimits) -> Any:
    media_type = job.get("media_type")
    if media_type is None:
        # The server wrote this pickle; what goes back to it is never one.
        module, name, args = pickle.load(source)  # noqa: S301
        return _resolve(module, name)(*args)
    if media_type == PDF:
        return pdf.decode(source, limits, out)
    return images.decode(source, media_type, limits, out)


def _resolve(module: str, qualname: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _place(exc: BaseException) -> str:
    """Name the line that raised, without anything of the document."""
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return ""
    module = trace.tb_frame.f_globals.get("__name__", "")
    return re.sub(r"[^\w.:]", "", f"{module}:{trace.tb_lineno}")


def silence() -> None:
    """Send what native libraries print about a file to nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    sys.stdin = sys.stdout = sys.stderr = None
