"""A small policy that tests validate texts by."""

from __future__ import annotations

SHORT_TEXT = """\
policy: short-text
version: 1
title: {id: Teks, en: Text}
documents:
  report: {title: {id: Laporan, en: Report}, count: [1, 3], media_types: [text/plain]}
claims:
  number: {title: {id: Nomor, en: Number}, type: string}
checks:
  length: {documents: [report]}
rules:
  - rule: long
    each: result
    when: result.facts.length > 20
    decision: REVIEW
    message: {id: "panjang", en: "it is long"}
accepted: {id: Baik, en: Fine}
"""
"""A text of more than 20 characters is for a person to look at."""
