"""Small files beside a model: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from absah_server.core.errors import ModelInvalid


def read_json(file: Path, *, model: str) -> Any:
    """What `file` holds; raises FileNotFoundError, or `ModelInvalid` where it cannot be read."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as exc:
        raise ModelInvalid(model=model, file=str(file), problem=f"cannot be read: {exc}") from exc


def write(file: Path, text: str) -> None:
    """Replace `file` with `text` in UTF-8; raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
