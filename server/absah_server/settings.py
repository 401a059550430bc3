"""All settings with their defaults: from `absah.toml`, over it ABSAH_* environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
import pydantic
import pydantic_settings

from absah_server.core.submission import SizeLimits
from absah_server.decode.limits import DecodeLimits
from absah_server.inference import rollout
from absah_server.inference.invalid import OnInvalid

PACKAGE = Path(__file__).resolve().parent
CORES = os.cpu_count() or 1
Version = Annotated[str, pydantic.Field(pattern=f"^{rollout.VERSION.pattern}$")]


def model_repository() -> Path:
    """The repository that comes with the package, or that of the source tree."""
    packaged = PACKAGE / "model_repository"
    return packaged if packaged.is_dir() else PACKAGE.parents[1] / "model_repository"


class Part(pydantic.BaseModel):
    """A group of settings; an unknown key is refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class TritonSettings(Part):
    """The Triton servers that run the models where `inference.backend` is "triton"."""

    addresses: tuple[str, ...] = pydantic.Field(default=("127.0.0.1:8001",), min_length=1)
    """HOST:PORT of each server's gRPC; they serve the same model repository."""
    tls_ca_file: Path | None = None
    """PEM of the authorities of the servers' certificates; without it nothing is encrypted."""
    max_in_flight: int = pydantic.Field(default=64, gt=0)
    """Requests for a model at the servers at a time; more wait here."""
    start_seconds: float = pydantic.Field(default=30.0, ge=0)
    """How long to wait at start for the first server that answers."""
    patience_seconds: float = pydantic.Field(default=5.0, ge=0)
    """How long a request waits for a server to come back."""
    probe_interval_seconds: float = pydantic.Field(default=5.0, gt=0)
    """How often each model of each server is asked for a sign of life."""
    shared_memory_bytes: int = pydantic.Field(default=256 * 2**20, ge=0)
    """Shared with each server on the same host, at most; 0 sends everything over gRPC."""


class InferenceSettings(Part):
    """How models are run."""

    backend: Literal["local", "triton"] = "local"
    """In this process, or by Triton servers."""
    triton: TritonSettings = TritonSettings()
    model_repository: Path = pydantic.Field(default_factory=model_repository)
    engine: Literal["auto", "onnxruntime", "openvino"] = "auto"
    concurrent_runs: int = pydantic.Field(default=CORES, gt=0)
    """Executions of all models together at a time."""
    threads_per_run: int | None = pydantic.Field(default=None, gt=0)
    """Threads of each execution; unset, as `absah models tune` found, or what processors allow."""
    on_invalid: OnInvalid = OnInvalid.SERVE_OTHERS
    """Whether a model that cannot be served keeps the server from starting."""
    pins: dict[str, Version] = pydantic.Field(default_factory=dict)
    """Versions by model that answer whatever the models' rollouts say."""


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


class JobSettings(Part):
    """How validations that were accepted for later are worked at."""

    workers: int = pydantic.Field(default=max(2, CORES), ge=0)
    """Validations that `absah serve`, or `absah worker`, works at at a time; 0 in a server leaves
    all of them to `absah worker` processes."""
    deadline_seconds: float = pydantic.Field(default=300.0, gt=0)
    """How long one attempt at a validation may take."""
    max_attempts: int = pydantic.Field(default=5, gt=0)
    """Attempts that may fail or be lost before a validation ends with what there is, or FAILED."""
    backoff_seconds: float = pydantic.Field(default=1.0, gt=0)
    """How long a validation waits after its first failure; it doubles with each one."""
    max_backoff_seconds: float = pydantic.Field(default=60.0, gt=0)
    stalled_after_seconds: float = pydantic.Field(default=15.0, gt=0)
    """A worker that is not heard of for so long is held for dead, and its jobs are taken over."""
    poll_seconds: float = pydantic.Field(default=2.0, gt=0)
    """How often jobs are looked for that nobody told of, such as those to be tried again."""
    keep_ended_days: float = pydantic.Field(default=7.0, ge=0)
    """How long jobs that ended well are listed; validations and their attempts are kept."""
    policy_concurrency: dict[str, int] = pydantic.Field(default_factory=dict)
    """By a policy's name, how many of its validations may run at a time, over all workers."""

    @pydantic.field_validator("policy_concurrency")
    @classmethod
    def _verify_limits(cls, limits: dict[str, int]) -> dict[str, int]:
        if wrong := [policy for policy, limit in limits.items() if limit < 1]:
            raise ValueError(f"the limit of {', '.join(wrong)} must be 1 or more")
        return limits


class BlobSettings(Part):
    """Where the contents of documents and artifacts are kept, and for how long."""

    kind: Literal["files", "s3"] = "files"
    """"files" keeps them in `data`; credentials of S3 come from the usual AWS_* variables."""
    bucket: str = ""
    endpoint: str = ""
    """Such as "https://s3.example.go.id"; empty is that of AWS."""
    region: str = "us-east-1"
    prefix: str = ""
    """Begin of all keys in the bucket."""
    documents_days: int | None = pydantic.Field(default=None, gt=0)
    """How long contents of a validation are kept where its policy is silent; unset keeps them."""
    upload_days: float = pydantic.Field(default=30.0, gt=0)
    """How long an uploaded document is kept though no validation needs it."""
    partial_hours: float = pydantic.Field(default=24.0, gt=0)
    """How long an upload that broke off can be gone on with."""
    idle_seconds: float = pydantic.Field(default=60.0, gt=0)
    """Uploads of which nothing comes for so long are ended, and downloads that nobody reads."""
    max_uploads: int = pydantic.Field(default=64, gt=0)
    """At a time; more are refused with RESOURCE_EXHAUSTED."""
    max_downloads: int = pydantic.Field(default=16, gt=0)
    """At a time, each of which holds a document in memory; more are refused as well."""
    purge_seconds: float = pydantic.Field(default=3600.0, gt=0)
    """How often what has expired is looked for."""
    grace_seconds: float = pydantic.Field(default=1800.0, ge=0)
    """How long a content stays after nothing refers to it; no validation may take longer from
    keeping its documents to recording them."""
    adopt: bool = False
    """Start though the database knows another store of contents than this one, which was lost."""

    @pydantic.model_validator(mode="after")
    def _verify(self) -> BlobSettings:
        if self.kind == "s3" and not self.bucket:
            raise ValueError("blobs.bucket must name the bucket where blobs.kind is s3")
        return self


class CacheSettings(Part):
    """How results of checks are used again for the same document."""

    enabled: bool = True
    max_age_days: float = pydantic.Field(default=30.0, gt=0)
    """Results that were not used for so long are removed."""
    recent_results: int = pydantic.Field(default=256, ge=0)
    """Held in memory too, for ten minutes."""


class AuditSettings(Part):
    """How the audit log is kept."""

    seal_interval_seconds: float = pydantic.Field(default=0.5, gt=0)
    """How soon after its commit an event is sealed into its tenant's chain, about."""


class ReviewSettings(Part):
    """How people decide what a policy leaves to them."""

    claim_minutes: float = pydantic.Field(default=30.0, gt=0)
    """How long a claimed review is kept from others; claiming it again begins anew."""


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
    max_accepting: int = pydantic.Field(default=256, gt=0)
    """Validations being accepted for workers at a time; four times as many may wait."""
    max_held_bytes: int = pydantic.Field(default=512 * 2**20, gt=0)
    """Documents of those that run and wait, together; more are refused with RESOURCE_EXHAUSTED."""
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
    jobs: JobSettings = pydantic.Field(default_factory=JobSettings)
    blobs: BlobSettings = BlobSettings()
    cache: CacheSettings = CacheSettings()
    audit: AuditSettings = AuditSettings()
    reviews: ReviewSettings = ReviewSettings()
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
