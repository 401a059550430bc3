"""bridge.yaml: which systems there are, how they write, and where their answers go."""

from __future__ import annotations

import urllib.parse
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml

from absah_bridge import yaml_file
from absah_bridge.errors import ConfigInvalid

LONGEST_WAITS_IN_PLACE_SECONDS = 900.0
"""Where order matters a message is in hand while it waits, which the broker bounds; the attempts
themselves take time, too."""

Scalar = str | int | float | bool
SystemName = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


def _placed(path: Path, info: pydantic.ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


MessagePath = Annotated[str, pydantic.AfterValidator(lambda path: path.removeprefix("/") or ".")]
"""A path that starts at the message, with "/" before it or not."""
ConfigPath = Annotated[Path, pydantic.AfterValidator(_placed)]
"""A path relative to the folder where bridge.yaml lies."""


class Part(pydantic.BaseModel):
    """A group of settings; an unknown key is refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Rule(Part):
    """Where a value comes from, and how it is shaped. Just one of the first three is given.

    A text alone stands for `from`. Paths are within the item at hand where an `each` is above, and
    from the message's root where they begin with "/".
    """

    from_: str | None = pydantic.Field(default=None, alias="from")
    cel: str | None = None
    """An expression over `message`, `item` and, in answers, the rest of what an answer knows."""
    value: Scalar | None = None
    """The same for every message."""
    required: bool = False
    default: Scalar | None = None
    """Where nothing stands there, or only blanks."""
    date: str | None = None
    """How the system writes dates, as strptime reads it ("%d%m%Y"); in requests it becomes
    YYYY-MM-DD, in answers a time is written so."""
    table: str | Mapping[str, Scalar] | None = None
    """Codes to words, here or by the name of one of `tables`; what is not in it is refused."""
    type: Literal["text", "integer", "decimal"] | None = None
    """If not given, what it was in the message: in JSON a number or a text, elsewhere a text. A
    decimal has a point or a comma, and nothing between its thousands."""
    zone: str | None = None
    """With `date` in answers: the time zone that times are told in, as "Asia/Jakarta". UTC if not
    given."""
    cut: int | None = pydantic.Field(default=None, gt=0)
    """The most characters of a text; what is beyond them is left out."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: Any) -> Any:
        return {"from": given} if isinstance(given, str) else given

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Rule:
        sources = [s for s in (self.from_, self.cel, self.value) if s is not None]
        if len(sources) != 1:
            raise ValueError("give one of from, cel and value")
        shapes = [self.date is not None, self.table is not None, self.type is not None]
        if sum(shapes) > 1:
            raise ValueError("give one of date, table and type")
        if self.zone is not None and (self.date is None or not _is_zone(self.zone)):
            raise ValueError("zone names a time zone such as Asia/Jakarta, and goes with date")
        return self


class DocumentRule(Part):
    """Documents of one role: text of the message, or bytes within it, beside it or elsewhere."""

    role: str
    each: str | None = None
    """Path of a series; one document for each of its items."""
    text: Rule | None = None
    base64: Rule | None = None
    """Bytes in the message itself."""
    part: Rule | None = None
    """Name of a part of a multipart body (RFC 2046), or of a header that holds bytes."""
    reference: Rule | None = None
    """A path or URL in `store`."""
    store: str | None = None
    filename: Rule | None = None
    required: bool = False

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> DocumentRule:
        sources = [s for s in (self.text, self.base64, self.part, self.reference) if s]
        if len(sources) != 1:
            raise ValueError("give one of text, base64, part and reference")
        if bool(self.reference) != bool(self.store):
            raise ValueError("reference and store belong together")
        return self


class RequestRules(Part):
    """How a message becomes a validation request, or one for each of its records."""

    policy: str
    each: MessagePath | None = None
    """Path of a batch's records; each is validated by itself."""
    id: Rule | None = None
    """What makes the message the same when it comes again; the AMQP message id if not given, and
    where there is none the digest of the body."""
    priority: Literal["low", "normal", "high"] = "normal"
    claims: Mapping[str, Rule] = {}
    documents: tuple[DocumentRule, ...] = ()
    max_records: int = pydantic.Field(default=1000, gt=0, le=100_000)
    """Of a batch; a larger one is parked, and the legacy system sends it in parts."""
    max_documents: int = pydantic.Field(default=64, gt=0, le=1000)
    """Of one request."""
    max_document_bytes: int = pydantic.Field(default=64 * 2**20, gt=0)
    """Of all documents of one request together."""
    max_fetched_bytes: int = pydantic.Field(default=512 * 2**20, gt=0)
    """Of the system's messages together: fetched files that the core does not have yet. A file
    counts as its store's `max_bytes` until it is there."""


class Counted(Part):
    """A trailer's count that must be true: `count` of the things at `of`."""

    count: Rule
    of: MessagePath


def _answer_kind(given: Any) -> str:
    if isinstance(given, AnswerSeries) or (isinstance(given, Mapping) and "each" in given):
        return "series"
    if isinstance(given, AnswerBranch) or (isinstance(given, Mapping) and "fields" in given):
        return "branch"
    return "rule"


AnswerField = Annotated[
    Annotated["Rule", pydantic.Tag("rule")]
    | Annotated["AnswerSeries", pydantic.Tag("series")]
    | Annotated["AnswerBranch", pydantic.Tag("branch")],
    pydantic.Discriminator(_answer_kind),
]


class AnswerSeries(Part):
    """One of these for each item at a path."""

    each: str
    fields: Mapping[str, AnswerField]


class AnswerBranch(Part):
    """Fields within a field."""

    fields: Mapping[str, AnswerField]


class Destination(Part):
    """Where answers go: to the message's reply-to, else to this exchange and routing key."""

    exchange: str = ""
    routing_key: str = ""
    reply_to: bool = True


class AnswerRules(Part):
    """How a verdict is told in the system's words."""

    codec: Mapping[str, Any] | None = None
    """If not given, that of the messages."""
    to: Destination = Destination()
    fields: Mapping[str, AnswerField]


class Retries(Part):
    """What happens to a message that could not be validated now, though it is in order."""

    delays_seconds: tuple[float, ...] = (1, 5, 30, 120, 600)
    """Waits before the second, third, … attempt; after the last one the message is parked."""


class Consume(Part):
    """The queue that a system's messages come by. It is declared unless `declare` is false."""

    queue: str
    declare: bool = True
    prefetch: int = pydantic.Field(default=64, gt=0, le=2000)
    ordered_by: MessagePath | None = None
    """Path of a key: messages of one key are validated and answered one after the other."""


class System(Part):
    """One legacy system."""

    consume: Consume
    codec: Mapping[str, Any]
    """`kind` and what that kind takes."""
    counted: tuple[Counted, ...] = ()
    request: RequestRules
    answer: AnswerRules
    tables: Mapping[str, Mapping[str, Scalar]] = {}
    retries: Retries = Retries()
    timeout_seconds: float = pydantic.Field(default=3600.0, gt=0)
    """How long one validation may take before the message is tried again."""

    @pydantic.model_validator(mode="after")
    def _waits_in_place(self) -> System:
        waits = sum(self.retries.delays_seconds)
        if self.consume.ordered_by is not None and waits > LONGEST_WAITS_IN_PLACE_SECONDS:
            raise ValueError(
                f"retries.delays_seconds are {waits:g} s together; with consume.ordered_by, where "
                f"a message keeps its place meanwhile, {LONGEST_WAITS_IN_PLACE_SECONDS:g} at most"
            )
        return self


class Store(Part):
    """A place that references may point into."""

    kind: Literal["folder", "http", "sftp"]
    folder: ConfigPath | None = None
    url: str | None = None
    """For http and sftp: what every reference must begin with."""
    username: str | None = None
    password_file: ConfigPath | None = None
    key_file: ConfigPath | None = None
    known_hosts_file: ConfigPath | None = None
    ca_file: ConfigPath | None = None
    """For http: whose certificates are trusted; the usual authorities if not given."""
    max_bytes: int = pydantic.Field(default=32 * 2**20, gt=0)
    timeout_seconds: float = pydantic.Field(default=30.0, gt=0)

    @pydantic.model_validator(mode="after")
    def _placed(self) -> Store:
        if (self.kind == "folder") != (self.folder is not None):
            raise ValueError("a store of kind folder needs folder, and no other kind takes it")
        if (self.kind == "folder") == (self.url is not None):
            raise ValueError("a store of kind http or sftp needs url, and folder takes none")
        if self.url is not None:
            _check_url(self.url, ("sftp",) if self.kind == "sftp" else ("http", "https"))
        return self


class Broker(Part):
    """One RabbitMQ node or cluster; the next is tried when one is lost."""

    url: pydantic.SecretStr
    """As "amqps://user:password@host:5671/vhost"."""
    ca_file: ConfigPath | None = None
    certificate_file: ConfigPath | None = None
    key_file: ConfigPath | None = None


class Core(Part):
    """The server that validates."""

    address: str = "127.0.0.1:50051"
    tenant: str = "default"
    in_flight: int = pydantic.Field(default=128, gt=0)


class Bridge(Part):
    """All of bridge.yaml."""

    core: Core = Core()
    brokers: tuple[Broker, ...] = (Broker(url=pydantic.SecretStr("amqp://guest:guest@127.0.0.1")),)
    systems: Annotated[Mapping[SystemName, System], pydantic.Field(min_length=1)]
    stores: Mapping[str, Store] = {}
    health_port: int = pydantic.Field(default=0, ge=0, le=65535)
    """HTTP port of /health; 0 has none."""


def read(file: Path) -> Bridge:
    """Read bridge.yaml; raises `ConfigInvalid` with the line of the first mistake, or OSError."""
    try:
        text = file.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml_file.Loader)
        given = yaml.load(text, Loader=yaml_file.Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise ConfigInvalid(file=file, line=line, field="", problem=str(exc.problem)) from exc
    except UnicodeDecodeError as exc:
        raise ConfigInvalid(file=file, line=0, field="", problem="is not UTF-8") from exc
    try:
        bridge = Bridge.model_validate(given, context={"folder": file.parent.absolute()})
    except pydantic.ValidationError as exc:
        raise _first(exc, file, node) from exc
    _check_stores(bridge, file, node)
    return bridge


def _check_stores(bridge: Bridge, file: Path, node: yaml.Node | None) -> None:
    for name, system in bridge.systems.items():
        for number, rule in enumerate(system.request.documents):
            if rule.store is not None and rule.store not in bridge.stores:
                path = ("systems", name, "request", "documents", number, "store")
                raise ConfigInvalid(
                    file=file,
                    line=yaml_file.line_of(node, path),
                    field=".".join(str(step) for step in path),
                    problem=f"there is no store {rule.store!r}",
                )


def _check_url(url: str, schemes: tuple[str, ...]) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"url is of the form {schemes[0]}://host/path/")
    if "@" in parts.netloc:
        raise ValueError("url holds no names or passwords: username and password_file do")


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _first(error: pydantic.ValidationError, file: Path, node: yaml.Node | None) -> ConfigInvalid:
    # What was misspelt is both missing and not known: the latter is what to look for.
    details = max(
        error.errors(include_input=False),
        key=lambda each: (len(each["loc"]), each["type"] == "extra_forbidden"),
    )
    path = tuple(step for step in details["loc"] if step not in ("rule", "series", "branch"))
    return ConfigInvalid(
        file=file,
        line=yaml_file.line_of(node, path),
        field=".".join(str(step) for step in path),
        problem=details["msg"].removeprefix("Value error, "),
    )
