"""`absah bridge`: run the bridge to legacy systems, and try their mappings."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from absah_ops import showing
from absah_ops.lazy import LazyGroup

if TYPE_CHECKING:
    from absah_bridge.rules import Step
    from absah_bridge.systems import LegacySystem

COMMANDS = {
    "run": ("absah_ops.bridge:run", "Serve legacy systems over RabbitMQ."),
    "try": ("absah_ops.bridge:try_", "Show each field's way through a mapping."),
    "test": ("absah_ops.bridge:test", "Round-trip golden files of a system."),
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
@click.option("--dry-run", is_flag=True, help="Ask no core; the answer tells an example verdict.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def try_(
    system: str, message: Path, file: Path, content_type: str, dry_run: bool, as_json: bool
) -> None:
    """Show the way of each field of MESSAGE to the request, and of the verdict to the answer.

    Every mistake is shown with its place; exits with 1 if there is one.
    """
    from absah_bridge import workbench
    from absah_bridge.codecs import Incoming
    from absah_bridge.errors import MessageInvalid

    legacy = _system(file, system)
    incoming = Incoming(body=message.read_bytes(), content_type=content_type, headers={})
    trial = workbench.try_message(legacy, incoming, message_id=message.stem)
    _print_steps("request", trial.steps, as_json)
    if trial.problem is not None:
        raise click.ClickException(f"{trial.problem} ({trial.problem.cause})")
    try:
        validations = (
            [workbench.example(request) for request in trial.requests]
            if dry_run
            else _validated(file, legacy, trial.requests)
        )
        steps, outgoing = workbench.try_answer(legacy, trial, validations)
    except MessageInvalid as exc:
        raise click.ClickException(f"{exc} ({exc.cause})") from exc
    _print_steps("answer", steps, as_json)
    if not as_json:
        click.echo()
        sys.stdout.flush()
        sys.stdout.buffer.write(outgoing.body)
        click.echo()


@click.command()
@click.argument("system")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@config_option
@click.option("--update", is_flag=True, help="Write what is missing or differs; look at it then.")
def test(system: str, folder: Path, file: Path, update: bool) -> None:
    """Round-trip the golden files of SYSTEM in FOLDER: messages to requests, verdicts to answers.

    Each case is a folder that holds message.* and requests.json, validations.json and answer.*, or
    refusal.json where the message must be refused. Exits with 1 if one differs.
    """
    from absah_bridge import workbench

    cases = list(workbench.test_folder(_system(file, system), folder, update=update))
    showing.table(
        ("case", "holds", "what differs"),
        [
            (case.name, "no" if case.differences else "yes", "\n".join(case.differences))
            for case in cases
        ],
    )
    if not cases:
        raise click.ClickException(f"{folder} holds no case: a folder with message.* in it")
    if any(case.differences for case in cases):
        raise SystemExit(1)


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


def _validated(file: Path, system: LegacySystem, requests: Sequence[Any]) -> list[Any]:
    import asyncio

    from absah_bridge import run as wiring

    with showing.waiting("Validating"):
        return asyncio.run(wiring.validate(file, system, requests))


def _print_steps(way: str, steps: Sequence[Step], as_json: bool) -> None:
    from absah_bridge import workbench

    if as_json:
        for step in steps:
            shown = {"way": way, "target": step.target, "source": step.source}
            shown |= {"position": step.position, "value": workbench.shown(step.value)}
            click.echo(json.dumps({**shown, "problem": step.problem}, ensure_ascii=False))
        return
    showing.table(
        (f"{way} field", "comes from", "at", "as", "becomes", "problem"),
        [
            (
                step.target,
                step.source or "(constant)",
                step.position,
                workbench.shown(step.raw),
                workbench.shown(step.value),
                step.problem,
            )
            for step in steps
        ],
    )
