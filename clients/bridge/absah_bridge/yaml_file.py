"""YAML as people mean it, and the lines where things stand in it."""

from __future__ import annotations

from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """YAML whose codes stay what people wrote: 00 is no zero, NO is no falsehood, 1.10 is not 1.1.

    A key that stands twice is a mistake.
    """

    def construct_scalar_as_written(self, node: yaml.ScalarNode) -> Any:
        """A number or a truth value where it reads just so, else the text."""
        text = str(node.value)
        if text in ("true", "false"):
            return text == "true"
        for kind in (int, float):
            try:
                if str(kind(text)) == text:
                    return kind(text)
            except ValueError:
                continue
        return text

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """See the class."""
        seen: set[str] = set()
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands here twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


for _tag in ("int", "float", "bool", "timestamp"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", Loader.construct_scalar_as_written)


def line_of(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line where a path stands, or that of the innermost place of it that is there."""
    line = node.start_mark.line + 1 if node else 0
    for step in path:
        place = None
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            place, node = pair or (None, node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            place = node = node.value[step] if step < len(node.value) else None
        if place is not None:
            line = place.start_mark.line + 1
    return line
