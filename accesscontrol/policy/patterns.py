"""Wildcard patterns of policies: `*`, `?` and variables like `${aws:username}`.

A pattern is cut at its stars into segments of fixed shape. The first must begin the text, the last must end it, the
others are searched from left to right; taking the leftmost match of each is right for wildcards and needs no
backtracking, so that no pattern makes a match slow. What a variable stands for is taken literally: a user called `*`
matches only itself. Variables: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

COMPILED_PATTERNS_MAX = 10_000

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_WILDCARD = re.compile(r"[*?]")
_LITERALS = {"*": "*", "?": "?", "$": "$"}
_DEFAULT = re.compile(r"\s*([^,]+?)\s*,\s*'([^']*)'\s*")


class PatternError(ValueError):
    """A pattern holds a variable that cannot be."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a pattern that the request fills in. `name` is a normalized condition key."""

    name: str
    default: str | None


Piece = str | Variable | None
"""Text that stands for itself, a variable, or (None) any one character."""

Segments = tuple[tuple[Piece, ...], ...]
"""What stands between the stars of a pattern."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. `literal` is set where the pattern is plain text, `prefix` where one star ends plain text.

    Everything that the pattern matches begins with `fixed_prefix`.
    """

    text: str
    segments: Segments
    is_caseless: bool = False
    fixed_prefix: str = ""
    literal: str | None = None
    prefix: str | None = None
    compiled: tuple[re.Pattern[str], ...] | None = field(default=None, compare=False, repr=False)

    @property
    def has_wildcards(self) -> bool:
        """Whether the pattern can match more than one text: it has wildcards or variables."""
        return self.literal is None

    def matches(self, text: str, context: Mapping[str, tuple[str, ...]]) -> bool:
        """Say whether the pattern matches a text. A variable without a value matches nothing."""
        if self.is_caseless:
            text = text.lower()
        if self.literal is not None:
            return text == self.literal
        if self.prefix is not None:
            return text.startswith(self.prefix)
        if not text.startswith(self.fixed_prefix):
            return False
        compiled = self.compiled
        if compiled is None:
            resolved = _resolved(self.segments, context)
            if resolved is None:
                return False
            compiled = _compile(resolved, is_caseless=self.is_caseless)
        return _matches_segments(compiled, text)


def compile_text(text: str, *, is_caseless: bool = False) -> Pattern:
    """Compile a text with variables in which wildcards stand for themselves. Raises PatternError."""
    escaped, position = [], 0
    for found in _VARIABLE.finditer(text):
        escaped += [_WILDCARD.sub(r"${\g<0>}", text[position : found.start()]), found[0]]
        position = found.end()
    escaped.append(_WILDCARD.sub(r"${\g<0>}", text[position:]))
    return compile_pattern("".join(escaped), has_variables=True, is_caseless=is_caseless)


def compile_pattern(text: str, *, has_variables: bool, is_caseless: bool = False) -> Pattern:
    """Compile a pattern. Raises PatternError."""
    segments = _parse(text, has_variables=has_variables)
    literal = prefix = compiled = None
    if not any(isinstance(piece, Variable) for segment in segments for piece in segment):
        compiled = _compile(segments, is_caseless=is_caseless)
        texts = ["".join(segment) for segment in segments if None not in segment]  # type: ignore[arg-type]
        if is_caseless:
            texts = [part.lower() for part in texts]
        if len(segments) == 1 and len(texts) == 1:
            literal = texts[0]
        elif len(segments) == 2 and len(texts) == 2 and texts[1] == "":
            prefix = texts[0]
    fixed = segments[0][0] if segments[0] and isinstance(segments[0][0], str) else ""
    return Pattern(text, segments, is_caseless, fixed.lower() if is_caseless else fixed, literal, prefix, compiled)


def _parse(text: str, *, has_variables: bool) -> Segments:
    segments: list[list[Piece]] = [[]]
    position = 0
    for found in _VARIABLE.finditer(text) if has_variables else ():
        _parse_plain(text[position : found.start()], segments)
        segments[-1].append(_parse_variable(found[1]))
        position = found.end()
    _parse_plain(text[position:], segments)
    return tuple(tuple(_joined(segment)) for segment in segments)


def _parse_plain(text: str, segments: list[list[Piece]]) -> None:
    for part in re.split(r"([*?])", text):
        if part == "*":
            segments.append([])
        elif part == "?":
            segments[-1].append(None)
        elif part:
            segments[-1].append(part)


def _parse_variable(inner: str) -> Piece:
    if inner in _LITERALS:
        return inner
    default = None
    with_default = _DEFAULT.fullmatch(inner)
    name = inner.strip()
    if with_default is not None:
        name, default = with_default[1], with_default[2]
    service, _, tag = name.partition("/")  # a tag's key may hold spaces
    if ":" not in service or any(character in service for character in "*?$ ") or any(sign in tag for sign in "*?$"):
        raise PatternError(f"${{{inner}}} is no policy variable")
    return Variable(name.lower(), default)


def _joined(segment: Sequence[Piece]) -> list[Piece]:
    """Join neighbouring texts."""
    joined: list[Piece] = []
    for piece in segment:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _resolved(segments: Segments, context: Mapping[str, tuple[str, ...]]) -> Segments | None:
    """Fill in the variables; None when one has not exactly one value and no default."""
    resolved = []
    for segment in segments:
        filled: list[Piece] = []
        for piece in segment:
            if isinstance(piece, Variable):
                values = context.get(piece.name, ())
                if len(values) != 1 and piece.default is None:
                    return None
                filled.append(values[0] if len(values) == 1 else piece.default)
            else:
                filled.append(piece)
        resolved.append(tuple(filled))
    return tuple(resolved)


@lru_cache(maxsize=COMPILED_PATTERNS_MAX)
def _compile(segments: Segments, *, is_caseless: bool) -> tuple[re.Pattern[str], ...]:
    """Compile segments: texts and single characters only, so that a match has one length and no choices."""
    sources = ["".join("." if piece is None else re.escape(str(piece)) for piece in segment) for segment in segments]
    if is_caseless:
        sources = [source.lower() for source in sources]
    sources[-1] += r"\Z"
    return tuple(re.compile(source, re.DOTALL) for source in sources)


def _matches_segments(segments: tuple[re.Pattern[str], ...], text: str) -> bool:
    first = segments[0].match(text)
    if first is None:
        return False
    position = first.end()
    for segment in segments[1:]:
        found = segment.search(text, position)
        if found is None:
            return False
        position = found.end()
    return True
