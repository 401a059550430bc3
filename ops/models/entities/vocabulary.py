"""Prune the vocabulary to what Indonesian text needs, as a `tokenizers` file.

XLM-R's 250,002 pieces are 96 of multilingual-E5-small's 118 million weights. The pieces that
the given texts use are kept, then single characters, then the likeliest pieces in Latin script.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from .checkpoint import Vocabulary

SPECIAL = 4
MARK = "\u2581"


def tokenizer(pieces: Sequence[tuple[str, float]], vocabulary: Vocabulary) -> Tokenizer:
    """Build a Unigram tokenizer that normalises as SentencePiece's `nmt_nfkc` does."""
    removed = [c for c, to in vocabulary.normalised.items() if to == "" and ord(c) < 0x100]
    blanks = [
        c
        for c, to in vocabulary.normalised.items()
        if to == " " and unicodedata.normalize("NFKC", c) != " "
    ]
    built = Tokenizer(models.Unigram(list(pieces), unk_id=vocabulary.unk))
    built.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_character_class(removed)), ""),
            normalizers.Replace(Regex(_character_class(blanks)), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    built.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always")
    return built


def _character_class(characters: Iterable[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(c):X}}}" for c in characters) + "]"


def full(vocabulary: Vocabulary) -> Tokenizer:
    """The tokenizer with all pieces."""
    scored = zip(vocabulary.pieces, map(float, vocabulary.scores), strict=True)
    return tokenizer(list(scored), vocabulary)


def choose(vocabulary: Vocabulary, words: Iterable[str], size: int) -> list[int]:
    """Choose the ids of the `size` pieces to keep; special pieces come first."""
    complete = full(vocabulary)
    counts: Counter[int] = Counter()
    distinct = sorted(set(words))
    for start in range(0, len(distinct), 4096):
        for encoding in complete.encode_batch(distinct[start : start + 4096]):
            counts.update(encoding.ids)
    kept = dict.fromkeys(range(SPECIAL))
    kept.update(dict.fromkeys(sorted(i for i, p in enumerate(vocabulary.pieces) if _letter(p))))
    kept.update(dict.fromkeys(i for i, _ in counts.most_common()))
    if len(kept) < size:
        by_score = sorted(
            range(SPECIAL, len(vocabulary.pieces)), key=lambda i: -vocabulary.scores[i]
        )
        kept.update(dict.fromkeys(i for i in by_score if _latin(vocabulary.pieces[i])))
    return sorted(list(kept)[:size])


def prune(vocabulary: Vocabulary, kept: Sequence[int]) -> Tokenizer:
    """The tokenizer with the kept pieces only, numbered anew in their order."""
    return tokenizer(
        [(vocabulary.pieces[i], float(vocabulary.scores[i])) for i in kept], vocabulary
    )


def _latin(piece: str) -> bool:
    """Latin letters, digits and marks, as Indonesian text may hold them."""
    return piece != "<mask>" and all(c == MARK or ord(c) < 0x250 for c in piece)


def _letter(piece: str) -> bool:
    """One character, with or without the mark: what is left when nothing longer fits."""
    bare = piece.removeprefix(MARK)
    return len(bare) <= 1 and (_latin(piece) or 0x2000 <= ord(bare or " ") < 0x2200)
