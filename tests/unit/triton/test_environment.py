"""What Triton's own environment needs of this machine is said before anything is installed."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Any

import pytest

from absah_ops.triton import environment
from absah_ops.triton.environment import TritonNotInstalled


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_missing_libpython_is_told_with_what_to_install(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sysconfig.get_config_var

    def elsewhere(name: str) -> Any:
        return {"LIBDIR": str(tmp_path), "MULTIARCH": "nowhere"}.get(name) or found(name)

    monkeypatch.setattr(sysconfig, "get_config_var", elsewhere)
    with pytest.raises(TritonNotInstalled, match=r"libpython3\.\d+.*apt-get install libpython3"):
        environment.prepare()
    assert not cache.exists()


def test_an_unsupported_python_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_python_version", lambda: "3.99")
    with pytest.raises(TritonNotInstalled, match=r"Python 3\.11.* and this is 3\.99"):
        environment.prepare()
    assert not cache.exists()


def test_the_environment_runs_the_platforms_own_version_of_onnx_runtime() -> None:
    import onnxruntime

    assert f"onnxruntime=={onnxruntime.__version__}" in environment.requirements()


def test_a_failing_pip_is_told_and_leaves_nothing_that_looks_ready(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    steps: list[str] = []
    with pytest.raises(TritonNotInstalled, match=r"pip could not install .*nvidia-pytriton"):
        environment.prepare(steps.append)
    assert steps == ["making an environment for Triton", "installing tritonserver, 130 MB"]
    assert not [*cache.rglob("ready.txt")]
