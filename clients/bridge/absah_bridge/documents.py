"""Map what a message says of documents to what is to be sent or fetched."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from absah_bridge import rules, tree
from absah_bridge.config import DocumentRule, Scalar
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.rules import CompiledRule, Scope, Step

KINDS = ("text", "base64", "part", "reference")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A document to send along: its text, its bytes, or where they are to be fetched."""

    role: str
    filename: str = ""
    text: str | None = None
    content: bytes | None = None
    store: str = ""
    reference: str = ""
    field: str = ""
    position: str = ""
    """Where the message speaks of it."""

    def too_large(self, most: int) -> MessageInvalid:
        """That with this one the documents of a request are more than `most` bytes."""
        return MessageInvalid(
            Cause.ATTACHMENT_TOO_LARGE,
            f"with it the documents are larger than the {most:,} bytes that are allowed together",
            field=self.field,
            position=self.position,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledDocument:
    """A rule for documents of one role, ready to be evaluated."""

    rule: DocumentRule
    kind: str
    """Which of the rule's sources is given."""
    source: CompiledRule
    filename: CompiledRule | None

    def attachments(self, parts: Mapping[str, bytes], scope: Scope) -> list[Attachment]:
        """What a message has of them; `parts` came beside it. Raises `MessageInvalid`."""
        scopes, position = [scope], scope.item.position
        if self.rule.each is not None:
            found, position = tree.locate(*scope.start(self.rule.each))
            scopes = [scope.within(item) for item in tree.each(found)]
        made = [
            attachment
            for each in scopes
            if (attachment := self._attachment(parts, each)) is not None
        ]
        if self.rule.required and not made:
            error = MessageInvalid(
                Cause.MISSING_ATTACHMENT,
                f"a {self.rule.role} is needed and none came",
                field=self._field,
                position=str(position),
            )
            self._refuse(error, scope)
        return made

    @property
    def _field(self) -> str:
        """Where messages speak of them, from the message or record on."""
        path, each = self.source.rule.from_ or "", self.rule.each or ""
        if not path:
            return each or self.rule.role
        if path.startswith("/") or not each:
            return path.removeprefix("/")
        return each if path == "." else f"{each}.{path}"

    def _attachment(self, parts: Mapping[str, bytes], scope: Scope) -> Attachment | None:
        rule = self.rule
        value = self.source.evaluate(scope, f"documents.{rule.role}.{self.kind}")
        if value is None:
            return None
        filename = None
        if self.filename is not None:
            filename = self.filename.evaluate(scope, f"documents.{rule.role}.filename")
        _, position = tree.locate(*scope.start(self.source.rule.from_ or "."))
        made = Attachment(
            role=rule.role,
            filename=str(filename or ""),
            field=self._field,
            position=str(position),
        )
        if rule.text:
            return dataclasses.replace(made, text=str(value))
        if rule.reference:
            return dataclasses.replace(made, store=rule.store or "", reference=str(value))
        try:
            content = _bytes(value) if rule.base64 else _part(str(value), parts)
        except MessageInvalid as exc:
            self._refuse(exc.at(field=self._field, position=str(position)), scope)
            return None
        return dataclasses.replace(made, content=content)

    def _refuse(self, error: MessageInvalid, scope: Scope) -> None:
        """Raise it; where mistakes are collected, note it and go on."""
        if not scope.lenient:
            raise error
        if scope.steps is not None:
            scope.steps.append(
                Step(
                    target=f"documents.{self.rule.role}.{self.kind}",
                    source=self.source.source,
                    position=error.position,
                    raw=None,
                    value=None,
                    problem=error.problem,
                )
            )


def compile_document(
    place: str, rule: DocumentRule, *, variables: Collection[str], tables: Collection[str]
) -> CompiledDocument:
    """Check and compile; raises ValueError that begins with the place that is wrong."""
    rules.checked_path(f"{place}.each", rule.each)
    kind, source = next(
        (kind, source) for kind in KINDS if (source := getattr(rule, kind)) is not None
    )
    return CompiledDocument(
        rule=rule,
        kind=kind,
        source=rules.compiled(f"{place}.{kind}", source, variables=variables, tables=tables),
        filename=(
            rules.compiled(f"{place}.filename", rule.filename, variables=variables, tables=tables)
            if rule.filename
            else None
        ),
    )


def _bytes(value: Scalar | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise MessageInvalid(Cause.BAD_VALUE, "is not base64") from exc


def _part(name: str, parts: Mapping[str, bytes]) -> bytes:
    if name not in parts:
        raise MessageInvalid(
            Cause.MISSING_ATTACHMENT, f"names a part that did not come; {len(parts)} came"
        )
    return parts[name]
