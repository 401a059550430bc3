"""The plugins and checkers of a server: found, allowed, configured, checked against each other."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any, cast

import pluggy
import pydantic

from absah_sdk import Checker, hookspecs
from absah_server.core import errors

GROUP = "absah"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredChecker:
    """A checker and the plugin that it came from, as "ocr (absah 0.1.0)"."""

    checker: Checker
    plugin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """Checkers by name, and the functions that policies may call."""

    checkers: Mapping[str, RegisteredChecker]
    policy_functions: Mapping[str, Callable[..., Any]]

    def checker(self, name: str) -> Checker:
        """The checker of this name; raises `CheckerNotFound`."""
        try:
            return self.checkers[name].checker
        except KeyError:
            raise errors.CheckerNotFound(name=name) from None

    def with_requirements(self, name: str) -> Registry:
        """Only this checker and those that it requires; raises `CheckerNotFound`."""
        wanted = {name}
        while more := {r for n in wanted for r in self.checker(n).capabilities.requires} - wanted:
            wanted |= more
        return replace(self, checkers={n: self.checkers[n] for n in sorted(wanted)})


def installed(allowed: Collection[str] | None = None) -> dict[str, tuple[Any, str]]:
    """Load the installed plugins: entry point name to module and distribution.

    `allowed` names the entry points that may be loaded; None allows all that are installed.
    Raises `PluginInvalid` if one that is allowed is missing or cannot be imported.
    """
    points = {point.name: point for point in metadata.entry_points(group=GROUP)}
    if allowed is not None and (missing := sorted(set(allowed) - set(points))):
        raise errors.PluginInvalid(
            f"plugins {', '.join(missing)} are allowed but not installed; installed are "
            f"{', '.join(sorted(points)) or 'none'}"
        )
    loaded = {}
    for name, point in sorted(points.items()):
        if allowed is not None and name not in allowed:
            continue
        try:
            module = point.load()
        except Exception as exc:
            raise errors.PluginInvalid(
                f"plugin {name!r} ({point.value}) cannot be imported: {type(exc).__name__}: {exc}"
            ) from exc
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else ""
        loaded[name] = (module, f"{name} ({distribution})")
    return loaded


def build(
    plugins: Mapping[str, tuple[Any, str]], settings: Mapping[str, Mapping[str, Any]]
) -> Registry:
    """Make the checkers of these plugins, each with its own part of `settings`.

    Raises `PluginInvalid` for a clash of names, unknown or unfit settings, a required checker that
    is not there, or checkers that require each other in a circle.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name, (module, _) in plugins.items():
        manager.register(module, name=name)
    manager.check_pending()
    checkers: dict[str, RegisteredChecker] = {}
    functions: dict[str, Callable[..., Any]] = {}
    for implementation in manager.hook.absah_checkers.get_hookimpls():
        kinds = cast("Sequence[type[Checker]]", implementation.function())
        for kind in kinds:
            _add_checker(checkers, kind, plugins[implementation.plugin_name][1], settings)
    for implementation in manager.hook.absah_policy_functions.get_hookimpls():
        more = cast("Mapping[str, Callable[..., Any]]", implementation.function())
        if clash := functions.keys() & more.keys():
            raise errors.PluginInvalid(
                f"{plugins[implementation.plugin_name][1]}: policy functions "
                f"{', '.join(sorted(clash))} exist already"
            )
        functions.update(more)
    _refuse_unknown_settings(checkers, settings)
    _refuse_circles(checkers)
    return Registry(checkers=checkers, policy_functions=functions)


def _add_checker(
    checkers: dict[str, RegisteredChecker],
    kind: type[Checker],
    plugin: str,
    settings: Mapping[str, Mapping[str, Any]],
) -> None:
    described = ("name", "version", "title", "capabilities")
    if missing := [word for word in described if not hasattr(kind, word)]:
        raise errors.PluginInvalid(f"{plugin}: {kind.__name__} has no {', '.join(missing)}")
    name = kind.name
    if not NAME.fullmatch(name):
        raise errors.PluginInvalid(f"{plugin}: {name!r} is no name for a checker")
    if name in checkers:
        raise errors.PluginInvalid(
            f"{plugin}: checker {name!r} exists already, from {checkers[name].plugin}"
        )
    try:
        fitted = kind.settings_type.model_validate(dict(settings.get(name, {})))
    except pydantic.ValidationError as exc:
        problems = "; ".join(
            f"checkers.{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()
        )
        raise errors.PluginInvalid(f"settings of checker {name!r} do not fit: {problems}") from exc
    checkers[name] = RegisteredChecker(checker=kind(fitted), plugin=plugin)


def _refuse_unknown_settings(
    checkers: Mapping[str, RegisteredChecker], settings: Mapping[str, Mapping[str, Any]]
) -> None:
    if unknown := sorted(set(settings) - set(checkers)):
        raise errors.PluginInvalid(
            f"there are settings for checkers {', '.join(unknown)}, which no plugin provides; "
            f"provided are {', '.join(sorted(checkers))}"
        )


def _refuse_circles(checkers: Mapping[str, RegisteredChecker]) -> None:
    graph = {name: r.checker.capabilities.requires for name, r in checkers.items()}
    for name, requires in graph.items():
        if missing := sorted(set(requires) - set(checkers)):
            raise errors.PluginInvalid(
                f"checker {name!r} requires {', '.join(missing)}, which no plugin provides"
            )
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as exc:
        circle = " → ".join(reversed(exc.args[1]))
        raise errors.PluginInvalid(f"checkers require each other in a circle: {circle}") from exc
