"""Parse XML into elements that know their places, bounded, and refusing what expands or fetches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import defusedxml.common
import defusedxml.ElementTree

from absah_bridge.errors import Cause, MessageInvalid

MAX_DEPTH = 64
MAX_ELEMENTS = 100_000
MAX_ATTRIBUTES = 200_000
MAX_ATTRIBUTES_OF_ONE = 256
"""Of one element: a schema's complaint of one of them takes time by all of them."""
MAX_NAMESPACE = 256
"""Characters of a namespace's URI: every name within it is built with all of it."""
_ATTRIBUTE = re.compile(r"=\s*+[\"']")
_TOO_LONG = MAX_NAMESPACE + 1
_LONG_NAMESPACE = re.compile(
    r"\sxmlns(?::[^\s=]*+)?\s*+=\s*+"
    rf"""(?:"[^"]{{{_TOO_LONG}}}|'[^']{{{_TOO_LONG}}})"""
)


def parse(text: str) -> tuple[ElementTree.Element, Mapping[ElementTree.Element, str]]:
    """The root, and where each element begins; raises `MessageInvalid`."""
    _refuse_many(text)
    builder = _Builder()
    parser = defusedxml.ElementTree.XMLParser(
        target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    builder.parser = parser
    try:
        parser.feed(text)
        root = parser.close()
    except ElementTree.ParseError as exc:
        line, column = exc.position
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            f"is not XML: {str(exc).partition(':')[0]}",
            position=f"line {line}, column {column + 1}",
        ) from exc
    except defusedxml.common.DefusedXmlException as exc:
        raise MessageInvalid(
            Cause.FORBIDDEN_CONSTRUCT,
            "holds a document type, an entity or an external reference, which are refused",
            position=builder.position(),
        ) from exc
    return root, builder.positions


def _refuse_many(text: str) -> None:
    """Before it is parsed: small things cost a hundred times their bytes."""
    if text.count("<") > 3 * MAX_ELEMENTS or (
        text.count("=") > MAX_ATTRIBUTES
        and any(itertools.islice(_ATTRIBUTE.finditer(text), MAX_ATTRIBUTES, None))
    ):
        raise MessageInvalid(
            Cause.MESSAGE_TOO_LARGE,
            f"has more than {MAX_ELEMENTS:,} elements or {MAX_ATTRIBUTES:,} attributes",
        )
    if long := _LONG_NAMESPACE.search(text):
        line = text.count("\n", 0, long.end()) + 1
        raise MessageInvalid(
            Cause.NOT_WELL_FORMED,
            f"names a namespace by more than {MAX_NAMESPACE} characters",
            position=f"line {line}",
        )


class _Builder(ElementTree.TreeBuilder):
    """Builds elements, bounded, and notes where each begins."""

    def __init__(self) -> None:
        super().__init__()
        self.positions: dict[ElementTree.Element, str] = {}
        self.parser: Any = None
        self._depth = 0

    def start(self, tag: Any, attrs: Any) -> ElementTree.Element:
        self._depth += 1
        if self._depth > MAX_DEPTH or len(self.positions) >= MAX_ELEMENTS:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED,
                f"has more than {MAX_ELEMENTS:,} elements, or some more than {MAX_DEPTH} deep",
                position=self.position(),
            )
        if len(attrs) > MAX_ATTRIBUTES_OF_ONE:
            raise MessageInvalid(
                Cause.NOT_WELL_FORMED,
                f"an element has more than {MAX_ATTRIBUTES_OF_ONE} attributes",
                position=self.position(),
            )
        element = super().start(tag, attrs)
        self.positions[element] = self.position()
        return element

    def end(self, tag: Any) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)

    def position(self) -> str:
        expat = self.parser.parser
        return f"line {expat.CurrentLineNumber}, column {expat.CurrentColumnNumber + 1}"
