"""Who calls, said oddly: the metadata that names tenant and client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calling import Call, Metadata
from methods import Method
from possessions import OWNER, Possessions

REFUSED = frozenset({"INVALID_ARGUMENT INVALID_REQUEST"})
KEYS = ("absah-tenant", "absah-client")
ODD = (
    ("that is empty", ""),
    ("of a blank", " "),
    ("of 65 letters", "a" * 65),
    ("of 4 kB", "a" * 4096),
    ("with a path", "../../etc"),
    ("that is a statement", "' or ''='"),
    ("with a comma", f"{OWNER},other"),
)


def calls(methods: Sequence[Method], held: Possessions) -> Iterator[Call]:
    """Each method that tells tenants apart, called by who cannot be told from others."""
    for method in methods:
        if method.service in ("CheckerService", "PolicyService") or _is_of_models(method):
            continue
        for case, metadata in _odd():
            yield Call(
                case=case,
                method=method,
                messages=[held.good(method)],
                metadata=metadata,
                expected=REFUSED,
            )


def _is_of_models(method: Method) -> bool:
    """All tenants share the models; who looks at them is not asked."""
    return "Model" in method.name or method.name in ("SetRollout", "GetShadowReport")


def _odd() -> Iterator[tuple[str, Metadata]]:
    for key in KEYS:
        for name, value in ODD:
            yield f"{key} {name}", [(key, value)]
        yield f"{key} twice", [(key, "a"), (key, "b")]
