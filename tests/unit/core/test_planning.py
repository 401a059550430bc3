"""Checks are planned in an order that their needs allow, with a share of the time for each."""

from __future__ import annotations

import types

import pytest
from support import Brightness, Doubled, Length, make_document, make_registry

from absah_sdk import Capabilities, Checker, Form, hookimpl
from absah_server.core import planning, registry
from absah_server.core.errors import CheckerNotFound, PluginInvalid


def test_a_required_checker_is_run_first_though_nobody_asked_for_it() -> None:
    plan = planning.plan_checkers(["doubled"], [make_document()], make_registry(Doubled, Length))
    assert [step.key for step in plan.steps] == [("length", "report"), ("doubled", "report")]


def test_a_check_leaves_time_for_those_that_wait_for_it() -> None:
    plan = planning.plan_checkers(["doubled"], [make_document()], make_registry(Doubled, Length))
    assert plan.shares == {("length", "report"): 0.5, ("doubled", "report"): 1.0}


def test_documents_that_a_checker_does_not_take_are_left_out() -> None:
    documents = [make_document(), make_document(None, name="photo", media_type="image/png")]
    plan = planning.plan_checkers(
        ["length", "brightness"], documents, make_registry(Length, Brightness)
    )
    assert {step.key for step in plan.steps} == {("length", "report"), ("brightness", "photo")}


def test_an_unknown_checker_is_named() -> None:
    with pytest.raises(CheckerNotFound) as refused:
        planning.plan_checkers(["nothing"], [make_document()], make_registry(Length))
    assert refused.value.name == "nothing"


def plugin(*kinds: type[Checker]) -> tuple[object, str]:
    module = types.ModuleType("made")

    @hookimpl
    def absah_checkers() -> tuple[type[Checker], ...]:
        return kinds

    vars(module)["absah_checkers"] = absah_checkers
    return module, "made (tests 1.0)"


def checker(name: str, *requires: str) -> type[Checker]:
    capabilities = Capabilities(
        media_types=("text/plain",), reads=frozenset({Form.TEXT}), requires=requires
    )
    return type(name, (Length,), {"name": name, "capabilities": capabilities})


def test_checkers_that_require_each_other_in_a_circle_are_refused_at_start() -> None:
    with pytest.raises(PluginInvalid, match=r"circle: .*a.*b.*c"):
        registry.build({"p": plugin(checker("a", "b"), checker("b", "c"), checker("c", "a"))}, {})


def test_a_required_checker_that_is_not_there_is_named_at_start() -> None:
    with pytest.raises(PluginInvalid, match="'a' requires gone"):
        registry.build({"p": plugin(checker("a", "gone"))}, {})


def test_two_plugins_cannot_provide_the_same_checker() -> None:
    with pytest.raises(PluginInvalid, match="'a' exists already"):
        registry.build({"p": plugin(checker("a")), "q": plugin(checker("a"))}, {})


def test_an_unknown_setting_of_a_checker_is_refused_by_its_path() -> None:
    with pytest.raises(PluginInvalid, match=r"checkers\.a\.colour"):
        registry.build({"p": plugin(checker("a"))}, {"a": {"colour": "red"}})


def test_settings_for_a_checker_that_is_not_there_are_refused() -> None:
    with pytest.raises(PluginInvalid, match="gone"):
        registry.build({"p": plugin(checker("a"))}, {"gone": {}})


def test_only_allowed_plugins_are_loaded() -> None:
    assert set(registry.installed(["ocr"])) == {"ocr"}


def test_an_allowed_plugin_that_is_not_installed_is_named() -> None:
    with pytest.raises(PluginInvalid, match="no_such_plugin"):
        registry.installed(["no_such_plugin"])
