"""Have a Triton server load a version of a model beside those that it serves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2

from absah_server.core.errors import ModelInvalid
from absah_server.inference.repository import StoredModel
from absah_server.inference.triton.failures import Kind, ServerFailure
from absah_server.inference.triton.server import Server

_CALL_SECONDS = 5.0


async def remote_config(server: Server, model: StoredModel) -> Any:
    """The `ModelConfig` by which the server serves this version; raises `ServerFailure`."""
    with server.calling():
        response = await server.client.get_model_config(
            model.name, model.version, client_timeout=_CALL_SECONDS
        )
    return response.config


async def load(server: Server, model: StoredModel, *, timeout_seconds: float) -> Any:
    """Load a version and return its config; versions that are loaded stay so.

    The server's own reading of the repository comes first. Where that leaves this version out,
    because a rollout or somebody who pins says otherwise than the config's version policy, it is
    named to the server. Raises `ModelInvalid` where the server cannot load it, `ServerFailure`
    where it cannot be asked.
    """
    try:
        before = await _versions(server, model.name)
        if not before:
            await _call(server, model.name, None, timeout_seconds)
            before = await _versions(server, model.name)
        if model.version not in before:
            config = _with_versions(model, {*before, model.version})
            await _call(server, model.name, config, timeout_seconds)
        return await remote_config(server, model)
    except ServerFailure as exc:
        # To a client that may not load, Triton says UNAVAILABLE, as if it were gone itself.
        if exc.kind in (Kind.LOST, Kind.LATE) and "explicit" not in exc.said:
            raise
        raise ModelInvalid(
            model=model.name,
            file=str(model.file),
            problem=f"is not served by Triton at {server.address}: {exc.said}",
            hint="its log says more; it must read the same model repository",
        ) from exc


async def reload(server: Server, model: StoredModel, *, timeout_seconds: float) -> None:
    """Start the processes of a version anew, while others serve; raises `ServerFailure`."""
    others = await _versions(server, model.name) - {model.version}
    # To load what is loaded does nothing, so this version is left out first.
    if others:
        await _call(server, model.name, _with_versions(model, others), timeout_seconds)
    else:
        with server.calling():
            await server.client.unload_model(model.name, client_timeout=_CALL_SECONDS)
    config = _with_versions(model, {*others, model.version})
    await _call(server, model.name, config, timeout_seconds)


async def _versions(server: Server, name: str) -> set[str]:
    with server.calling():
        index = await server.client.get_model_repository_index(client_timeout=_CALL_SECONDS)
    return {
        entry.version for entry in index.models if entry.name == name and entry.state == "READY"
    }


async def _call(server: Server, name: str, config: str | None, timeout_seconds: float) -> None:
    with server.calling():
        await server.client.load_model(name, config=config, client_timeout=timeout_seconds)


def _with_versions(model: StoredModel, versions: Collection[str]) -> str:
    """The model's config.pbtxt as JSON, with a version policy of these versions."""
    text = model.config.file.read_text(encoding="utf-8")
    message = text_format.Parse(text, model_config_pb2.ModelConfig())
    message.version_policy.specific.versions[:] = sorted(map(int, versions))
    return str(json_format.MessageToJson(message, preserving_proto_field_name=True))
