"""The manifests in ops/deploy are well-formed, and set what the server knows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from absah_server.settings import Settings

DEPLOY = Path(__file__).parents[3] / "ops" / "deploy"


def test_compose_sets_what_the_server_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    settings = settings_of(services["absah"]["environment"], monkeypatch)
    assert settings.inference.backend == "triton"
    assert settings.inference.triton.addresses == ("triton:8001",)
    assert services["triton"]["volumes"][0].endswith(":/models:ro")
    # Rollouts are written beside the models.
    assert services["absah"]["volumes"][0].endswith(":/models")


def test_kubernetes_sets_what_the_server_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = {(each["kind"], each["metadata"]["name"]): each for each in manifests()}
    (container,) = objects["Deployment", "absah"]["spec"]["template"]["spec"]["containers"]
    variables = {v["name"]: v.get("value", "postgresql://secret/") for v in container["env"]}
    assert container["volumeMounts"] == [{"name": "models", "mountPath": "/models"}]
    settings = settings_of(variables, monkeypatch)
    assert settings.database_url.get_secret_value() == "postgresql://secret/"
    replicas = objects["StatefulSet", "triton"]["spec"]["replicas"]
    assert settings.inference.triton.addresses == tuple(
        f"triton-{number}.triton:8001" for number in range(replicas)
    )


def test_the_settings_of_the_readme_are_the_servers_defaults() -> None:
    text = (DEPLOY / "README.md").read_text()
    told = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])["inference"]
    defaults = Settings().inference.triton.model_dump()
    del told["triton"]["addresses"]
    assert told["triton"].items() <= defaults.items()


def settings_of(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings()


def manifests() -> Iterator[Any]:
    yield from yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
