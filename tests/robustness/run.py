"""Send a server what means harm, and see that it stays what it was: `run.py [CORPUS]`.

With a folder, every file in it is sent; without one, files and requests that this folder makes,
calls of every service that are at odds with it, and clients that misbehave. After each file,
request and way to misbehave, and after the calls of each method, a good request must succeed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import conduct
import crowds
import misbehaving
import papers
import pictures
import recording
import services
import submissions
from asking import Asker, Observation
from rich.console import Console
from serving import Server, serving

from absah_server.decode import media_types

MIB = 2**20
MAX_PEAK_BYTES = 3072 * MIB
"""All models, two sandboxed decoders of a gigabyte each, and four documents held as pixels."""
SHOWN_DIGITS = 12
"""Of a file's SHA-256, by which the record names it."""
SHOWN_PLACES = 5
PARTS = ("files", "requests", "services", "conduct")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A file to send. `label` is what the record calls it, which tells nothing of a corpus."""

    name: str
    label: str
    content: bytes


def main() -> int:
    options = _options()
    console = Console()
    began = time.perf_counter()
    with serving() as server:
        asker = Asker(server, deadline_seconds=options.deadline_seconds)
        before, own = server.memory_bytes(), server.strays()
        kinds: Counter[str] = Counter()
        seen = list(_all(asker, options, kinds, console))
        after = server.memory_bytes()
        asker.close()
        ending = _ending(server, own)
        logged = server.errors_logged()
    ending += [f"logged as an error: {event} × {times}" for event, times in logged.items()]
    found = _found(seen, ending)
    peak = max(each.peak_bytes for each in seen)
    facts = (
        f"{sum(kinds.values())} files ({recording.counted(kinds)})" if kinds else "no files",
        f"{len(seen)} requests in {(time.perf_counter() - began) / 60:.0f} minutes, "
        f"deadline {options.deadline_seconds:g} s; {recording.times(seen)}",
        f"checkers: {', '.join(sorted(asker.checkers))}",
        f"memory of the server with its sandboxed processes: {before / MIB:.0f} MiB before, "
        f"{after / MIB:.0f} MiB after, {peak / MIB:.0f} MiB at most "
        f"(bound {MAX_PEAK_BYTES / MIB:.0f} MiB)",
        f"logged as errors: {recording.counted(logged) or 'nothing'}",
    )
    tables = [recording.answers_table(seen), recording.checks_table(seen)]
    if not options.corpus:
        tables.append(recording.conduct_table(seen))
    title = "the built-in set" if options.part == PARTS else f"only {' and '.join(options.part)}"
    if options.corpus:
        title = f"a corpus of {sum(kinds.values())} files"
    text = recording.section(title, facts, tables, found)
    console.print(text, markup=False, soft_wrap=True)
    if not options.dry_run:
        recording.append(text)
    if found:
        console.print(f"the server's log: {server.log}", markup=False)
    return 1 if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path, help="folder of files to send")
    parser.add_argument("--deadline-seconds", type=float, default=60.0)
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="only this, without a folder"
    )
    parser.add_argument("--dry-run", action="store_true", help="leave docs/robustness.md alone")
    options = parser.parse_args()
    if options.corpus and not options.corpus.is_dir():
        parser.error(f"{options.corpus} is no folder")
    options.part = options.part or PARTS
    return options


def _all(
    asker: Asker, options: argparse.Namespace, kinds: Counter[str], console: Console
) -> Iterator[Observation]:
    """Do all of it, a good request after each; stop where the server died."""
    yield asker.ask_good("the start")
    for step in _steps(asker, options, kinds):
        last: Observation | None = None
        for last in step:
            yield last
            _tell(console, last)
        if not asker.server.alive:
            return
        if last:
            good = replace(asker.ask_good(last.case), label=last.label and f"after {last.label}")
            _tell(console, good)
            yield good


def _steps(
    asker: Asker, options: argparse.Namespace, kinds: Counter[str]
) -> Iterator[Iterable[Observation]]:
    if options.corpus or "files" in options.part:
        for case in _corpus(options.corpus) if options.corpus else _built_in():
            kinds[media_types.sniff(case.content)] += 1
            yield [replace(o, label=case.label) for o in asker.ask_file(case.name, case.content)]
    if options.corpus:
        return
    picture = pictures.encoded(pictures.scene(), "JPEG")
    text_checker = asker.takers("text/plain")[0]
    if "requests" in options.part:
        good = submissions.Good(checker=text_checker, picture=picture)
        for name, message in submissions.make(good):
            yield [asker.ask(name, "request", message)]
    if "services" in options.part:
        yield from services.observe(asker.server, checker=text_checker, picture=picture)
    if "conduct" in options.part:
        target = misbehaving.Target(
            server=asker.server,
            text_checker=text_checker,
            picture_checkers=asker.takers("image/jpeg"),
        )
        ways = (*conduct.WAYS, *crowds.WAYS)
        yield from ([each] for each in misbehaving.observe(target, ways))


def _corpus(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:SHOWN_DIGITS]
            label = f"{media_types.sniff(content)} {digest}"
            yield Case(name=str(file.relative_to(folder)), label=label, content=content)


def _built_in() -> Iterator[Case]:
    for make in (pictures.make, papers.make):
        for name, content in make():
            yield Case(name=name, label=name, content=content)


def _ending(server: Server, own: Collection[str]) -> list[str]:
    """Stop the server and look at what it leaves behind; `own` are files that it brought along."""
    if not server.alive:
        return [f"the server died with {server.process.returncode}"]
    status = server.stop()
    wrong = [f"the server ended with {status}"] if status else []
    if submissions.REPORT[:40] in server.log.read_text(errors="replace"):
        wrong.append("a document's text is in the log")
    if strays := server.strays().difference(own):
        wrong.append(f"it wrote outside its folders: {_some(sorted(strays))}")
    return wrong


def _found(seen: Iterable[Observation], ending: Iterable[str]) -> list[str]:
    """Each defect with where it showed; those of one kind are told together."""
    places: dict[str, list[str]] = {}
    for each in seen:
        place = f"{each.label or each.case} ({each.way})"
        for defect in each.defects:
            places.setdefault(defect, []).append(place)
        if each.peak_bytes > MAX_PEAK_BYTES:
            places.setdefault("memory passed the bound", []).append(place)
    return [*ending, *(f"{defect}: {_some(where)}" for defect, where in places.items())]


def _some(places: Iterable[str]) -> str:
    """The first few places, and how many more there are."""
    distinct = list(dict.fromkeys(places))
    more = f"; and {len(distinct) - SHOWN_PLACES} more" if len(distinct) > SHOWN_PLACES else ""
    return "; ".join(distinct[:SHOWN_PLACES]) + more


def _tell(console: Console, seen: Observation) -> None:
    """Follow along; what went wrong is told at once."""
    if seen.defects or seen.way != "good":
        checks = ", ".join(f"{c.checker} {c.outcome} {c.reason}".strip() for c in seen.checks)
        console.print(
            f"{seen.seconds:6.1f} s {seen.peak_bytes / MIB:5.0f} MiB  {seen.case} ({seen.way}): "
            f"{seen.answer} {seen.reason or checks}",
            *seen.defects,
            sep="\n         ",
            style="red" if seen.defects else None,
            markup=False,
            soft_wrap=True,
        )


if __name__ == "__main__":
    sys.exit(main())
