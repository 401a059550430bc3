"""Change bytes as a fuzzer does: flips, lengths that lie, pieces cut, repeated and swapped in."""

from __future__ import annotations

import random
from collections.abc import Sequence

BOUNDARIES = (
    *(b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\x80"),
    *(b"\xff\xff", b"\0\0", b"\x7f\xff", b"\xff", b"\0"),
)
"""Numbers at which arithmetic goes wrong."""
LONGEST_PIECE = 64


class Mutator:
    """Makes variants of seeds; equal randomness gives equal variants."""

    def __init__(self, seeds: Sequence[bytes], randomness: random.Random) -> None:
        self._seeds = seeds
        self._random = randomness

    def variant(self) -> tuple[bytes, bytes]:
        """A seed, and what became of it."""
        seed = self._random.choice(self._seeds)
        return seed, self.mutated(seed)

    def mutated(self, content: bytes) -> bytes:
        """The content after one to 64 changes."""
        changed = bytearray(content)
        for _ in range(self._random.choice((1, 1, 2, 4, 16, 64))):
            self._change(changed)
        return bytes(changed)

    def _change(self, content: bytearray) -> None:
        place = self._random.randrange(len(content) + 1)
        length = self._random.randrange(1, LONGEST_PIECE)
        match self._random.randrange(10):
            case 0 | 1 | 2 | 3:
                content[place : place + 1] = self._random.randbytes(1)
            case 4 | 5:
                number = self._random.choice(BOUNDARIES)
                content[place : place + len(number)] = number
            case 6:
                del content[place : place + length]
            case 7:
                other = self._random.randrange(len(content) + 1)
                content[place:place] = content[other : other + length]
            case 8:
                seed = self._random.choice(self._seeds)
                other = self._random.randrange(len(seed) + 1)
                content[place : place + length] = seed[other : other + length]
            case 9 if self._random.random() < 0.2:
                del content[place:]
