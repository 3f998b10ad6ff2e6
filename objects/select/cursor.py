"""The tokens of a query, one after the other. Pure."""

from __future__ import annotations

from objects.select.errors import SelectError
from objects.select.syntax import Kind, Token

UNSUPPORTED = frozenset({"GROUP", "ORDER", "HAVING", "JOIN", "UNION", "OFFSET", "DISTINCT"})


class Cursor:
    """A place among the tokens of a query, and what may stand there."""

    def __init__(self, tokens: list[Token]) -> None:
        """Begin at the first."""
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token:
        """The token here."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """Go past a token; the end stays where it is."""
        token = self._tokens[self._at]
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def accept_word(self, *words: str) -> bool:
        """Go past one of these words, if it is here."""
        if self.next.is_word(*words):
            self.take()
            return True
        return False

    def accept(self, symbol: str) -> bool:
        """Go past a symbol, if it is here."""
        if self.next.is_symbol(symbol):
            self.take()
            return True
        return False

    def expect(self, symbol: str) -> None:
        """Go past a symbol. Raises SelectError."""
        if not self.accept(symbol):
            raise self.unexpected(f"'{symbol}'")

    def expect_word(self, word: str) -> None:
        """Go past a word. Raises SelectError."""
        if not self.accept_word(word):
            raise self.unexpected(word)

    def unexpected(self, wanted: str) -> SelectError:
        """Return what is wrong here."""
        token = self.next
        if token.is_word(*UNSUPPORTED):
            return SelectError("UnsupportedSyntax", f"{token.text.upper()} is not supported.")
        found = f"'{token.text}'" if token.text else "the end"
        return SelectError(
            "ParseUnexpectedToken",
            f"Expected {wanted} at position {token.position + 1} of the expression, found {found}.",
        )
