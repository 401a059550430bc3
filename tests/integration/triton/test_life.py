"""Models are loaded where they are missing, compared with the repository, served in versions."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from integration.inference.drawing import draw_double, floats, save_graph, soon, write_config
from integration.triton.asking import QUICK, asking, client_of
from integration.triton.conftest import INSTANCE
from onnx import TensorProto, helper
from tritonclient.utils import InferenceServerException

from absah_ops.triton import server
from absah_ops.triton.server import Control, Options
from absah_sdk import InferenceFailed
from absah_server.core.errors import ModelInvalid, ModelUnknown
from absah_server.core.models import Change, Rollout
from absah_server.inference.invalid import OnInvalid
from absah_server.inference.traffic import Traffic
from absah_server.inference.triton.inference import TritonInference


async def test_models_come_and_go_in_versions(tmp_path: Path) -> None:
    draw_double(tmp_path, version=1, factor=2.0, more=INSTANCE)
    draw_double(tmp_path, version=2, factor=3.0, more=INSTANCE)
    with server.running(tmp_path, load=()) as triton:
        async with asking(tmp_path, triton) as inference, client_of(triton) as own:
            # Nothing was loaded: the start did it, and took the highest version.
            assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[3.0]]}
            assert not await own.is_model_ready("double", "1")

            loaded = await inference.load("double", "1", background=True)
            assert (loaded.name, loaded.version) == ("double", "1")
            assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[3.0]]}
            assert await inference.infer("double@1", floats(1.0), deadline=soon()) == {"y": [[2.0]]}
            assert await own.is_model_ready("double", "2")

            await inference.unload("double", "2")
            await inference.load("double", "1")
            assert inference.models()["double"].version == "1"
            assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[2.0]]}
            with pytest.raises(ModelUnknown, match="double@2"):
                await inference.infer("double@2", floats(1.0), deadline=soon())
            with pytest.raises(ModelUnknown, match="double@3"):
                await inference.load("double", "3")
            with pytest.raises(ModelUnknown, match="double@2"):
                await inference.unload("double", "2")

            # Somebody else unloads it: it is missed, and loaded again.
            await own.unload_model("double")
            assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[2.0]]}

        # A pin asks for a version that the server would not have chosen.
        async with asking(tmp_path, triton, pins={"double": "1"}) as inference:
            assert inference.models()["double"].version == "1"
            assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[2.0]]}


async def test_a_rollout_leads_to_another_version_and_back_without_a_restart(
    tmp_path: Path,
) -> None:
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path, version=version, factor=factor, more=INSTANCE)
    with server.running(tmp_path) as triton:
        inference = TritonInference(tmp_path, addresses=(triton.grpc_address,), watching=QUICK)
        traffic = Traffic(inference, tmp_path, look_seconds=0.05)
        await traffic.start()
        for version, expected in (("1", 2.0), ("2", 3.0), ("1", 2.0)):
            change = Change(action="promote", by="test")
            await traffic.set_rollout("double", Rollout(current=version), change)
            answer = await traffic.infer("double", floats(1.0), deadline=soon())
            assert answer == {"y": [[expected]]}
        assert (await traffic.infer("double", floats(1.0), deadline=soon()))["y"].item() == 2.0
        assert inference.available
        await traffic.close()


async def test_files_that_were_replaced_are_loaded_anew_while_the_other_versions_serve(
    tmp_path: Path,
) -> None:
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path, version=version, factor=factor, more=INSTANCE)
    with server.running(tmp_path) as triton:
        async with asking(tmp_path, triton, pins={"double": "1"}) as inference:
            await inference.load("double", "2")
            other = triton.stub_pids("double/1")
            await inference.unload("double", "2")
            draw_double(tmp_path, version=2, factor=5.0, more=INSTANCE)
            await inference.load("double", "2")
            assert await inference.infer("double@2", floats(1.0), deadline=soon()) == {"y": [[5.0]]}
            assert triton.stub_pids("double/1") == other


async def test_a_pinned_model_is_loaded_in_that_version(tmp_path: Path) -> None:
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path, version=version, factor=factor, more=INSTANCE)
    with server.running(tmp_path) as triton:
        async with asking(tmp_path, triton, pins={"double": "1"}) as inference:
            await inference.unload("double", "1")
            assert (await inference.load("double")).version == "1"


async def test_a_model_that_cannot_be_loaded_keeps_no_other_from_serving_at_a_strict_server(
    tmp_path: Path,
) -> None:
    draw_double(tmp_path, "whole", more=INSTANCE)
    file = draw_double(tmp_path, "broken", more=INSTANCE)
    file.write_bytes(file.read_bytes()[:-30])
    strict = ("--strict-readiness=true",)
    with server.running(tmp_path, load=("whole",), flags=strict) as triton:
        async with client_of(triton) as own:
            with pytest.raises(InferenceServerException):
                await own.load_model("broken")
            assert not await own.is_server_ready()
        async with asking(tmp_path, triton, only=("whole",)) as inference:
            assert await inference.infer("whole", floats(1.0), deadline=soon()) == {"y": [[2.0]]}


async def test_a_server_that_serves_other_models_is_refused_by_model_and_field(
    tmp_path: Path,
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    parameters = 'parameters { key: "absah.mean" value { string_value: "127" } }'
    draw_double(ours, "narrow", dims="[ 4 ]", output_dims="[ -1 ]", more=INSTANCE)
    draw_double(theirs, "narrow", dims="[ 8 ]", output_dims="[ -1 ]", more=INSTANCE)
    draw_double(ours, "large", max_batch_size=16, more=INSTANCE)
    draw_double(theirs, "large", max_batch_size=4, more=INSTANCE)
    draw_double(ours, "tuned", more=f"{INSTANCE} {parameters}")
    draw_double(theirs, "tuned", more=INSTANCE)
    draw_double(ours, "missing", more=INSTANCE)
    for folder in (ours, theirs):
        draw_double(folder, "same", more=INSTANCE)
    with server.running(theirs, control=Control.NONE) as triton:
        with pytest.raises(ModelInvalid) as caught:
            async with asking(ours, triton):
                pass
        said = "\n".join([str(caught.value), *caught.value.__notes__])
        assert f"'large': {ours / 'large' / 'config.pbtxt'}: max_batch_size: is 16, but" in said
        assert "'narrow'" in said
        assert "input[0].dims: is [4], but Triton at 127.0.0.1" in said
        assert "says [8]" in said
        assert "parameters['absah.mean']: is '127', but" in said
        assert "'missing'" in said
        assert "is not served by Triton" in said
        assert "'same'" not in said

        async with asking(ours, triton, on_invalid=OnInvalid.SERVE_OTHERS) as inference:
            assert set(inference.models()) == {"same"}
            assert {error.model for error in inference.errors} == {
                "large",
                "missing",
                "narrow",
                "tuned",
            }
            assert await inference.infer("same", floats(1.0), deadline=soon()) == {"y": [[2.0]]}


async def test_a_model_that_triton_cannot_load_is_named_and_the_others_are_served(
    tmp_path: Path,
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        draw_double(folder, "whole", more=INSTANCE)
        file = draw_double(folder, "broken", more=INSTANCE)
    file.write_bytes(file.read_bytes()[:-30])
    with server.running(theirs) as triton:
        with pytest.raises(ModelInvalid) as caught:
            async with asking(ours, triton):
                pass
        assert caught.value.model == "broken"
        assert "is not served by Triton" in caught.value.problem
        async with asking(ours, triton, on_invalid=OnInvalid.SERVE_OTHERS) as inference:
            assert await inference.infer("whole", floats(1.0), deadline=soon()) == {"y": [[2.0]]}


async def test_a_damaged_model_is_told_by_file_and_field_and_the_others_are_served(
    tmp_path: Path,
) -> None:
    truncated = draw_double(tmp_path, "truncated", more=INSTANCE)
    truncated.write_bytes(truncated.read_bytes()[:-30])
    # Triton from pip serves what its config contradicts.
    config = draw_double(tmp_path, "wrong", more=INSTANCE).parents[1] / "config.pbtxt"
    config.write_text(config.read_text().replace("TYPE_FP32", "TYPE_FP64"))
    draw_double(tmp_path, "whole", more=INSTANCE)
    with server.running(tmp_path) as triton:
        async with asking(tmp_path, triton, on_invalid=OnInvalid.SERVE_OTHERS) as inference:
            told = {error.model: str(error) for error in inference.errors}
            assert set(told) == {"truncated", "wrong"}
            assert f"{truncated}: cannot be opened" in told["truncated"]
            assert f"{config}: input[0].data_type: is TYPE_FP64, but 1/model.onnx" in told["wrong"]
            assert await inference.infer("whole", floats(1.0), deadline=soon()) == {"y": [[2.0]]}


async def test_a_start_without_any_server_says_what_to_do(tmp_path: Path) -> None:
    draw_double(tmp_path)
    with pytest.raises(InferenceFailed, match=r"127\.0\.0\.1:9.*absah triton serve"):
        async with asking(tmp_path, addresses=("127.0.0.1:9",), start_seconds=0.1):
            pass


async def test_an_address_where_nobody_listens_keeps_no_other_from_serving(tmp_path: Path) -> None:
    draw_double(tmp_path, more=INSTANCE)
    with server.running(tmp_path) as triton:
        addresses = (f"127.0.0.1:{server.free_ports(1)[0]}", triton.grpc_address)
        async with asking(tmp_path, addresses=addresses) as inference:
            assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[2.0]]}
            assert not inference.errors


async def test_a_server_that_starts_later_is_waited_for(tmp_path: Path) -> None:
    draw_double(tmp_path, more=INSTANCE)
    grpc, http, metrics = server.free_ports(3)
    later = Options(repository=tmp_path, grpc_port=grpc, http_port=http, metrics_port=metrics)
    inference = TritonInference(
        tmp_path, addresses=(f"127.0.0.1:{grpc}",), watching=QUICK, start_seconds=30.0
    )
    starting = asyncio.create_task(inference.start())
    await asyncio.sleep(0.3)
    assert not starting.done()
    with contextlib.ExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, server.running(tmp_path, ports=later))
        await starting
        assert await inference.infer("double", floats(1.0), deadline=soon()) == {"y": [[2.0]]}
        await inference.close()


@pytest.mark.parametrize("dims", [3, 4], ids=["a sample that it takes", "one that it does not"])
async def test_a_model_that_takes_no_small_request_is_asked_with_its_configs_sample(
    tmp_path: Path, dims: int
) -> None:
    draw_offset(tmp_path, "silent", more=INSTANCE)
    sample = f"value {{ data_type: TYPE_FP32 dims: [ {dims} ] zero_data: true }}"
    warm_up = f'model_warmup [ {{ name: "s" inputs {{ key: "x" {sample} }} }} ]'
    draw_offset(tmp_path, "told", more=INSTANCE)
    with server.running(tmp_path) as triton:
        # Triton would refuse to load it.
        write_config(tmp_path, "told", output_dims="[ 3 ]", more=f"{INSTANCE} {warm_up}")
        async with asking(tmp_path, triton) as inference:
            answer = await inference.infer("silent", floats(1.0, size=3), deadline=soon())
            assert answer["y"].tolist() == [[2.0, 3.0, 4.0]]
            assert [error.model for error in inference.errors] == ([] if dims == 3 else ["told"])


def draw_offset(repository: Path, name: str, **config: str) -> None:
    """y = x + (1, 2, 3), for x of shape [items, 3], though the config promises any size."""
    offset = helper.make_tensor("o", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])
    save_graph(
        repository / name / "1" / "model.onnx",
        [
            helper.make_node("Constant", [], ["offset"], value=offset),
            helper.make_node("Add", ["x", "offset"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["items", "size"])],
        [("y", TensorProto.FLOAT, ["items", "size"])],
    )
    write_config(repository, name, output_dims="[ 3 ]", **config)
