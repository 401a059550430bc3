"""Tell what a schema (XSD) complains of, without the values that it complains about."""

from __future__ import annotations

import re
from typing import Any

import xmlschema

RULES = {
    "XsdPatternFacets": "its pattern",
    "XsdEnumerationFacets": "its list of values",
    "XsdMaxLengthFacet": "its greatest length",
    "XsdMinLengthFacet": "its least length",
    "XsdLengthFacet": "its length",
    "XsdMaxInclusiveFacet": "its greatest value",
    "XsdMinInclusiveFacet": "its least value",
    "XsdTotalDigitsFacet": "its number of digits",
}


def reason(error: Any) -> str:
    """The schema's complaint without the value that it is about.

    Only texts that come from the schema and from names of its own are repeated.
    """
    kind = type(getattr(error, "validator", None)).__name__
    reason = str(error.reason or "").splitlines()[0] if error.reason else ""
    if isinstance(error, xmlschema.XMLSchemaChildrenValidationError):
        names = (getattr(each, "local_name", None) for each in error.expected or ())
        expected = [name for name in names if name]
        wanted = f"; expected is {' or '.join(expected[:6])}" if expected else ""
        return f"what it holds is not what the schema says{wanted}"
    if missing := re.match(r"missing required attribute '([\w.:-]{1,64})'", reason):
        return f"the attribute {missing[1]} is missing"
    if "attribute" in reason:
        return "an attribute does not fit the schema"
    return f"does not fit the schema ({RULES.get(kind, 'its type')})"
