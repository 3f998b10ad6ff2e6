"""How commands are told of a Django storage: its class and its options, secret ones from files or the environment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from chunks.stores.django_storage.options import StoreOptions, build_options, is_secret


def add_storage_arguments(parser: CommandParser) -> None:
    """Declare `--storage` and the options that go with it."""
    parser.add_argument(
        "--storage",
        metavar="CLASS",
        help="a Django storage class by its dotted path: storages.backends.s3.S3Storage",
    )
    add_option_arguments(parser)


def add_option_arguments(parser: CommandParser) -> None:
    """Declare the options alone."""
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an argument of the storage class, as JSON or text; a.b=c is a member of a mapping",
    )
    parser.add_argument(
        "--option-file",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="a secret argument, read from a file now and kept sealed",
    )
    parser.add_argument(
        "--option-env",
        metavar="NAME=VARIABLE",
        action="append",
        default=[],
        help="a secret argument that each process reads from OBJSTORE_NODE_SECRET_VARIABLE",
    )


def storage_options(options: Mapping[str, Any]) -> StoreOptions:
    """Return what the arguments say; CommandError."""
    try:
        secret = {name: Path(path).read_text().rstrip("\r\n") for name, path in _pairs(options["option_file"])}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--option-file: {error}") from error
    given = {name: _parsed(name, text) for name, text in _pairs(options["option"])}
    return build_options(given, secret, dict(_pairs(options["option_env"])))


def _pairs(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise CommandError("an option is NAME=VALUE")  # the text is not repeated: it may be a secret
        yield name, value


def _parsed(name: str, text: str) -> Any:
    """Return a value: JSON where it is true, false, null, a number, a list or a mapping, else the text as it is."""
    if is_secret(name, text):
        return text  # a password of digits is no number
    try:
        return json.loads(text)
    except ValueError:
        return text
