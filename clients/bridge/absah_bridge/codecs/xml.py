"""XML messages, with a schema (XSD 1.0) where one is given.

Document types, entities and external references are refused, whatever they hold: they are how a
small message becomes gigabytes, or reads the bridge's own files
(https://owasp.org/www-community/vulnerabilities/XML_External_Entity_(XXE)_Processing).
"""

from __future__ import annotations

import io
import itertools
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree
from xml.sax import saxutils, xmlreader

import pydantic
import xmlschema

from absah_bridge.codecs import (
    CodecConfig,
    Incoming,
    Outgoing,
    charsets,
    xml_parsing,
    xml_schema,
)
from absah_bridge.codecs.charsets import Charset
from absah_bridge.errors import Cause, MessageInvalid
from absah_bridge.tree import Branch, Leaf, Node, Series

MAX_MISTAKES = 20
MAX_MIXED = 8
"""Depth of texts with markup in them: each one is kept in all that it is part of."""
DECLARED = re.compile(r"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
ALIASES: dict[str, Charset] = {
    "cp1252": "windows-1252",
    "latin1": "iso-8859-1",
    "ascii": "us-ascii",
    "utf8": "utf-8",
    "utf-16le": "utf-16",
    "utf-16be": "utf-16",
}
KNOWN = ", ".join(charsets.KNOWN)
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""


class XmlConfig(CodecConfig):
    """How a system writes XML."""

    kind: Literal["xml"] = "xml"
    charset: Charset = "utf-8"
    """Of messages that declare none, and of answers."""
    namespaces: Mapping[str, str] = pydantic.Field(default_factory=dict)
    """URIs by the prefix that paths and answers use for them; "" for names without one."""
    xsd: Path | None = None
    """What it includes and imports lies beside it; nothing is fetched. Answers must fit too, if it
    has their root element."""
    root: str = "jawaban"
    """The root element of answers."""


class XmlCodec:
    """Reads elements as fields, attributes as fields with "@" before their name."""

    config_type = XmlConfig

    def __init__(self, config: XmlConfig, folder: Path) -> None:
        """Raises ValueError for a schema that is none."""
        self._config = config
        self._prefixes = {uri: prefix for prefix, uri in config.namespaces.items()}
        self._schema = None
        if config.xsd is not None:
            try:
                self._schema = xmlschema.XMLSchema(str(folder / config.xsd), allow="local")
            except (xmlschema.XMLSchemaException, ElementTree.ParseError, OSError) as exc:
                raise ValueError(f"xsd: {config.xsd} is no usable schema: {exc}") from exc

    def decode(self, message: Incoming) -> Branch:
        """See `Codec.decode`."""
        text = self._text(message.body)
        root, positions = xml_parsing.parse(text)
        if self._schema is not None:
            self._validate(root, positions, Cause.SCHEMA_VIOLATION)
        name = self._name(root.tag)
        return Branch(fields={name: self._node(root, positions)}, position=positions[root])

    def encode(self, answer: Mapping[str, Any]) -> Outgoing:
        """See `Codec.encode`."""
        buffer = io.BytesIO()
        writer = saxutils.XMLGenerator(buffer, self._config.charset, short_empty_elements=True)
        writer.startDocument()
        spaces = {
            f"xmlns:{prefix}" if prefix else "xmlns": uri
            for prefix, uri in self._config.namespaces.items()
        }
        _write(writer, self._config.root, answer, self._config.root, spaces)
        writer.endDocument()
        self._validate_answer(buffer.getvalue())
        return Outgoing(body=buffer.getvalue(), content_type="application/xml", headers={})

    def _text(self, body: bytes) -> str:
        if body.startswith((b"\xff\xfe", b"\xfe\xff")):
            return charsets.decode(body, "utf-16")
        declared = DECLARED.match(body[:200].decode("latin-1").removeprefix("\xef\xbb\xbf"))
        name = declared[1].lower() if declared else self._config.charset
        charset = ALIASES.get(name, name)
        if charset not in charsets.KNOWN:
            raise MessageInvalid(
                Cause.WRONG_CHARSET,
                f"declares a character set that is not known; known are {KNOWN}",
                position="line 1",
            )
        return charsets.decode(body, charset)

    def _validate_answer(self, body: bytes) -> None:
        if self._schema is None:
            return
        root, positions = xml_parsing.parse(body.decode(self._config.charset))
        if root.tag in self._schema.maps.elements:
            self._validate(root, positions, Cause.ANSWER_FAILED)

    def _validate(
        self,
        root: ElementTree.Element,
        positions: Mapping[ElementTree.Element, str],
        cause: Cause,
    ) -> None:
        assert self._schema is not None
        try:
            found = list(itertools.islice(self._schema.iter_errors(root), MAX_MISTAKES))
        except (ArithmeticError, ValueError, RecursionError, xmlschema.XMLSchemaException) as exc:
            # A year of twenty digits is more than the validator itself can count.
            raise MessageInvalid(
                cause,
                "holds a value that is beyond what the schema can be applied to",
                field=self._name(root.tag),
                position=positions[root],
            ) from exc
        if found:
            parents = {child: parent for parent in root.iter() for child in parent}
            first, *others = (
                self._mistake(error, root, parents, positions, cause) for error in found
            )
            raise MessageInvalid(
                cause, first.problem, field=first.field, position=first.position, others=others
            )

    def _mistake(
        self,
        error: xmlschema.XMLSchemaValidationError,
        root: ElementTree.Element,
        parents: Mapping[ElementTree.Element, ElementTree.Element],
        positions: Mapping[ElementTree.Element, str],
        cause: Cause,
    ) -> MessageInvalid:
        # Of a missing attribute or child the element is told, of a bad attribute its owner.
        element = root if error.elem is None else error.elem
        return MessageInvalid(
            cause,
            xml_schema.reason(error),
            field=self._path(element, parents),
            position=positions.get(element, ""),
        )

    def _path(
        self,
        wanted: ElementTree.Element,
        parents: Mapping[ElementTree.Element, ElementTree.Element],
    ) -> str:
        """An element's path in the configuration's own prefixes, indexed where it needs to be."""
        names: list[str] = []
        element: ElementTree.Element | None = wanted
        while element is not None:
            parent = parents.get(element)
            alike = [each for each in parent or () if each.tag == element.tag]
            index = f"[{alike.index(element)}]" if len(alike) > 1 else ""
            names.append(f"{self._name(element.tag)}{index}")
            element = parent
        return ".".join(reversed(names))

    def _node(
        self,
        element: ElementTree.Element,
        positions: Mapping[ElementTree.Element, str],
        mixed: int = 0,
    ) -> Node:
        position = positions[element]
        text = element.text or ""
        if any(child.tail and not child.tail.isspace() for child in element):
            # Text with markup in it: all of it is what stands there.
            mixed += 1
            if mixed > MAX_MIXED:
                raise MessageInvalid(
                    Cause.NOT_WELL_FORMED,
                    f"has text beside elements more than {MAX_MIXED} deep",
                    position=position,
                )
            text = "".join(element.itertext())
        if not len(element) and not element.attrib:
            return Leaf(value=text, position=position)
        fields: dict[str, Node] = {
            f"@{self._name(name, attribute=True)}": Leaf(value=value, position=position)
            for name, value in element.attrib.items()
        }
        if text.strip():
            fields["#text"] = Leaf(value=text, position=position)
        children: dict[str, list[Node]] = defaultdict(list)
        for child in element:
            children[self._name(child.tag)].append(self._node(child, positions, mixed))
        for name, nodes in children.items():
            fields[name] = nodes[0] if len(nodes) == 1 else Series(items=nodes, position=position)
        return Branch(fields=fields, position=position)

    def _name(self, tag: str, *, attribute: bool = False) -> str:
        uri, brace, local = tag.removeprefix("{").rpartition("}")
        if not brace and not attribute and self._config.namespaces.get(""):
            # Without a namespace it is another element than that of the same name which has one.
            return f"{{}}{tag}"
        if not brace or uri not in self._prefixes:
            return tag
        prefix = self._prefixes[uri]
        return f"{prefix}:{local}" if prefix else local


def _write(
    writer: saxutils.XMLGenerator, name: str, value: Any, field: str, attributes: dict[str, str]
) -> None:
    children: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        attributes |= {
            key[1:]: _text(inner, f"{field}.{key}")
            for key, inner in value.items()
            if key.startswith("@") and inner is not None
        }
        children = [(key, inner) for key, inner in value.items() if not key.startswith("@")]
    writer.startElement(name, xmlreader.AttributesImpl(attributes))
    for key, inner in children:
        for item in inner if isinstance(inner, list) else [inner]:
            if item is None:
                continue
            if key == "#text":
                writer.characters(_text(item, field))
            else:
                _write(writer, key, item, f"{field}.{key}", {})
    if not isinstance(value, Mapping):
        writer.characters(_text(value, field))
    writer.endElement(name)


def _text(value: Any, field: str) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if bad := NOT_XML.search(text):
        raise MessageInvalid(
            Cause.ANSWER_FAILED, f"character U+{ord(bad[0]):04X} has no place in XML", field=field
        )
    return text
