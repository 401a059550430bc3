"""What a checker is, what it is given and what it answers."""

from __future__ import annotations

import abc
import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import pydantic
from numpy.typing import NDArray

from absah_sdk.document import Document

T = TypeVar("T")
Array = NDArray[Any]


class Outcome(enum.StrEnum):
    """How a check ended."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    """The checker ran and cannot tell."""
    SKIPPED = "SKIPPED"
    """The checker did not run: a condition of the policy, or no time left."""
    ERROR = "ERROR"
    """The checker broke. This says nothing about the document."""


class Severity(enum.StrEnum):
    """How much a finding matters to a person who reads it."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """An upright rectangle; all four values are fractions of the page, 0 to 1."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def from_pixels(
        cls, left: float, top: float, right: float, bottom: float, *, page_size: tuple[int, int]
    ) -> Box:
        """Make a box from pixel corners on a page of (width, height), clipped to the page."""
        page_width, page_height = page_size
        left, right = (min(max(x / page_width, 0.0), 1.0) for x in (left, right))
        top, bottom = (min(max(y / page_height, 0.0), 1.0) for y in (top, bottom))
        return cls(left=left, top=top, width=max(right - left, 0.0), height=max(bottom - top, 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A place on a page. Pages count from 1; an image has one page."""

    page: int = 1
    box: Box


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of text, [start, end) in Unicode code points of the check's `facts["text"]`."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a checker saw.

    `code` is a stable word for machines, `message` a sentence in English for people.
    `confidence` is 0 to 1; None where the finding is a matter of fact.
    `attributes` holds values that fit JSON: strings, numbers, booleans, lists, mappings.
    """

    code: str
    message: str = ""
    severity: Severity = Severity.INFO
    confidence: float | None = None
    region: Region | None = None
    span: Span | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that a checker made as evidence, such as a heatmap.

    `name` is a short word ("heatmap"); the command line writes FILE.NAME.png for a PNG.
    """

    name: str
    media_type: str
    content: bytes
    page: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a checker answers about one document.

    `score` is 0 to 1 and its meaning is the checker's own, stated in its README
    (authenticity: evidence of tampering). `facts` holds values that fit JSON.

    `repeatable` is false where the same document might come out otherwise another time: time was
    short and part of it was left out, a helper failed, the day of today matters. A result that is
    repeatable may answer for the same document again, whoever sends it and whatever its name.
    """

    outcome: Outcome
    score: float | None = None
    findings: Sequence[Finding] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Sequence[Artifact] = ()
    repeatable: bool = True


class Form(enum.StrEnum):
    """The forms of a document that a checker may ask to be given."""

    CONTENT = "content"
    """The bytes as they came."""
    PAGES = "pages"
    """Decoded pixels, made once in a sandboxed process and shared by all checkers."""
    TEXT = "text"
    """The decoded text of a text document."""
    CLAIMS = "claims"
    """The request's claims; `CheckContext.claims` is empty for a checker that does not ask."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a checker takes and needs; read by the planner before anything runs."""

    media_types: tuple[str, ...]
    """Patterns such as "image/*" or "application/pdf"."""
    reads: frozenset[Form]
    requires: tuple[str, ...] = ()
    """Checkers whose result on the same document must come first. One that does not take the
    document's media type is not waited for, and is then absent from `CheckContext.results`."""
    models: tuple[str, ...] = ()
    """Names of models in the model repository; see also `Checker.models`."""
    timeout_seconds: float = 30.0
    """A check that takes longer ends as ERROR."""
    weight: float = 1.0
    """Its usual share of a validation's time, against a weight of 1 for a quick check."""

    def takes(self, media_type: str) -> bool:
        """Whether a document of this media type can be checked."""
        family = media_type.split("/", 1)[0]
        return any(p in (media_type, f"{family}/*", "*/*") for p in self.media_types)


class Settings(pydantic.BaseModel):
    """Base of a checker's typed settings; an unknown key is refused at start."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Model(Protocol):
    """A loaded model, as the repository describes it."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]:
        """Lines of labels.txt; empty where the model has none."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """`parameters` of config.pbtxt."""

    @property
    def directory(self) -> Path:
        """The model's folder, for files that lie beside it such as a tokenizer."""


class CheckContext(Protocol):
    """What a checker may ask for during one check."""

    @property
    def results(self) -> Mapping[str, Result]:
        """Results of the checkers named in `requires`, for the same document."""

    @property
    def claims(self) -> Mapping[str, Any]:
        """The request's claims, if the checker reads `Form.CLAIMS`: hints only; comparing them is
        the policy's work."""

    def remaining_seconds(self) -> float:
        """Time left for this check."""

    def infer(self, model: str, inputs: Mapping[str, Array]) -> Awaitable[Mapping[str, Array]]:
        """Run a model on a batch (first axis: items) and return its outputs by name.

        The runtime joins batches of equal item shape across requests, so sending several small
        batches at once (asyncio.gather) costs no more than one. Raises `InferenceFailed` or
        `DeadlinePassed`.
        """

    def isolate(self, function: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Run a module-level function in a sandboxed process, for parsing hostile bytes.

        The process has bounded memory and time, and neither network, files to write nor further
        processes. Arguments are pickled; the return value may hold plain values, bytes, lists,
        tuples, mappings and arrays of numbers (read-only), which are never unpickled. Raises
        `DocumentUnreadable` as the function does, or when the process dies or takes too much;
        any other exception of the function ends the check as ERROR.
        """

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Wait for `infer` or `isolate` from a sync `check`, which runs in a worker thread."""


class Checker(abc.ABC):
    """One kind of check. An instance serves all requests, in many threads at once.

    `check` may be a plain function, run in a worker thread, or a coroutine function, run in the
    event loop, where it must not block. A document that cannot be read is told by raising
    `DocumentUnreadable`; evidence that does not suffice by Outcome.INCONCLUSIVE. Any other
    exception ends this check as ERROR and harms no other.
    """

    name: ClassVar[str]
    """A short lower-case word, unique among checkers: letters, digits and underscores."""
    version: ClassVar[str]
    title: ClassVar[str]
    """One line for lists of checkers."""
    capabilities: ClassVar[Capabilities]
    settings_type: ClassVar[type[Settings]] = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it uses; override it where a setting chooses the model."""
        return self.capabilities.models

    def start(self, models: Mapping[str, Model]) -> None:
        """Prepare once, before the first check; `models` holds those that `models` names."""

    @abc.abstractmethod
    def check(self, document: Document, context: CheckContext) -> Result | Awaitable[Result]:
        """Check one document."""

    def close(self) -> None:
        """Let go of what `start` took."""
