"""Say how alike the outputs of two versions of a model are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from absah_sdk.checking import Array
from absah_server.core.models import Agreement

ABSOLUTE_TOLERANCE = 1e-3
RELATIVE_TOLERANCE = 1e-2


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One output of one request; None where the two have different shapes or kinds.

    `largest` and `total` are of |a - b| over `elements`; `within` says whether each is at most
    the absolute tolerance and the relative tolerance of |a|. Of `rows` along the last axis, where
    there is more than one element in it, `same_argmax` have the largest at the same place. Words
    and truth values differ by 0 or 1.
    """

    within: bool
    elements: int
    largest: float
    total: float
    rows: int
    same_argmax: int


def plus(agreement: Agreement, difference: Difference | None) -> Agreement:
    """The agreement with one more request."""
    if difference is None:
        return replace(agreement, different_shapes=agreement.different_shapes + 1)
    return replace(
        agreement,
        requests=agreement.requests + 1,
        within=agreement.within + difference.within,
        elements=agreement.elements + difference.elements,
        largest=max(agreement.largest, difference.largest),
        total=agreement.total + difference.total,
        rows=agreement.rows + difference.rows,
        same_argmax_rows=agreement.same_argmax_rows + difference.same_argmax,
    )


def compare(
    current: Mapping[str, Array],
    candidate: Mapping[str, Array],
    *,
    absolute: float = ABSOLUTE_TOLERANCE,
    relative: float = RELATIVE_TOLERANCE,
) -> dict[str, Difference | None]:
    """Compare the outputs by name; what only one of the two has counts as a different shape."""
    names = [*current, *(name for name in candidate if name not in current)]
    return {
        name: _difference(current[name], candidate[name], absolute, relative)
        if name in current and name in candidate
        else None
        for name in names
    }


def _difference(a: Array, b: Array, absolute: float, relative: float) -> Difference | None:
    if a.shape != b.shape or _is_number(a) != _is_number(b):
        return None
    if _is_number(a):
        with np.errstate(invalid="ignore"):  # infinities of one sign, which are the same
            distances = np.abs(a.astype(np.float64) - b.astype(np.float64))
        allowed = absolute + relative * np.abs(a.astype(np.float64))
        allowed = np.where(np.isfinite(allowed), allowed, 0.0)
    else:
        distances = (a != b).astype(np.float64)
        allowed = np.zeros(a.shape)
    # NaN on one side alone is as far off as can be; infinities of one sign are the same.
    distances = np.where(_same(a, b), 0.0, np.nan_to_num(distances, nan=np.inf))
    rows, same = _argmax(a, b)
    return Difference(
        within=bool((distances <= allowed).all()),
        elements=int(distances.size),
        largest=float(distances.max(initial=0.0)),
        total=float(distances.sum()),
        rows=rows,
        same_argmax=same,
    )


def _same(a: Array, b: Array) -> Array:
    same = np.asarray(a == b)
    if np.issubdtype(a.dtype, np.floating) and np.issubdtype(b.dtype, np.floating):
        same |= np.isnan(a) & np.isnan(b)
    return same


def _is_number(array: Array) -> bool:
    return bool(np.issubdtype(array.dtype, np.number))


def _argmax(a: Array, b: Array) -> tuple[int, int]:
    if not np.issubdtype(a.dtype, np.floating) or a.ndim < 2 or a.shape[-1] < 2 or not a.size:
        return 0, 0
    same = a.argmax(axis=-1) == b.argmax(axis=-1)
    return int(same.size), int(same.sum())
