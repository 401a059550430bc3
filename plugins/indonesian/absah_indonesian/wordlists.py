"""Write word lists as running text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def numbered(text: str, *, first: int) -> dict[str, int]:
    """Every word with the number of its comma-separated group: "nol kosong, satu" from 0."""
    groups = enumerate(text.split(","), first)
    return {word: number for number, group in groups for word in group.split()}
