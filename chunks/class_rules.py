"""What a storage class may be, for forms, commands and constraints alike."""

import re

from django.core.exceptions import ValidationError

from chunks.default_schemes import AUTOMATIC
from chunks.erasure import parse_scheme
from chunks.errors import UnknownScheme

CHUNK_BYTES_MIN = 64 * 1024
CHUNK_BYTES_MAX = 128 * 1024 * 1024  # what readers count on when they look for an extent
FRAGMENT_COUNT_MAX = 20

_NAME = re.compile(r"[A-Z][A-Z0-9_-]{0,63}")


def validate_class_name(name: str) -> None:
    """Raise ValidationError for what no x-amz-storage-class header should say."""
    if not _NAME.fullmatch(name):
        raise ValidationError("a class is named like STANDARD_IA: capitals, digits, underscores, up to 64")


def validate_scheme(text: str) -> None:
    """Raise ValidationError for what is neither a scheme of up to 20 fragments nor automatic."""
    if text == AUTOMATIC:
        return
    try:
        scheme = parse_scheme(text)
    except UnknownScheme as error:
        raise ValidationError(str(error)) from error
    if scheme.fragment_count > FRAGMENT_COUNT_MAX:
        raise ValidationError(f"{text} has more than {FRAGMENT_COUNT_MAX} fragments")
