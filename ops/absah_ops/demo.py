"""`absah demo`: a field report, validated by a real server, and the same with a false claim."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.rule import Rule

import absah
from absah_ops import embedded, showing
from absah_ops.specimens import cases, people

CASE = 11
SOMEBODY_ELSE = 12


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the documents in this folder, to try `absah validate` on.",
)
def demo(keep: Path | None) -> None:
    """Validate a field report: photos, a scanned letter, an identity card, text and claims.

    The card and the letter are drawn for fictional people and marked SPECIMEN. They are then worn
    as a scanner and a phone would.
    """
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        _demonstrate(keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            _demonstrate(Path(folder))


def _demonstrate(folder: Path) -> None:
    console = showing.console()
    with showing.waiting("Drawing the documents"):
        case = cases.make_case(CASE)
        documents = case.write(folder)
    with ExitStack() as stack:
        with showing.waiting("Starting the server"):
            address = stack.enter_context(embedded.server())
        console.print(Rule("A report whose claims its evidence bears out", align="left"))
        _show(console, address, documents, case.claims)
        other = people.make_person(SOMEBODY_ELSE)
        false = {**case.claims, "name": other.name.title(), "nik": other.nik}
        console.print(Rule("The same evidence, sent in by somebody else", align="left"))
        _show(console, address, documents, false)


def _show(
    console: Console, address: str, documents: dict[str, list[Path]], claims: dict[str, Any]
) -> None:
    files = [f"{role}={file.name}" for role, several in documents.items() for file in several]
    said = [f"--claim {name}={value!r}" for name, value in claims.items()]
    console.print(f"absah validate --policy field-report {' '.join(files)}", style="dim")
    console.print("  " + " ".join(said) + "\n", style="dim")
    with absah.Client(address) as client, showing.waiting("Validating"):
        message = absah.request("field-report", documents, claims=claims)
        answer = client.send(message)
    showing.validation(answer)
    console.print()
