"""Vary capitals, mentions and lengths of the training sentences.

NERP is all lower case, so half of it is given capitals back; the others lose theirs now and
then. Mentions are swapped for others of their kind (Dai and Adel 2020), and sentences are
joined, since a document's window holds many.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .corpora import Entity, Sentence

LOWER_CASE_CORPORA = frozenset({"nerp"})
VOWELS = frozenset("aeiou")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """How often a sentence is changed in which way, as shares of one."""

    truecase: float = 0.5
    lowercase: float = 0.12
    uppercase: float = 0.01
    uppercase_mentions: float = 0.04
    swap: float = 0.15
    join: float = 0.2


class Augmenter:
    """Makes a new version of each sentence in each epoch."""

    def __init__(self, sentences: Sequence[Sentence], rates: Rates, rng: random.Random) -> None:
        self._rates = rates
        self._rng = rng
        self._forms = _cased_forms([s for s in sentences if s.corpus not in LOWER_CASE_CORPORA])
        self._mentions: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
        for sentence in sentences:
            for entity in sentence.entities:
                mention = sentence.words[entity.start : entity.end]
                self._mentions[sentence.corpus, entity.code].append(mention)

    def epoch(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """Vary all sentences and join some, in random order."""
        varied = [self._vary(s) for s in sentences]
        self._rng.shuffle(varied)
        joined: list[Sentence] = []
        waiting: dict[str, Sentence] = {}
        for sentence in varied:
            if self._rng.random() < self._rates.join:
                held = waiting.pop(sentence.corpus, None)
                sentence = join(held, sentence) if held else sentence
                if len(sentence.words) < 80:
                    waiting[sentence.corpus] = sentence
                    continue
            joined.append(sentence)
        return joined + list(waiting.values())

    def _vary(self, sentence: Sentence) -> Sentence:
        if self._rng.random() < self._rates.swap:
            sentence = self._swap(sentence)
        if sentence.corpus in LOWER_CASE_CORPORA:
            return self._truecase(sentence) if self._happens(self._rates.truecase) else sentence
        if self._happens(self._rates.lowercase):
            return replace(sentence, words=tuple(w.lower() for w in sentence.words))
        if self._happens(self._rates.uppercase):
            return replace(sentence, words=tuple(w.upper() for w in sentence.words))
        if self._happens(self._rates.uppercase_mentions):
            return _shout_mentions(sentence)
        return sentence

    def _happens(self, rate: float) -> bool:
        return self._rng.random() < rate

    def _swap(self, sentence: Sentence) -> Sentence:
        """Replace about half of the mentions by others of the same corpus and code."""
        words: list[str] = []
        entities = []
        end = 0
        for entity in sentence.entities:
            words.extend(sentence.words[end : entity.start])
            mention: Sequence[str] = sentence.words[entity.start : entity.end]
            if self._happens(0.5):
                mention = self._rng.choice(self._mentions[sentence.corpus, entity.code])
            entities.append(Entity(entity.code, len(words), len(words) + len(mention)))
            words.extend(mention)
            end = entity.end
        words.extend(sentence.words[end:])
        return replace(sentence, words=tuple(words), entities=tuple(entities))

    def _truecase(self, sentence: Sentence) -> Sentence:
        """Give a lower-case sentence the capitals that a newspaper would print."""
        named = {i for e in sentence.entities if e.code != "FNB" for i in range(e.start, e.end)}
        words = [self._form(w, named=i in named) for i, w in enumerate(sentence.words)]
        words[:1] = [w[:1].upper() + w[1:] for w in words[:1]]
        return replace(sentence, words=tuple(words))

    def _form(self, word: str, *, named: bool) -> str:
        form = self._forms.get((word, named))
        if form is not None or not named:
            return form or word
        if word.isalpha() and 1 < len(word) <= 5 and not VOWELS & set(word):
            return word.upper()
        return word[:1].upper() + word[1:]


def join(first: Sentence, second: Sentence) -> Sentence:
    """Two sentences of one corpus as one."""
    shift = len(first.words)
    moved = (replace(e, start=e.start + shift, end=e.end + shift) for e in second.entities)
    return replace(first, words=first.words + second.words, entities=(*first.entities, *moved))


def _shout_mentions(sentence: Sentence) -> Sentence:
    named = {i for e in sentence.entities for i in range(e.start, e.end)}
    words = (w.upper() if i in named else w for i, w in enumerate(sentence.words))
    return replace(sentence, words=tuple(words))


def _cased_forms(sentences: Sequence[Sentence]) -> dict[tuple[str, bool], str]:
    """The commonest form of each word, within and outside of mentions."""
    counts: dict[tuple[str, bool], Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        named = {i for e in sentence.entities for i in range(e.start, e.end)}
        for index, word in enumerate(sentence.words):
            if index or index in named:
                counts[word.lower(), index in named][word] += 1
    return {key: forms.most_common(1)[0][0] for key, forms in counts.items()}
