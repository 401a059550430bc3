"""Codecs of the bridge, as tests make and use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from absah_bridge.codecs import Codec, Incoming, registry
from absah_bridge.errors import MessageInvalid
from absah_bridge.tree import Branch

FOLDER = Path()


def make_codec(folder: Path = FOLDER, **config: Any) -> Codec:
    """A codec of this configuration."""
    return registry.make(config, folder, registry.kinds())


def read(codec: Codec, body: bytes, content_type: str = "", **headers: Any) -> Branch:
    """The tree of a message."""
    return codec.decode(Incoming(body=body, content_type=content_type, headers=headers))


def refusal(codec: Codec, body: bytes, content_type: str = "") -> MessageInvalid:
    """Why a message is refused."""
    with pytest.raises(MessageInvalid) as caught:
        read(codec, body, content_type)
    return caught.value
