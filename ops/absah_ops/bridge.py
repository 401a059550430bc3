"""`absah bridge`: run the bridge to legacy systems, and try their mappings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from absah_ops import showing, trying
from absah_ops.lazy import LazyGroup

if TYPE_CHECKING:
    from absah_bridge.requests import Request
    from absah_bridge.systems import LegacySystem

COMMANDS = {
    "run": ("absah_ops.bridge:run", "Serve legacy systems over RabbitMQ."),
    "try": ("absah_ops.bridge:try_", "Show each field's way through a mapping."),
    "test": ("absah_ops.bridge:test", "Round-trip golden files of a system."),
    "draw": ("absah_ops.bridge:draw", "Draw the files of the example systems."),
}

config_option = click.option(
    "--config",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("bridge.yaml"),
    envvar="ABSAH_BRIDGE",
    show_default=True,
    help="Systems, brokers and stores.",
)


@click.group(cls=LazyGroup, table=COMMANDS)
def bridge() -> None:
    """Let legacy systems validate over RabbitMQ, in the form that they always had."""


@click.command("try")
@click.argument("system")
@click.argument("message", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.option("--content-type", default="", help="As the system's messages say it.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="An AMQP header.")
@click.option("--dry-run", is_flag=True, help="Ask no core; the answer tells an example verdict.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def try_(
    system: str,
    message: Path,
    file: Path,
    content_type: str,
    headers: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show the way of each field of MESSAGE to the request, and of the verdict to the answer.

    Every mistake is shown with its place; exits with 1 if there is one. Documents are shown by
    their size and digest.
    """
    from absah_bridge import workbench
    from absah_bridge.codecs import Incoming

    legacy = _system(file, system)
    incoming = Incoming(
        body=message.read_bytes(), content_type=content_type, headers=_headers(headers)
    )
    trial = workbench.try_message(legacy, incoming, message_id=message.stem)
    trying.show_steps("request", trial.steps, as_json=as_json)
    if trial.problem is not None:
        trying.show_mistakes(trial, as_json=as_json)
        raise SystemExit(1)
    trying.show_requests(trial.requests, as_json=as_json)
    with trying.refusing(as_json=as_json):
        validations = (
            [workbench.example(request) for request in trial.requests]
            if dry_run
            else _validated(file, legacy, trial.requests)
        )
        trying.show_answer(legacy, trial, validations, as_json=as_json)


@click.command()
@click.argument("system")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@config_option
@click.option("--update", is_flag=True, help="Write what is missing or differs; look at it then.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def test(system: str, folder: Path, file: Path, update: bool, as_json: bool) -> None:
    """Round-trip the golden files of SYSTEM in FOLDER: messages to requests, verdicts to answers.

    Each case is a folder that holds message.* and requests.json, validations.json and answer.*, or
    refusal.json where the message must be refused. Exits with 1 if one differs.
    """
    from absah_bridge import golden

    try:
        cases = list(golden.cases(_system(file, system), folder, update=update))
    except golden.GoldenError as exc:
        raise click.ClickException(str(exc)) from exc
    if not cases:
        raise click.ClickException(f"{folder} holds no case: a folder with message.* in it")
    trying.show_cases(cases, as_json=as_json)
    if any(case.differences for case in cases):
        raise SystemExit(1)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def draw(folder: Path) -> None:
    """Draw the files that the example messages refer to into FOLDER.

    They are of fictional people, and the cards are marked SPECIMEN.
    """
    from absah_ops.specimens import attached

    with showing.waiting("Drawing"):
        written = attached.draw(folder)
    showing.table(
        ("file", "bytes"),
        [(str(path.relative_to(folder)), f"{path.stat().st_size:,}") for path in written],
    )


@click.command()
@config_option
def run(file: Path) -> None:
    """Serve the systems of bridge.yaml until SIGTERM or Ctrl-C, then end what is under way."""
    import asyncio

    from absah_bridge import run as wiring
    from absah_server.settings import Settings
    from absah_server.telemetry import logs, setup

    telemetry = Settings().telemetry
    logs.start(telemetry.log_level)
    stop_telemetry = setup.start(
        otlp_endpoint=telemetry.otlp_endpoint,
        prometheus_port=telemetry.prometheus_port,
        prometheus_host=telemetry.prometheus_host,
        version=metadata.version("absah"),
    )
    try:
        asyncio.run(wiring.serve(file))
    finally:
        stop_telemetry()


def _system(file: Path, name: str) -> LegacySystem:
    from absah_bridge import systems
    from absah_bridge.errors import ConfigInvalid

    try:
        _, legacy = systems.load(file)
    except ConfigInvalid as exc:
        raise click.ClickException(str(exc)) from exc
    if name not in legacy:
        raise click.ClickException(
            f"{file} has no system {name!r}; it has {', '.join(sorted(legacy))}"
        )
    return legacy[name]


def _validated(file: Path, system: LegacySystem, requests: Sequence[Request]) -> list[Any]:
    import asyncio
    import uuid

    import absah
    from absah_bridge import config
    from absah_bridge import run as wiring

    core = config.read(file).core
    with absah.Client(core.address, tenant=core.tenant) as client:
        # The bridge waits for a server that is away; a person is told.
        client.policies()
    # Under ids of their own: a message that is tried must not take the place of the one to come.
    tried = [replace(request, id=f"try:{uuid.uuid4().hex}") for request in requests]
    with showing.waiting("Validating"):
        validations = asyncio.run(wiring.validate(file, system, tried))
    for request, validation in zip(requests, validations, strict=True):
        validation.request_id = request.id
    return validations


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise click.UsageError(f"--header takes NAME=VALUE, not {wrong[0]!r}")
    return {name: value for name, _, value in pairs}
