"""`absah audit`: who did what, and whether the log of it is whole."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import click

import absah
from absah_ops import calling, showing
from absah_ops.failing import Failing
from absah_server.core import audit_export
from absah_server.core.errors import ChainBroken

STALLED_SECONDS = 60.0
"""Events that wait to be sealed for so long mean that no server seals."""


@click.group(cls=Failing)
def audit() -> None:
    """Show, verify and export the audit log.

    Every decision and every operator's action is an event in a chain of hashes: what is changed
    afterwards breaks it. Write `absah audit head` down where the database's owner cannot reach, and
    hold the log against it later with `absah audit verify --head`.
    """


@audit.command("list")
@click.option("--subject", default="", metavar="NAME", help='As "validations/0192f0c1…".')
@click.option("--actor", "by", default="", metavar="NAME", help="Who acted.")
@click.option("--action", default="", help='Or its beginning: "review." for all of reviews.')
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@calling.server_options
@calling.json_option
def list_(
    subject: str,
    by: str,
    action: str,
    limit: int,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """List events, the newest first."""
    with calling.admin(server, tenant, actor) as admin:
        events = admin.audit_events(subject=subject, actor=by, action=action, limit=limit)
        found = [absah.to_dict(event) for event in events]
    if as_json:
        for event in found:
            click.echo(json.dumps(event, ensure_ascii=False))
        return
    showing.table(
        ("sequence", "time", "actor", "action", "subject", "details"),
        [
            (
                event["sequence"] if event["sequence"] != "0" else "",
                event["event_time"][:19].replace("T", " "),
                event["actor"],
                event["action"],
                event["subject"],
                _brief(event["details"]),
            )
            for event in found
        ],
    )


def _brief(details: dict[str, Any]) -> str:
    """What fits a line: words and numbers; --json has the digests too."""
    shown = (
        f"{key}={value}"
        for key, value in sorted(details.items())
        if not isinstance(value, dict | list) and not key.endswith("sha256")
    )
    return ", ".join(shown)


@audit.command()
@calling.server_options
@calling.json_option
def head(server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Print where the chain ends: sequence and hash, to be written down elsewhere."""
    with calling.admin(server, tenant, actor) as admin:
        found = admin.audit_head()
    if as_json:
        click.echo(json.dumps({"sequence": found.sequence, "sha256": found.sha256}))
    else:
        click.echo(f"{found.sequence} {found.sha256}")


@audit.command()
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--head", "anchor", default="", metavar="HASH", help="A head from back then.")
@calling.server_options
@calling.json_option
def verify(
    file: IO[bytes] | None,
    anchor: str,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Verify FILE, an export, without any server; or else the log in a server's database.

    Names the first broken link, and in a database the decisions of which no event tells, and exits
    with 1 where there are any. With --head the log must hold
    that hash: without it, a log that was cut at its end, or written anew as a whole, looks sound.
    """
    anchor = anchor.lower()
    if anchor and not audit_export.HASH.fullmatch(anchor):
        raise click.UsageError("--head is no hash of 64 hexadecimal digits.")
    found = _verify_file(file, anchor) if file else _verify_server(server, tenant, actor, anchor)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        _tell(found)
    sys.exit(1 if found["problem"] or found.get("untold_decisions") else 0)


def _verify_file(file: IO[bytes], anchor: str) -> dict[str, Any]:
    try:
        whole = audit_export.verify(file, anchor=bytes.fromhex(anchor) if anchor else None)
    except ChainBroken as exc:
        return {"problem": exc.problem, "line": exc.line, "sequence": exc.sequence}
    return {
        "problem": "",
        "tenant": whole.tenant,
        "first": whole.first,
        "sequence": whole.head.sequence,
        "sha256": whole.head.hash.hex(),
        "anchor_sequence": whole.anchor_sequence or 0,
    }


def _verify_server(server: str, tenant: str, actor: str | None, anchor: str) -> dict[str, Any]:
    with calling.admin(server, tenant, actor) as admin, showing.waiting("Following the chain"):
        answer = admin.verify_audit(anchor=anchor)
    waiting = {
        "untold_decisions": list(answer.untold_decisions),
        "unsealed_events": answer.unsealed_events,
        "unsealed_seconds": answer.unsealed_age.ToTimedelta().total_seconds(),
    }
    if answer.HasField("broken_link"):
        broken = answer.broken_link
        return {"problem": broken.problem, "sequence": broken.sequence, **waiting}
    return {
        "problem": "",
        "first": 1,
        "sequence": answer.head.sequence,
        "sha256": answer.head.sha256,
        "anchor_sequence": answer.anchor_sequence,
        **waiting,
    }


def _tell(found: dict[str, Any]) -> None:
    console = showing.console()
    if found["problem"]:
        line = f"line {found['line']}, " if "line" in found else ""
        console.print(f"[bold red]broken[/] at {line}sequence {found['sequence']}")
        console.print(found["problem"], markup=False)
    else:
        events = found["sequence"] - found["first"] + 1
        console.print(f"[bold green]whole[/] {events:,} events, from sequence {found['first']} on")
        console.print(f"head {found['sequence']} {found['sha256']}")
        if found["anchor_sequence"]:
            console.print(f"the given head is that of sequence {found['anchor_sequence']}")
    for name in found.get("untold_decisions", ()):
        console.print(f"[bold red]no event tells of the decision on[/] {name}")
    if found.get("unsealed_seconds", 0.0) > STALLED_SECONDS:
        console.print(
            f"[bold yellow]{found['unsealed_events']:,} events wait to be sealed[/], the oldest "
            f"for {found['unsealed_seconds']:.0f} s: does any server run? Its log says why not."
        )


@audit.command()
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file.")
@click.option("--first", type=click.IntRange(1), default=1, help="Begin with this sequence.")
@calling.server_options
def export(output: Path | None, first: int, server: str, tenant: str, actor: str | None) -> None:
    """Export the log as JSON lines that prove themselves: see `absah audit verify FILE`."""
    with calling.admin(server, tenant, actor) as admin:
        pieces = admin.export_audit(first_sequence=first)
        if output is None:
            _write(sys.stdout.buffer, pieces)
            return
        part = output.with_name(f"{output.name}.part")
        try:
            with part.open("wb") as file:
                _write(file, pieces)
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)


def _write(file: IO[bytes], pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        file.write(piece)
    file.flush()
