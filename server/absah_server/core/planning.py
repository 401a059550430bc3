"""Plan which checks run on which documents, and in which order."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from absah_sdk import Checker, Document
from absah_server.core.expressions import Expression
from absah_server.core.policy import CheckRule, Policy
from absah_server.core.registry import Registry

Key = tuple[str, str]
"""A check: the checker's name and the document's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One check to run.

    `requires` are checks on the same document whose results the checker reads; `after` are those
    that `when`, a condition of the policy, reads.
    """

    checker: Checker
    document: Document
    requires: Sequence[Key] = ()
    after: Sequence[Key] = ()
    when: Expression | None = None

    @property
    def key(self) -> Key:
        return self.checker.name, self.document.name

    @property
    def waits_for(self) -> set[Key]:
        return {*self.requires, *self.after}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Steps in an order in which each comes after those that it waits for.

    `shares` gives for each step which part of the time left it may use, so that those that wait
    for it still find some: its weight over that of the heaviest chain that begins with it.
    """

    steps: Sequence[Step]
    shares: Mapping[Key, float]


def plan_checkers(names: Iterable[str], documents: Sequence[Document], registry: Registry) -> Plan:
    """Run these checkers, and those that they require, on every document that they take.

    Raises `CheckerNotFound`.
    """
    roles = tuple({document.role: None for document in documents})
    rules = [
        CheckRule(checker=registry.checker(name).name, roles=roles) for name in dict.fromkeys(names)
    ]
    return _plan(rules, documents, registry)


def plan_policy(policy: Policy, documents: Sequence[Document], registry: Registry) -> Plan:
    """Run the checks of a policy. Raises `CheckerNotFound`."""
    return _plan(policy.checks, documents, registry)


def _plan(rules: Sequence[CheckRule], documents: Sequence[Document], registry: Registry) -> Plan:
    wanted: dict[Key, tuple[CheckRule | None, Document]] = {}
    for rule in rules:
        for document in documents:
            if document.role in rule.roles:
                _want(wanted, rule.checker, rule, document, registry)
    steps = {key: _step(key, *want, wanted, registry) for key, want in wanted.items()}
    graph = {key: step.waits_for for key, step in steps.items()}
    if not any(graph.values()):
        return Plan(steps=[*steps.values()], shares=dict.fromkeys(steps, 1.0))
    order = graphlib.TopologicalSorter(graph)
    ordered = [steps[key] for key in order.static_order()]
    return Plan(steps=ordered, shares=_shares(ordered))


def _want(
    wanted: dict[Key, tuple[CheckRule | None, Document]],
    name: str,
    rule: CheckRule | None,
    document: Document,
    registry: Registry,
) -> None:
    checker = registry.checker(name)
    if not checker.capabilities.takes(document.media_type):
        return
    key = (name, document.name)
    if wanted.get(key, (None,))[0] is None:
        wanted[key] = (rule, document)
    for required in checker.capabilities.requires:
        if (required, document.name) not in wanted:
            _want(wanted, required, None, document, registry)


def _step(
    key: Key,
    rule: CheckRule | None,
    document: Document,
    wanted: Mapping[Key, object],
    registry: Registry,
) -> Step:
    checker = registry.checker(key[0])
    requires = [(name, document.name) for name in checker.capabilities.requires]
    after = [other for other in wanted if rule and other[0] in rule.after]
    return Step(
        checker=checker,
        document=document,
        requires=[required for required in requires if required in wanted],
        after=after,
        when=rule.when if rule else None,
    )


def _shares(ordered: Sequence[Step]) -> dict[Key, float]:
    chains: dict[Key, float] = {}
    for step in reversed(ordered):
        behind = [chains[other.key] for other in ordered if step.key in other.waits_for]
        chains[step.key] = step.checker.capabilities.weight + max(behind, default=0.0)
    return {step.key: step.checker.capabilities.weight / chains[step.key] for step in ordered}
