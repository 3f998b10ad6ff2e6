"""Read a form: the names and values of a request, and from its dotted names a tree."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from s3protocol.query import errors

FORM_BYTES_MAX: Final = 1 << 20
FIELDS_MAX: Final = 5_000
DEPTH_MAX: Final = 12

# What carries no member of the input: the action, and signatures in the query.
_COMMON: Final = frozenset({"Action", "Version", "AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion"})
_COMMON_PREFIX: Final = "X-Amz-"

Tree = dict[str, Any]
"""Names to texts or further trees."""


def read_form(text: str | bytes) -> dict[str, str]:
    """Decode a form; of equal names the last wins. Raises MalformedQueryString."""
    try:
        source = text if isinstance(text, str) else text.decode("ascii")
        pairs = parse_qsl(source, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise errors.MalformedQueryString from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise errors.MalformedQueryString
    return dict(pairs)


def tree_of(form: dict[str, str]) -> Tree:
    """Nest a form by the dots of its names. Raises MalformedQueryString for one that names a value and parts of it."""
    tree: Tree = {}
    for name, value in form.items():
        if name in _COMMON or name.startswith(_COMMON_PREFIX):
            continue
        *parents, last = name.split(".")
        if len(parents) > DEPTH_MAX:
            raise errors.MalformedQueryString
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
            if not isinstance(branch, dict):
                raise errors.MalformedQueryString
        if isinstance(branch.get(last), dict):
            raise errors.MalformedQueryString
        branch[last] = value
    return tree
