"""`absah dead-letters`: messages of legacy systems that wait for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

import absah
from absah_ops import calling, parked, showing
from absah_ops.bridge import config_option
from absah_ops.lazy import LazyGroup

if TYPE_CHECKING:
    from absah.admin.v1 import admin_service_pb2 as pb2
    from absah_bridge.delivery.parking import ParkedMessage, Parking, Selection

COMMANDS = {
    "list": ("absah_ops.dead_letters:list_", "Group them by cause, or list those of one."),
    "show": ("absah_ops.dead_letters:show", "Show what befell one."),
    "redrive": ("absah_ops.dead_letters:redrive", "Send them on their way again."),
    "discard": ("absah_ops.dead_letters:discard", "Take them out for good."),
}


@click.group("dead-letters", cls=LazyGroup, table=COMMANDS)
def dead_letters() -> None:
    """See to the messages that the bridge could not have answered."""


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --cause and --field."""
    command = click.option("--field", help="Those at this field of the message.")(command)
    return click.option("--cause", default="", help="Those with this cause.")(command)


@click.command("list")
@click.option("--system", default="", help="Those of this system.")
@selection_options
@click.option(
    "--state",
    type=click.Choice(["PARKED", "RETRIED", "REDRIVEN", "DISCARDED", "ANSWERED"]),
    help="How they stand now.  [default: PARKED]",
)
@click.option(
    "--config",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="ABSAH_BRIDGE",
    help="Look through the parking queues of this bridge.yaml too.",
)
@calling.server_options
@calling.json_option
def list_(
    system: str,
    cause: str,
    field: str | None,
    state: str | None,
    file: Path | None,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Group parked messages by system, cause and field; list those that options single out.

    The server knows what the bridge parked. What RabbitMQ parked by itself stands in the parking
    queues alone: it is told too where --config names them.
    """
    unknown: list[pb2.DeadLetter] = []
    problems: list[str] = []
    with calling.admin(server, tenant, actor) as admin:
        if file is not None and state in (None, "PARKED"):
            unknown, problems = parked.unknown(admin, file, system=system)
        if not cause and field is None and state is None:
            groups = admin.dead_letter_groups(system=system)
            _print_groups(parked.grouped(groups, unknown), as_json)
        else:
            known = admin.dead_letters(
                system=system, cause=cause, field=field or "", state=state or "PARKED"
            )
            more = parked.singled_out(unknown, cause=cause, field=field or "")
            _print_letters([*known, *more], as_json)
    if problems:
        raise click.ClickException(f"some parking queues were not seen: {'; '.join(problems)}")


def _print_letters(letters: list[pb2.DeadLetter], as_json: bool) -> None:
    if as_json:
        for letter in letters:
            click.echo(json.dumps(absah.to_dict(letter), ensure_ascii=False))
        return
    showing.table(
        ("dead letter", "system", "message", "cause", "field", "position", "problem", "since"),
        [
            (
                letter.name.removeprefix("deadLetters/"),
                letter.system,
                letter.message_key,
                letter.cause,
                letter.field,
                letter.position,
                letter.problem,
                _when(letter.update_time),
            )
            for letter in letters
        ],
    )


def _print_groups(groups: list[pb2.DeadLetterGroup], as_json: bool) -> None:
    if as_json:
        for group in groups:
            click.echo(json.dumps(absah.to_dict(group), ensure_ascii=False))
        return
    showing.table(
        ("system", "cause", "field", "messages", "oldest", "newest"),
        [
            (
                group.system,
                group.cause,
                group.field,
                f"{group.dead_letter_count:,}",
                _when(group.oldest_time),
                _when(group.newest_time),
            )
            for group in groups
        ],
    )


@click.command()
@click.argument("name")
@calling.server_options
@calling.json_option
def show(name: str, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Show the dead letter NAME, as "4711", and all that befell it."""
    with calling.admin(server, tenant, actor) as admin:
        letter = admin.dead_letter(f"deadLetters/{name.removeprefix('deadLetters/')}")
    plain = absah.to_dict(letter)
    if as_json:
        click.echo(json.dumps(plain, ensure_ascii=False))
        return
    showing.table(
        ("field", "value"),
        [(key, str(value)) for key, value in plain.items() if key != "attempts" and value != ""],
    )
    showing.table(
        ("when", "attempt", "outcome", "cause", "field", "position", "problem"),
        [
            (
                _when(attempt.event_time),
                str(attempt.attempt),
                plain["attempts"][number]["outcome"],
                attempt.cause,
                attempt.field,
                attempt.position,
                attempt.problem,
            )
            for number, attempt in enumerate(letter.attempts)
        ],
    )


@click.command()
@click.argument("system")
@click.argument("messages", nargs=-1, metavar="[MESSAGE]…")
@selection_options
@click.option("--rate", type=click.FloatRange(min=0.001), help="At most so many a second.")
@click.option("--dry-run", is_flag=True, help="Only tell which.")
@click.option("--reason", default="", help="Why; kept with each.")
@config_option
@calling.server_options
def redrive(
    system: str,
    messages: tuple[str, ...],
    cause: str,
    field: str | None,
    rate: float | None,
    dry_run: bool,
    reason: str,
    file: Path,
    server: str,
    tenant: str,
    actor: str | None,
) -> None:
    """Send parked messages of SYSTEM to their queue again: by key, or all of a cause or field.

    Doing it twice does no harm: a message is validated once and answered alike.
    """
    selection = _selection(messages, cause, field)
    parking, queue = _parking(file, system)
    if dry_run:
        _print_parked(parking.look(selection))
        return
    with calling.admin(server, tenant, actor) as admin:
        noted = _noting(admin, system, queue, "REDRIVEN", reason)

        def kept(message: ParkedMessage) -> None:
            admin.record_message_attempts([parked.note(message, system=system, queue=queue)])

        redriven = parking.redrive(selection, noted=noted, kept=kept, per_second=rate)
        count = _count(redriven, "Redriving")
    click.echo(f"{count} redriven")


@click.command()
@click.argument("system")
@click.argument("messages", nargs=-1, metavar="[MESSAGE]…")
@selection_options
@click.option("--dry-run", is_flag=True, help="Only tell which.")
@click.option(
    "--reason", required=True, help="Why; kept with each, and in the audit log by digest."
)
@config_option
@calling.server_options
def discard(
    system: str,
    messages: tuple[str, ...],
    cause: str,
    field: str | None,
    dry_run: bool,
    reason: str,
    file: Path,
    server: str,
    tenant: str,
    actor: str | None,
) -> None:
    """Take parked messages of SYSTEM out for good: MESSAGEs by key, or all of a cause or field."""
    selection = _selection(messages, cause, field)
    parking, queue = _parking(file, system)
    if dry_run:
        _print_parked(parking.look(selection))
        return
    with calling.admin(server, tenant, actor) as admin:
        noted = _noting(admin, system, queue, "DISCARDED", reason)
        count = _count(parking.discard(selection, noted=noted), "Discarding")
    click.echo(f"{count} discarded")


def _selection(messages: tuple[str, ...], cause: str, field: str | None) -> Selection:
    from absah_bridge.delivery.parking import Selection

    if not messages and not cause and field is None:
        raise click.UsageError("name messages, or a group by --cause or --field")
    return Selection(keys=frozenset(messages), cause=cause, field=field)


def _parking(file: Path, system: str) -> tuple[Parking, str]:
    from absah_bridge import config
    from absah_bridge.delivery import brokers
    from absah_bridge.delivery.parking import Parking

    read = config.read(file)
    if system not in read.systems:
        raise click.ClickException(
            f"{file} has no system {system!r}; it has {', '.join(read.systems)}"
        )
    queue = read.systems[system].consume.queue
    return Parking(brokers.parameters(read.brokers), queue), queue


def _noting(
    admin: absah.AdminClient, system: str, queue: str, outcome: str, reason: str
) -> Callable[[ParkedMessage], None]:
    from absah_bridge.delivery import dead_letters as headers
    from absah_bridge.delivery import ledger

    def note(message: ParkedMessage) -> None:
        attempt = ledger.attempt(
            system=system,
            message_key=message.key,
            queue=queue,
            attempt=headers.attempt_of(message.properties),
            outcome=outcome,
            reason=reason,
        )
        admin.record_message_attempts([attempt])

    return note


def _count(done: Iterator[ParkedMessage], what: str) -> int:
    count = 0
    with Progress(console=showing.console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        for _ in done:
            count += 1
            progress.update(task, completed=count)
    return count


def _print_parked(messages: Iterable[ParkedMessage]) -> None:
    from absah_bridge.delivery import dead_letters as headers

    showing.table(
        ("message", "cause", "field", "position", "problem", "parked"),
        [
            (
                message.key,
                message.cause,
                *(
                    message.header(name)
                    for name in (
                        headers.FIELD,
                        headers.POSITION,
                        headers.PROBLEM,
                        headers.PARK_TIME,
                    )
                ),
            )
            for message in messages
        ],
    )


def _when(timestamp: Any) -> str:
    return str(timestamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S"))
