"""`absah doctor` tells which Triton servers are ready."""

from __future__ import annotations

import json
import socket

from click.testing import CliRunner

from absah_ops.main import main
from absah_ops.triton.server import TritonServer


def test_one_triton_that_is_ready_is_enough_and_the_other_is_told(
    drawn_triton: TritonServer,
) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{held.getsockname()[1]}"
        result = CliRunner().invoke(
            main,
            ["doctor", "--json"],
            env={
                "ABSAH_INFERENCE__BACKEND": "triton",
                "ABSAH_INFERENCE__TRITON__ADDRESSES": json.dumps([drawn_triton.grpc_address, away]),
            },
        )
    found = [json.loads(line) for line in result.stdout.splitlines()]
    ready, lost = [each for each in found if each["what"] == "triton"]
    assert (ready["ok"], ready["found"]) == (True, f"{drawn_triton.grpc_address} is ready")
    assert not lost["ok"]
    assert lost["optional"]
    assert lost["mend"]
    assert result.exit_code == 0, result.output
