"""YAML as a person writes settings: no name twice, no references, no depth."""

from __future__ import annotations

from typing import Any

import yaml

from quantleak.errors import InputError

DEEPEST = 20
"""Settings are two or three levels deep; a parser that follows thousands fails in ways of its own."""


def read_yaml(text: str | bytes, name: str) -> Any:
    """The value of a YAML text.

    Args:
        text: The text, or its bytes.
        name: What to call it in messages.

    Raises:
        InputError: If it is not YAML, gives a name twice, is nested deeper than 20 levels, or refers to parts of itself
            (a few lines can so stand for gigabytes).

    Example:
        >>> read_yaml("models: 64", "audit.yaml")
        {'models': 64}
    """
    try:
        # It derives from SafeLoader: nothing in the text can make an object or run code.
        return yaml.load(text, _Loader)
    # Beside errors of YAML: those of texts that are no dates or numbers, of decoding and of recursion.
    except Exception as error:
        raise InputError(f"{name} is not YAML that can be used: {' '.join(str(error).split())[:400]}") from error


class _Loader(yaml.SafeLoader):
    """Refuses what is almost surely a mistake."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node, if it is no reference and not too deep."""
        line = self.peek_event().start_mark.line + 1
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"line {line} refers to another part (*); write it out there")
        if self.depth == DEEPEST:
            raise yaml.YAMLError(f"line {line} is nested deeper than {DEEPEST} levels; flatten it")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, if no name is there twice."""
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise yaml.YAMLError(f"'{key.value}' is given twice, in lines {lines[name]} and {line}; leave one out")
            lines[name] = line
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found
