"""RapidOCR called directly: reads pages again and again, and tells how many a second it reads.

Runs in an environment of its own, with the pages' folder as its argument; a line on standard input
starts a round, whose pages a second are printed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from rapidocr import RapidOCR

engine = RapidOCR(params={"Global.log_level": "error"})
pages = [file.read_bytes() for file in sorted(Path(sys.argv[1]).iterdir())]
print("ready", flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    for content in pages:
        engine(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR))
    print(len(pages) / (time.perf_counter() - began), flush=True)
