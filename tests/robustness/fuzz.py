"""Fuzz the decoders and the wire: `fuzz.py [--seconds 60] [--seed N] [CORPUS]`.

Half of the time goes to files for the sandboxed decoders, half to requests of all methods of a
running server, both mutated from good ones. A file may be refused, and may bring down the process
that reads it; a request may be refused for a reason. Anything else is a defect, kept with what
brought it about.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import papers
import pictures
import recording
import submissions
import wire
from mutating import Mutator
from PIL import Image
from rich.console import Console

from absah_sdk import DocumentUnreadable
from absah_server.decode import media_types, text
from absah_server.decode.limits import DecodeLimits
from absah_server.decode.sandbox import ProcessSandbox

JOBS = 3
LONGEST_SEED_BYTES = 300_000
FORMS = (
    *(("JPEG", {"progressive": True}), ("JPEG", {"quality": 70}), ("PNG", {}), ("BMP", {})),
    *(("WEBP", {}), ("WEBP", {"lossless": True}), ("GIF", {}), ("PDF", {})),
    *(("TIFF", {"compression": c}) for c in ("tiff_lzw", "jpeg", "packbits", "group4")),
)
CRASHED = ("crash", "harm")
"""Words of the reasons that are given where a decoder fell."""


@dataclass(kw_only=True, slots=True)
class Findings:
    """What came of the variants, and the first variant for each defect."""

    folder: Path
    outcomes: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)

    def defect(self, what: str, content: bytes) -> None:
        """Count a defect and keep what brought it about, once a kind."""
        if not self.defects[what]:
            name = f"{len(self.defects):02}-{re.sub(r'[^a-z]+', '-', what.lower())[:60]}"
            (self.folder / name).write_bytes(content)
        self.defects[what] += 1


def main() -> int:
    options = _options()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="absah-fuzz-"))
    files, requests = Findings(folder=folder), Findings(folder=folder)
    randomness = random.Random(options.seed)
    seeds = [*_files(), *_of_corpus(options.corpus)]
    asyncio.run(_fuzz_files(Mutator(seeds, randomness), options.seconds / 2, files))
    wire.fuzz(randomness, options.seconds / 2, requests)
    found = [
        f"{what} × {count}" for each in (files, requests) for what, count in each.defects.items()
    ]
    facts = (
        f"{sum(files.outcomes.values())} variants of {len(seeds)} files, "
        f"{sum(requests.outcomes.values())} variants of requests, seed {options.seed}",
    )
    tables = [
        recording.table(("what came of it", "times"), _rows(each.outcomes))
        for each in (files, requests)
    ]
    title = f"fuzzing for {options.seconds:g} s"
    section = recording.section(title, facts, tables, found)
    console.print(section, markup=False, soft_wrap=True)
    if not options.dry_run:
        recording.append(section)
    if found:
        console.print(f"kept in {folder}", markup=False)
    return 1 if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path, help="folder of further files to mutate")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--dry-run", action="store_true", help="leave docs/robustness.md alone")
    return parser.parse_args()


def _files() -> Iterator[bytes]:
    """Small good files of every kind that is decoded, and texts."""
    scene = pictures.scene(60, 40)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Absah"
    for form, options in FORMS:
        image = scene.convert("1") if options.get("compression") == "group4" else scene
        yield pictures.encoded(image, form, **options)
    yield pictures.encoded(scene, "JPEG", exif=exif.tobytes())
    yield pictures.encoded(scene, "PNG", exif=exif.tobytes())
    yield pictures.tiff(3)
    frames = [scene.rotate(turn) for turn in (0, 90, 180)]
    for form in ("GIF", "WEBP", "PNG", "TIFF"):
        file = io.BytesIO()
        frames[0].save(file, form, save_all=True, append_images=frames[1:])
        yield file.getvalue()
    words = b"BT /F1 12 Tf 20 50 Td (Surat Tugas) Tj ET 0 0 50 50 re f"
    yield from (papers.pdf(pages, content=words) for pages in (1, 3))
    yield from (submissions.REPORT.encode(code) for code in ("utf-8", "utf-16", "cp1252"))


def _of_corpus(folder: Path | None) -> Iterator[bytes]:
    for file in sorted(folder.rglob("*")) if folder else ():
        if file.is_file() and file.stat().st_size < LONGEST_SEED_BYTES:
            content = file.read_bytes()
            if media_types.refusal(media_types.sniff(content)) is None:
                yield content


async def _fuzz_files(mutator: Mutator, seconds: float, findings: Findings) -> None:
    sandbox = ProcessSandbox(DecodeLimits(cpu_seconds=5), workers=2)
    await sandbox.start()
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    good = pictures.encoded(pictures.scene(60, 40), "JPEG")

    async def work() -> None:
        while loop.time() < end:
            seed, content = mutator.variant()
            await _decode(sandbox, seed, content, findings)

    await asyncio.gather(*(work() for _ in range(JOBS)))
    try:
        await sandbox.decode(good, "image/jpeg", deadline=loop.time() + 60)
    except Exception as exc:
        findings.defect(f"afterwards a good picture is {type(exc).__name__}", good)
    await sandbox.close()


async def _decode(sandbox: ProcessSandbox, seed: bytes, content: bytes, findings: Findings) -> None:
    """Read a variant as what it looks like and as what it came from."""
    for media_type in sorted({media_types.sniff(seed), _sniffed(content, findings)}):
        deadline = asyncio.get_running_loop().time() + 60
        try:
            if media_type == media_types.TEXT:
                text.decode(content, DecodeLimits())
            else:
                (await sandbox.decode(content, media_type, deadline=deadline)).release()
            findings.outcomes[f"{media_type}: read"] += 1
        except DocumentUnreadable as exc:
            fell = any(word in str(exc) for word in CRASHED)
            findings.outcomes[f"{media_type}: {'decoder fell' if fell else 'refused'}"] += 1
        except Exception as exc:
            findings.defect(f"decoding {media_type} raised {type(exc).__name__}", content)


def _sniffed(content: bytes, findings: Findings) -> str:
    try:
        return media_types.sniff(content)
    except Exception as exc:
        findings.defect(f"sniffing raised {type(exc).__name__}", content)
        return media_types.UNKNOWN


def _rows(counts: Counter[str]) -> Iterable[tuple[str, str]]:
    return [(name, str(count)) for name, count in sorted(counts.items())]


if __name__ == "__main__":
    sys.exit(main())
