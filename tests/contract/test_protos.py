"""The wire contract keeps its rules, and the committed code is what the protos make."""

from __future__ import annotations

from pathlib import Path

import contract
import generate
from google.protobuf import descriptor_pb2 as pb


def test_the_protos_keep_the_rules() -> None:
    assert contract.lint(contract.load()) == []


def test_nothing_that_clients_depend_on_is_broken() -> None:
    assert contract.breaking(contract.baseline(), contract.load()) == []


def test_the_generated_code_is_up_to_date(tmp_path: Path) -> None:
    generate.generate(tmp_path)
    made = {file.relative_to(tmp_path): file.read_bytes() for file in tmp_path.rglob("*.py*")}
    committed = {
        file.relative_to(generate.CLIENT): file.read_bytes()
        for folder in ("absah/admin/v1", "absah/v1")
        for file in (generate.CLIENT / folder).glob("*_pb2*.py*")
    }
    assert made == committed, "run `make protos`"


def edited() -> pb.FileDescriptorSet:
    files = pb.FileDescriptorSet()
    files.CopyFrom(contract.load())
    return files


def message(files: pb.FileDescriptorSet, name: str) -> pb.DescriptorProto:
    return next(m for file in files.file for m in file.message_type if m.name == name)


def test_a_removed_field_is_a_breaking_change() -> None:
    files = edited()
    del message(files, "Validation").field[3]
    assert contract.breaking(contract.load(), files) == ["absah.v1.Validation.verdict is gone"]


def test_a_renumbered_or_retyped_field_is_a_breaking_change() -> None:
    files = edited()
    message(files, "Span").field[0].number = 9
    message(files, "Box").field[0].type = pb.FieldDescriptorProto.TYPE_FLOAT
    problems = contract.breaking(contract.load(), files)
    assert len(problems) == 2
    assert any("Span.start" in problem for problem in problems)


def test_a_removed_method_or_enum_value_is_a_breaking_change() -> None:
    files = edited()
    service = next(s for file in files.file for s in file.service if s.name == "PolicyService")
    del service.method[0]
    enum = next(e for file in files.file for e in file.enum_type if e.name == "Outcome")
    del enum.value[5]
    assert len(contract.breaking(contract.load(), files)) == 2


def test_an_added_field_is_no_breaking_change() -> None:
    files = edited()
    message(files, "Span").field.add(
        name="length",
        number=9,
        type=pb.FieldDescriptorProto.TYPE_INT32,
        label=pb.FieldDescriptorProto.LABEL_OPTIONAL,
    )
    assert contract.breaking(contract.load(), files) == []


def test_names_that_break_the_rules_are_found() -> None:
    files = edited()
    message(files, "Span").field[0].name = "startOffset"
    message(files, "Validation").field[5].name = "created_at"
    next(s for file in files.file for s in file.service).name = "Checkers"
    found = "\n".join(contract.lint(files))
    assert "Span.startOffset" in found
    assert "Validation.created_at" in found
    assert "Checkers" in found
