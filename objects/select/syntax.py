"""The syntax of S3 Select's SQL: tokens, and what an expression may be. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from objects.select.errors import SelectError

EXPRESSION_BYTES_MAX = 256 * 1024

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    | (?P<symbol>\|\||<>|!=|<=|>=|[-+*/%=<>(),.;\[\]])
    )""",
    re.VERBOSE,
)


class Kind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    STRING = "string"
    QUOTED = "quoted"
    WORD = "word"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token; the text of strings and quoted names is without quotes."""

    kind: Kind
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        """Say whether this is one of the keywords."""
        return self.kind is Kind.WORD and self.text.upper() in words

    def is_symbol(self, *symbols: str) -> bool:
        """Say whether this is one of the symbols."""
        return self.kind is Kind.SYMBOL and self.text in symbols


def tokenize(text: str) -> list[Token]:
    """Split an expression. Raises LexerInvalidChar, ExpressionTooLong."""
    if len(text.encode()) > EXPRESSION_BYTES_MAX:
        raise SelectError("ExpressionTooLong", "The SQL expression is longer than 256 KiB.")
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise SelectError("LexerInvalidChar", f"Invalid character at position {position + 1} of the expression.")
        kind = Kind(match.lastgroup or "")
        word = match[match.lastgroup or ""]
        if kind is Kind.STRING:
            word = word[1:-1].replace("''", "'")
        elif kind is Kind.QUOTED:
            word = word[1:-1].replace('""', '"')
        tokens.append(Token(kind, word, match.start(match.lastgroup or "")))
        position = match.end()
    return [*tokens, Token(Kind.END, "", end)]


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: int, float (as text), str, bool or None."""

    value: int | str | bool | None
    is_float: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path: a name, an index, or (both None) all elements."""

    name: str | None = None
    index: int | None = None
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A column, and what is within it."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or function with its operands; the name in upper case."""

    name: str
    operands: tuple[Expression, ...]
    detail: str = ""


Expression = Literal | Path | Operation


@dataclass(frozen=True, slots=True)
class Projection:
    """One output column; without an alias it is named by what it is."""

    expression: Expression
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; no projections mean all of a record."""

    projections: tuple[Projection, ...]
    source: tuple[Step, ...] = ()
    source_alias: str | None = None
    condition: Expression | None = None
    limit: int | None = None
    aliases: dict[str, Expression] = field(default_factory=dict)
