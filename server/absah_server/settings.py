"""All settings with their defaults: from `absah.toml`, over it ABSAH_* environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import platformdirs
import pydantic
import pydantic_settings

from absah_server.core.submission import SizeLimits
from absah_server.decode.limits import DecodeLimits
from absah_server.inference.local import OnInvalid

PACKAGE = Path(__file__).resolve().parent
CORES = os.cpu_count() or 1


def model_repository() -> Path:
    """The repository that comes with the package, or that of the source tree."""
    packaged = PACKAGE / "model_repository"
    return packaged if packaged.is_dir() else PACKAGE.parents[1] / "model_repository"


class Part(pydantic.BaseModel):
    """A group of settings; an unknown key is refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class InferenceSettings(Part):
    """How models are run."""

    model_repository: Path = pydantic.Field(default_factory=model_repository)
    engine: Literal["auto", "onnxruntime", "openvino"] = "auto"
    concurrent_runs: int = pydantic.Field(default=CORES, gt=0)
    """Executions of all models together at a time."""
    threads_per_run: int = pydantic.Field(default=1, gt=0)
    """Threads of each execution."""
    on_invalid: OnInvalid = OnInvalid.REFUSE
    """Whether a model that cannot be served keeps the server from starting."""


class TelemetrySettings(Part):
    """Where logs, traces and metrics go; empty or 0 means nowhere."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str = ""
    """Such as "http://127.0.0.1:4317"."""
    prometheus_port: int = 0
    prometheus_host: str = "127.0.0.1"


class StoreSettings(Part):
    """Where validations and documents are kept, besides `database_url` and `data`."""

    kind: Literal["postgres", "none"] = "postgres"
    """"none" keeps nothing: `Validate` and `ValidateStream` answer, and nothing is recorded."""
    max_connections: int = pydantic.Field(default=10, gt=1)
    wait_seconds: float = pydantic.Field(default=5.0, gt=0)
    """For a free connection; then the call is refused as UNAVAILABLE."""
    statement_seconds: float = pydantic.Field(default=30.0, gt=0)


class Settings(pydantic_settings.BaseSettings):
    """Settings of a server; a nested one is set as ABSAH_LIMITS__MAX_DOCUMENTS=10."""

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix="ABSAH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    host: str = "127.0.0.1"
    port: int = pydantic.Field(default=50051, ge=0, le=65535)
    """0 takes a free port."""
    reflection: bool = True
    default_deadline_seconds: float = pydantic.Field(default=60.0, gt=0)
    """For callers that set none."""
    max_deadline_seconds: float = pydantic.Field(default=300.0, gt=0)
    drain_seconds: float = pydantic.Field(default=30.0, ge=0)
    """How long running work may take after SIGTERM."""
    max_running: int = pydantic.Field(default=max(4, 2 * CORES), gt=0)
    """Validations at a time."""
    max_waiting: int = pydantic.Field(default=64, ge=0)
    """Validations that wait for a place; more are refused with RESOURCE_EXHAUSTED."""
    max_decoded_documents: int = pydantic.Field(default=4, gt=0)
    """Documents held as pixels at a time; with decode.max_pixels it bounds the memory."""
    decode_workers: int = pydantic.Field(default=min(CORES, 4), gt=0)
    """Sandboxed processes that decode."""
    threads: int = pydantic.Field(default=max(4, 2 * CORES), gt=0)
    """Threads that sync checks run in."""
    data: Path = pydantic.Field(default_factory=lambda: platformdirs.user_data_path("absah"))
    """Folder of what the server keeps: its own PostgreSQL, and documents."""
    database_url: pydantic.SecretStr = pydantic.SecretStr("")
    """Such as "postgresql://absah:secret@db/absah"; empty runs a PostgreSQL in `data`."""
    store: StoreSettings = StoreSettings()
    policies: Path = PACKAGE / "policies"
    plugins: tuple[str, ...] | None = None
    """Entry points that may be loaded; unset allows all that are installed."""
    limits: SizeLimits = SizeLimits()
    decode: DecodeLimits = DecodeLimits()
    inference: InferenceSettings = pydantic.Field(default_factory=InferenceSettings)
    telemetry: TelemetrySettings = TelemetrySettings()
    checkers: dict[str, dict[str, Any]] = pydantic.Field(default_factory=dict)
    """Each checker's own settings, by its name."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[pydantic_settings.BaseSettings],
        init_settings: pydantic_settings.PydanticBaseSettingsSource,
        env_settings: pydantic_settings.PydanticBaseSettingsSource,
        dotenv_settings: pydantic_settings.PydanticBaseSettingsSource,
        file_secret_settings: pydantic_settings.PydanticBaseSettingsSource,
    ) -> tuple[pydantic_settings.PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("ABSAH_SETTINGS", "absah.toml"))
        return (
            init_settings,
            env_settings,
            pydantic_settings.TomlConfigSettingsSource(settings_cls, file),
        )
