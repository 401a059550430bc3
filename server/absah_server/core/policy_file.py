"""Read a policy from YAML, and tell the line of each mistake."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from absah_server.core import errors, expressions
from absah_server.core.policy import (
    CheckRule,
    ClaimSlot,
    ClaimType,
    Decision,
    DocumentSlot,
    Each,
    Message,
    Policy,
    Rule,
    Wording,
)

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
EVIDENCE = ("claims", "documents", "checks", "results")
E = TypeVar("E", bound=enum.Enum)


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the file: the YAML node and what to call it."""

    node: yaml.Node
    file: str

    def wrong(self, problem: str) -> errors.PolicyInvalid:
        return errors.PolicyInvalid(
            file=self.file, line=self.node.start_mark.line + 1, problem=problem
        )

    def fields(self, *, required: Collection[str], optional: Collection[str] = ()) -> Fields:
        """Its fields as a mapping with just these keys."""
        fields = dict(self.items())
        if unknown := fields.keys() - set(required) - set(optional):
            name = min(unknown)
            known = ", ".join([*required, *optional])
            raise fields[name].wrong(f"{name!r} is not known here; known are {known}")
        if missing := [name for name in required if name not in fields]:
            raise self.wrong(f"{', '.join(missing)} is missing")
        return Fields(fields)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Its keys and values; a key may stand once."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("a mapping is expected here")
        seen = set()
        for key, value in self.node.value:
            if key.value in seen:
                raise Node(key, self.file).wrong(f"{key.value!r} stands here twice")
            seen.add(key.value)
            yield key.value, Node(value, self.file)

    def each(self) -> list[Node]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("a list is expected here")
        return [Node(child, self.file) for child in self.node.value]

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            raise self.wrong("a text is expected here")
        return str(self.node.value).strip()

    def texts(self) -> list[str]:
        return [node.text() for node in self.each()]

    def whole_number(self) -> int:
        value = self.text()
        if not value.isdecimal():
            raise self.wrong(f"a whole number is expected here, not {value!r}")
        return int(value)

    def choice(self, kind: type[E]) -> E:
        try:
            return kind(self.text())
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise self.wrong(f"{self.text()!r} is none of {known}") from None

    def wording(self) -> Wording:
        fields = self.fields(required=("id", "en"))
        return Wording(id=fields["id"].text(), en=fields["en"].text())


class Fields(dict[str, Node]):
    """A mapping's fields by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Reads policies for a server with these checkers and policy functions."""

    checkers: Collection[str]
    functions: Mapping[str, Callable[..., Any]]

    def read(self, path: Path) -> Policy:
        """Read one file; raises `PolicyInvalid` with the line of the first mistake."""
        source = path.read_text(encoding="utf-8")
        try:
            document = yaml.compose(source, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as exc:
            line = exc.problem_mark.line + 1 if exc.problem_mark else 1
            raise errors.PolicyInvalid(
                file=path.name, line=line, problem=exc.problem or "no YAML"
            ) from exc
        if document is None:
            raise errors.PolicyInvalid(file=path.name, line=1, problem="the file is empty")
        return self._policy(Node(document, path.name), source)

    def _policy(self, root: Node, source: str) -> Policy:
        fields = root.fields(
            required=(
                "policy",
                "version",
                "title",
                "documents",
                "claims",
                "checks",
                "rules",
                "accepted",
            ),
            optional=("retention",),
        )
        name = fields["policy"].text()
        if not NAME.fullmatch(name):
            raise fields["policy"].wrong("a name holds lower-case letters, digits and hyphens")
        documents = {role: self._document(role, node) for role, node in fields["documents"].items()}
        checks = [self._check(*item, documents) for item in fields["checks"].items()]
        return Policy(
            name=name,
            version=fields["version"].whole_number(),
            title=fields["title"].wording(),
            documents=documents,
            claims={claim: self._claim(claim, node) for claim, node in fields["claims"].items()},
            checks=checks,
            rules=[self._rule(node) for node in fields["rules"].each()],
            accepted=fields["accepted"].wording(),
            source=source,
            digest=hashlib.sha256(source.encode()).hexdigest(),
            documents_days=_documents_days(fields.get("retention")),
        )

    def _document(self, role: str, node: Node) -> DocumentSlot:
        fields = node.fields(required=("title", "count", "media_types"))
        counts = fields["count"].each()
        if len(counts) != 2:
            raise fields["count"].wrong("two numbers are expected here: at least, at most")
        least, most = (count.whole_number() for count in counts)
        if least > most or most == 0:
            raise fields["count"].wrong("at least must not be above at most, nor at most 0")
        return DocumentSlot(
            role=role,
            title=fields["title"].wording(),
            min_count=least,
            max_count=most,
            media_types=tuple(fields["media_types"].texts()),
        )

    def _claim(self, claim: str, node: Node) -> ClaimSlot:
        fields = node.fields(required=("title", "type"), optional=("choices", "compare"))
        compare = fields.get("compare")
        return ClaimSlot(
            claim=claim,
            title=fields["title"].wording(),
            type=fields["type"].choice(ClaimType),
            choices=tuple(fields["choices"].texts()) if "choices" in fields else (),
            compare=self._expression(compare, EVIDENCE) if compare else None,
        )

    def _check(self, checker: str, node: Node, roles: Collection[str]) -> CheckRule:
        if checker not in self.checkers:
            raise node.wrong(
                f"there is no checker {checker!r}; there are {', '.join(sorted(self.checkers))}"
            )
        fields = node.fields(required=("documents",), optional=("after", "when"))
        for role in fields["documents"].each():
            if role.text() not in roles:
                raise role.wrong(f"{role.text()!r} is none of this policy's documents")
        when = fields.get("when")
        return CheckRule(
            checker=checker,
            roles=tuple(fields["documents"].texts()),
            after=tuple(fields["after"].texts()) if "after" in fields else (),
            when=self._expression(when, (*EVIDENCE, "document")) if when else None,
        )

    def _rule(self, node: Node) -> Rule:
        fields = node.fields(required=("rule", "when", "decision", "message"), optional=("each",))
        each = fields["each"].choice(Each) if "each" in fields else Each.ONCE
        variables = [*EVIDENCE, "comparisons"]
        if each is not Each.ONCE:
            variables.append(each.value)
        message = fields["message"].fields(required=("id", "en"))
        return Rule(
            id=fields["rule"].text(),
            each=each,
            when=self._expression(fields["when"], variables),
            decision=fields["decision"].choice(Decision),
            message=Message(
                id=self._template(message["id"], variables),
                en=self._template(message["en"], variables),
            ),
        )

    def _expression(self, node: Node, variables: Sequence[str]) -> expressions.Expression:
        try:
            return expressions.compile_expression(
                node.text(), variables=variables, functions=self.functions
            )
        except expressions.ExpressionInvalid as exc:
            raise node.wrong(str(exc)) from exc

    def _template(self, node: Node, variables: Sequence[str]) -> expressions.Template:
        try:
            return expressions.compile_template(
                node.text(), variables=variables, functions=self.functions
            )
        except expressions.ExpressionInvalid as exc:
            raise node.wrong(str(exc)) from exc


def _documents_days(retention: Node | None) -> int | None:
    if retention is None:
        return None
    days = retention.fields(required=("documents_days",))["documents_days"]
    if days.whole_number() == 0:
        raise days.wrong("contents must be kept for a day at least")
    return days.whole_number()


def read_folder(folder: Path, reader: Reader) -> list[Policy]:
    """Read all policies of a folder; raises `PolicyInvalid` or `PolicyFolderMissing`."""
    if not folder.is_dir():
        raise errors.PolicyFolderMissing(folder=str(folder))
    return [reader.read(path) for path in sorted(folder.glob("*.yaml"))]


class Policies:
    """All versions of all policies, looked up by name or name and version."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._by_reference: dict[str, Policy] = {}
        self._newest: dict[str, Policy] = {}
        for policy in policies:
            if policy.reference in self._by_reference:
                raise errors.PolicyInvalid(
                    file=policy.name, line=1, problem=f"{policy.reference} stands in two files"
                )
            self._by_reference[policy.reference] = policy
            newest = self._newest.get(policy.name)
            if newest is None or policy.version > newest.version:
                self._newest[policy.name] = policy

    def get(self, reference: str) -> Policy:
        """The policy "name" (its newest version) or "name@version"; raises `PolicyNotFound`."""
        found = self._newest.get(reference) or self._by_reference.get(reference)
        if found is None:
            raise errors.PolicyNotFound(name=reference)
        return found

    def all(self) -> list[Policy]:
        """Every version, by name, the newest first."""
        return sorted(self._by_reference.values(), key=lambda p: (p.name, -p.version))
