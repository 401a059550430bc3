"""Start the checkers, and know which of them cannot run because a model of theirs cannot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from absah_server.core.errors import PluginInvalid
from absah_server.core.registry import Registry

log = logging.getLogger(__name__)


class Availability:
    """Which checkers are started; the others wait for their models."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._waiting: Mapping[str, str] = {}
        self._started: set[str] = set()
        self._starting = threading.Lock()

    def start(self, models: Mapping[str, Any], problems: Mapping[str, str]) -> None:
        """Start every checker that is not started and whose models are there.

        `problems` says by model why it is not there; a checker that needs such a one waits, and
        is started by a later call. Raises `PluginInvalid` for a model of which nothing is known.
        """
        with self._starting:
            waiting = {}
            for name, registered in self._registry.checkers.items():
                if name in self._started:
                    continue
                checker = registered.checker
                if missing := [model for model in checker.models if model not in models]:
                    waiting[name] = _why(name, missing, models, problems)
                    log.error("checker unavailable", extra={"checker": name, "models": missing})
                    continue
                checker.start({model: models[model] for model in checker.models})
                self._started.add(name)
            self._waiting = waiting

    def problem(self, checker: str) -> str:
        """Why a checker cannot run, empty where it can."""
        return self._waiting.get(checker, "")

    def unavailable(self, model: str) -> tuple[str, ...]:
        """The checkers that wait for this model."""
        checkers = self._registry.checkers
        return tuple(name for name in self._waiting if model in checkers[name].checker.models)


def _why(
    checker: str, missing: Iterable[str], models: Iterable[str], problems: Mapping[str, str]
) -> str:
    unknown = [model for model in missing if model not in problems]
    if unknown:
        raise PluginInvalid(
            f"checker {checker!r} needs model {', '.join(unknown)}, which the model repository "
            f"does not hold; it holds {', '.join(sorted(models)) or 'none'}"
        )
    return f"model {', '.join(missing)} cannot be served; the server's operator is told why"
