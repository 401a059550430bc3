"""Rules of the wire contract: buf's STANDARD lint, Google's AIPs, and no breaking change.

    python ops/protos/contract.py            check the protos
    python ops/protos/contract.py --accept   and make them the new baseline

The rules are those of https://buf.build/docs/lint/rules (STANDARD) that a descriptor shows, and of
https://google.aip.dev 126 (enums), 140 (field names), 142 (time), 158 (pagination).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generate import PROTOS, descriptor_set
from google.protobuf import descriptor_pb2 as pb

BASELINE = PROTOS / "baseline.binpb"
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
PASCAL = re.compile(r"([A-Z][a-z0-9]*)+")
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
VERSIONED = re.compile(r"[a-z]+(\.[a-z]+)*\.v[1-9]\d*")
PREPOSITIONS = re.compile(r"_(of|for|by|with|from|at|in|to|on)_")
TIME_ENDING = re.compile(r"_(at|timestamp|date_time)$")


def load() -> pb.FileDescriptorSet:
    """The descriptors of the protos as they stand; raises RuntimeError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "protos.binpb"
        descriptor_set(file)
        return pb.FileDescriptorSet.FromString(file.read_bytes())


def baseline() -> pb.FileDescriptorSet:
    """The descriptors that clients in the field were built with."""
    return pb.FileDescriptorSet.FromString(BASELINE.read_bytes())


def lint(files: pb.FileDescriptorSet) -> list[str]:
    """What in the protos breaks a rule; empty if nothing does."""
    return [problem for file in files.file for problem in _lint_file(file)]


def _lint_file(file: pb.FileDescriptorProto) -> Iterator[str]:
    if not VERSIONED.fullmatch(file.package):
        yield f"{file.name}: package {file.package} needs a version as its last part"
    if str(Path(file.name).parent) != file.package.replace(".", "/"):
        yield f"{file.name}: its folder must be its package {file.package}"
    if not SNAKE.fullmatch(Path(file.name).stem):
        yield f"{file.name}: a file's name is lower_snake_case"
    for message in file.message_type:
        yield from _lint_message(message, message.name)
    for enum in file.enum_type:
        yield from _lint_enum(enum)
    used: dict[str, str] = {}
    for service in file.service:
        yield from _lint_service(service, used)
        yield from _lint_pagination(service, {m.name: m for m in file.message_type})


def _lint_message(message: pb.DescriptorProto, path: str) -> Iterator[str]:
    if not PASCAL.fullmatch(message.name):
        yield f"{path}: a message's name is PascalCase"
    for field in message.field:
        where = f"{path}.{field.name}"
        if not SNAKE.fullmatch(field.name):
            yield f"{where}: a field's name is lower_snake_case"
        if PREPOSITIONS.search(f"_{field.name}_"[1:]):
            yield f"{where}: a field's name has no preposition (AIP-140)"
        if TIME_ENDING.search(field.name) or (
            field.type_name == ".google.protobuf.Timestamp" and not field.name.endswith("_time")
        ):
            yield f"{where}: a point in time is named …_time (AIP-142)"
    for inner in message.nested_type:
        if not inner.options.map_entry:
            yield from _lint_message(inner, f"{path}.{inner.name}")
    for enum in message.enum_type:
        yield from _lint_enum(enum)


def _lint_enum(enum: pb.EnumDescriptorProto) -> Iterator[str]:
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper()
    if not PASCAL.fullmatch(enum.name):
        yield f"{enum.name}: an enum's name is PascalCase"
    if enum.options.allow_alias:
        yield f"{enum.name}: an enum has no aliases"
    if enum.value[0].number != 0 or enum.value[0].name != f"{prefix}_UNSPECIFIED":
        yield f"{enum.name}: its first value is {prefix}_UNSPECIFIED = 0 (AIP-126)"
    for value in enum.value:
        if not UPPER_SNAKE.fullmatch(value.name) or not value.name.startswith(f"{prefix}_"):
            yield f"{enum.name}.{value.name}: a value is {prefix}_UPPER_SNAKE_CASE"


def _lint_service(service: pb.ServiceDescriptorProto, used: dict[str, str]) -> Iterator[str]:
    if not PASCAL.fullmatch(service.name) or not service.name.endswith("Service"):
        yield f"{service.name}: a service's name is PascalCase and ends with Service"
    for method in service.method:
        where = f"{service.name}.{method.name}"
        if not PASCAL.fullmatch(method.name):
            yield f"{where}: a method's name is PascalCase"
        for type_name, ending in ((method.input_type, "Request"), (method.output_type, "Response")):
            short = type_name.rpartition(".")[2]
            if short not in (f"{method.name}{ending}", f"{service.name}{method.name}{ending}"):
                yield f"{where}: {short} should be {method.name}{ending}"
            if short in used:
                yield f"{where}: {short} is that of {used[short]} too"
            used[short] = where


def _lint_pagination(
    service: pb.ServiceDescriptorProto, messages: dict[str, pb.DescriptorProto]
) -> Iterator[str]:
    for method in service.method:
        if not method.name.startswith("List"):
            continue
        asked = {field.name for field in messages[f"{method.name}Request"].field}
        answered = {field.name for field in messages[f"{method.name}Response"].field}
        if not asked >= {"page_size", "page_token"} or "next_page_token" not in answered:
            yield f"{service.name}.{method.name}: a list has pages from day one (AIP-158)"


def breaking(old: pb.FileDescriptorSet, new: pb.FileDescriptorSet) -> list[str]:
    """What of the old contract the new one breaks on the wire, in code or in JSON."""
    before, after = _flatten(old), _flatten(new)
    problems = []
    for name, form in before.items():
        if name not in after:
            problems.append(f"{name} is gone")
        elif after[name] != form:
            problems.append(f"{name} was {form} and is {after[name]}")
    return problems


def _flatten(files: pb.FileDescriptorSet) -> dict[str, str]:
    """Everything that a client can depend on, by full name, in a comparable form."""
    flat: dict[str, str] = {}
    for file in files.file:
        for message in file.message_type:
            _flatten_message(message, f"{file.package}.{message.name}", flat)
        for enum in file.enum_type:
            _flatten_enum(enum, f"{file.package}.{enum.name}", flat)
        for service in file.service:
            for method in service.method:
                flat[f"{file.package}.{service.name}.{method.name}"] = (
                    f"{'stream ' * method.client_streaming}{method.input_type} → "
                    f"{'stream ' * method.server_streaming}{method.output_type}"
                )
    return flat


def _flatten_message(message: pb.DescriptorProto, name: str, flat: dict[str, str]) -> None:
    flat[name] = "message"
    for field in message.field:
        kind = pb.FieldDescriptorProto.Type.Name(field.type)
        label = pb.FieldDescriptorProto.Label.Name(field.label)
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        flat[f"{name}.{field.name}"] = f"{field.number} {label} {kind} {field.type_name} {oneof}"
    for inner in message.nested_type:
        _flatten_message(inner, f"{name}.{inner.name}", flat)
    for enum in message.enum_type:
        _flatten_enum(enum, f"{name}.{enum.name}", flat)


def _flatten_enum(enum: pb.EnumDescriptorProto, name: str, flat: dict[str, str]) -> None:
    for value in enum.value:
        flat[f"{name}.{value.name}"] = str(value.number)


def main(arguments: list[str]) -> int:
    current = load()
    problems = lint(current)
    if BASELINE.exists():
        problems += breaking(baseline(), current)
    print("\n".join(problems) or "the contract keeps its rules")
    if "--accept" in arguments and not lint(current):
        BASELINE.write_bytes(current.SerializeToString(deterministic=True))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
