"""Plugins add codecs by an entry point, as the documentation shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bridge_codecs import make_codec, read, refusal

from absah_bridge import hookspecs, tree
from absah_bridge.codecs import registry
from absah_bridge.errors import Cause

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "legacy-bridge.md"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    """Put a plugin where pip would."""
    (folder / f"absah_{name}.py").write_text(code)
    about = folder / f"absah_{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: absah-{name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[absah_bridge]\n{name} = absah_{name}\n")
    monkeypatch.syspath_prepend(str(folder))


def documented() -> str:
    """The plugin that the documentation shows."""
    section = DOCUMENTATION.read_text().partition("## A codec of your own")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_plugin_reads_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "edifact", documented())
    codec = make_codec(kind="edifact")
    assert tree.plain(read(codec, b"UNA:+.? 'UNB+'")) == {"UNA": "UNA:+.? "}
    error = refusal(codec, b"MSH|")
    assert (error.cause, error.position) == (Cause.NOT_WELL_FORMED, "segment 1")
    assert codec.encode({"text": "UNA"}).body == b"UNA"


def test_two_plugins_of_one_kind_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "again", documented().replace('"edifact"', '"json"'))
    with pytest.raises(ValueError, match="two plugins provide a codec named json"):
        registry.kinds()


def test_a_plugin_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "broken", "import nothing_of_this_name\n")
    with pytest.raises(ValueError, match="plugin broken cannot be loaded"):
        registry.kinds()


def test_every_hook_is_documented() -> None:
    hooks = [name for name in vars(hookspecs) if name.startswith("absah_bridge_")]
    assert hooks
    for name in hooks:
        assert f"def {name}(" in documented()


def test_every_kind_is_documented() -> None:
    text = DOCUMENTATION.read_text()
    for kind, provided in registry.kinds().items():
        assert f"**{kind}**" in text
        for field in provided.config_type.model_fields.values():
            assert field.alias is None or f"`{field.alias}`" in text
        for name, field in provided.config_type.model_fields.items():
            if name != "kind" and field.alias is None:
                assert f"`{name}`" in text or f"`{name}[]" in text or f".{name}`" in text
