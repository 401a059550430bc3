"""`absah documents`: upload, show, download, delete, and purge what was kept long enough."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

import absah
from absah.uploading import Told
from absah_ops import calling, showing
from absah_ops.failing import Failing

HEADINGS = ("document", "state", "bytes", "media type", "kept until")
COUNTS = (
    "erased_validations",
    "deleted_documents",
    "deleted_bytes",
    "removed_contents",
    "removed_uploads",
)
"""What a purge tells, in the order of its steps."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Failing)
def documents() -> None:
    """Upload documents, look at them, download and delete them.

    A document's NAME is as "documents/" and its SHA-256, or the digest alone; a validation may name
    it instead of sending it. Artifacts, such as heatmaps, are documents too.
    """


@documents.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--anew", is_flag=True, help="Send what the server has too: it mends what is damaged."
)
@calling.server_options
@calling.json_option
def upload(
    files: Sequence[Path],
    anew: bool,
    server: str,
    tenant: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Upload FILES, going on where an upload broke off.

    What the server has is not sent again.
    """
    with calling.client(server, tenant, actor) as client:
        for file in files:
            with _progress(file, quiet=as_json) as told:
                document = client.upload(file, told=told, anew=anew)
            _show([{"file": str(file), **absah.to_dict(document)}], as_json)


@documents.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@calling.server_options
@calling.json_option
def show(names: Sequence[str], server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Show documents' states, and how much of an upload has arrived."""
    with calling.client(server, tenant, actor) as client:
        _show([absah.to_dict(client.document(_named(name))) for name in names], as_json)


@documents.command()
@click.argument("name")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: standard output]",
)
@calling.server_options
def download(name: str, output: Path | None, server: str, tenant: str, actor: str | None) -> None:
    """Download a document or an artifact; its digest is verified before it is sent."""
    with calling.client(server, tenant, actor) as client:
        content = client.download(_named(name))
    if output is None:
        if sys.stdout.isatty():
            raise click.UsageError("this is a terminal; name a file with --output")
        sys.stdout.buffer.write(content)
        return
    output.write_bytes(content)
    click.echo(f"{output}: {len(content):,} bytes")


@documents.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--yes", is_flag=True, help="Do not ask.")
@calling.server_options
@calling.json_option
def delete(
    names: Sequence[str], yes: bool, server: str, tenant: str, actor: str | None, as_json: bool
) -> None:
    """Delete documents' contents and what was read from them; records keep their digests."""
    if not yes:
        click.confirm(f"Delete {len(names)} for good?", abort=True, err=True)
    with calling.client(server, tenant, actor) as client:
        _show([absah.to_dict(client.delete_document(_named(name))) for name in names], as_json)


@documents.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@calling.server_options
@calling.json_option
def purge(dry_run: bool, server: str, tenant: str, actor: str | None, as_json: bool) -> None:
    """Remove what policies and settings no longer keep, as the server does by itself hourly.

    It does so for all tenants, and counts what was yours. Records keep digests, decisions, outcomes
    and the codes of findings. A deleted document's content leaves the store some time later.
    """
    with (
        calling.admin(server, tenant, actor) as admin,
        showing.waiting("Purging", quiet=as_json),
    ):
        done = absah.to_dict(admin.purge_documents(dry_run=dry_run))
    counts = {name: int(done[name]) for name in COUNTS}
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, **counts}))
        return
    rows = [(name.replace("_", " "), f"{count:,}") for name, count in counts.items()]
    showing.table(("would be" if dry_run else "was", "count"), rows)


def _named(name: str) -> str:
    return name if "/" in name else f"documents/{name}"


def _show(found: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for item in found:
            click.echo(json.dumps(item, ensure_ascii=False))
        return
    showing.table(HEADINGS, [_row(item) for item in found])


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    received, size = int(item["received_bytes"]), int(item["size_bytes"])
    arrived = f"{received:,} of {size:,}" if item["state"] == "UPLOADING" else f"{size:,}"
    return (
        item["name"],
        item["state"],
        arrived,
        item["media_type"],
        item.get("expire_time", "")[:16].replace("T", " "),
    )


@contextmanager
def _progress(file: Path, *, quiet: bool) -> Iterator[Told]:
    """A bar on standard error while a file is sent."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda sent, size: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        yield lambda sent, size: bar.update(task, completed=sent, total=size)
