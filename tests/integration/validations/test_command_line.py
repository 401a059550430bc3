"""`absah validations` shows what is kept, to people and to programs."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

import absah
from absah_ops.main import main


async def run(*arguments: str) -> Result:
    """Run `absah validations …` against the server of ABSAH_SERVER."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["validations", *arguments])


@pytest.fixture(autouse=True)
def server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABSAH_SERVER", address)


async def test_a_list_shows_what_its_options_ask_for(client: absah.AsyncClient) -> None:
    made = await client.validate("short-text", report=absah.Text("halo"), request_id="r-1")
    await client.create_validation("short-text", report=absah.Text("halo"))
    shown = await run("list", "--decision", "accept")
    assert shown.exit_code == 0
    line = shown.output.strip().split("\t")
    assert line[:5] == [made.name[12:], "short-text@1", "SUCCEEDED", "ACCEPT", "r-1"]
    shown = await run("list", "--limit", "1", "--json")
    assert [json.loads(line)["state"] for line in shown.output.splitlines()] == ["PENDING"]
    assert (await run("list", "--since", "2999-01-01")).output == ""


async def test_a_validation_is_shown_by_name_or_digits(client: absah.AsyncClient) -> None:
    made = await client.validate("short-text", report=absah.Text("halo"))
    shown = await run("show", made.name[12:])
    assert "ACCEPT" in shown.output
    assert "length" in shown.output
    plain = json.loads((await run("show", made.name, "--json")).output)
    assert plain == absah.to_dict(made)
    watched = await run("show", made.name, "--watch", "--json")
    assert json.loads(watched.output.splitlines()[-1]) == plain


async def test_cancelling_says_how_the_validation_stands(client: absah.AsyncClient) -> None:
    made = await client.create_validation("short-text", report=absah.Text("halo"))
    assert "CANCELLED" in (await run("cancel", made.name)).output
    ended = await client.validate("short-text", report=absah.Text("halo"))
    refused = await run("cancel", ended.name)
    assert refused.exit_code == 1
    assert "only one that has not ended" in refused.output


async def test_an_unknown_name_is_told_as_such() -> None:
    shown = await run("show", "0" * 32)
    assert shown.exit_code == 1
    assert "there is no validation" in shown.output
