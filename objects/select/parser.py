"""Read a query of S3 Select by recursive descent. Pure.

What is read beyond AWS's own, as clients of other servers send it: `int(x)` and its like for casts, `stdin` for S3Object,
a text in double quotes that is no column, or a pattern of LIKE, as a constant, comparisons that are compared again, aliases
in expressions.
"""

from __future__ import annotations

from objects.select.cursor import UNSUPPORTED, Cursor
from objects.select.errors import SelectError
from objects.select.syntax import (
    Expression,
    Kind,
    Literal,
    Operation,
    Path,
    Projection,
    Query,
    Step,
    Token,
    tokenize,
)

DEPTH_MAX = 100
TYPES = {
    "INT": "BIGINT",
    "INTEGER": "BIGINT",
    "BIGINT": "BIGINT",
    "FLOAT": "DOUBLE",
    "DOUBLE": "DOUBLE",
    "REAL": "DOUBLE",
    "DECIMAL": "DECIMAL",
    "NUMERIC": "DECIMAL",
    "STRING": "VARCHAR",
    "CHAR": "VARCHAR",
    "CHARACTER": "VARCHAR",
    "VARCHAR": "VARCHAR",
    "BOOL": "BOOLEAN",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP",
}
AGGREGATES = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX"})
FUNCTIONS = {  # how many operands they take
    "CHAR_LENGTH": (1, 1),
    "CHARACTER_LENGTH": (1, 1),
    "LOWER": (1, 1),
    "UPPER": (1, 1),
    "COALESCE": (1, 100),
    "NULLIF": (2, 2),
    "UTCNOW": (0, 0),
    "TO_STRING": (2, 2),
    "TO_TIMESTAMP": (1, 1),
    "SUBSTRING": (2, 3),
}
PARTS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TIMEZONE_HOUR", "TIMEZONE_MINUTE"})
_RESERVED = UNSUPPORTED | {
    *("SELECT", "FROM", "WHERE", "LIMIT", "AS", "AND", "OR", "NOT", "IN", "IS", "LIKE", "BETWEEN", "ESCAPE"),
    *("CASE", "WHEN", "THEN", "ELSE", "END", "FOR"),
}


def parse_query(text: str) -> Query:
    """Read a query. Raises SelectError."""
    return _Parser(tokenize(text)).query()


class _Parser(Cursor):
    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self._depth = 0

    def query(self) -> Query:
        if not self.accept_word("SELECT"):
            raise SelectError("ParseUnexpectedToken", "The expression must begin with SELECT.")
        if self.next.is_word("DISTINCT"):
            raise self.unexpected("an expression")
        projections: list[Projection] = []
        if not self.accept("*"):
            projections.append(self._projection())
            while self.accept(","):
                projections.append(self._projection())
        if not self.accept_word("FROM"):
            raise SelectError("ParseSelectMissingFrom", "The expression lacks its FROM clause.")
        source, alias = self._source()
        condition = self._expression() if self.accept_word("WHERE") else None
        limit = self._limit() if self.accept_word("LIMIT") else None
        self.accept(";")
        if self.next.kind is not Kind.END:
            raise self.unexpected("the end")
        aliases = {one.alias.lower(): one.expression for one in projections if one.alias is not None}
        return Query(tuple(projections), source, alias, condition, limit, aliases)

    def _projection(self) -> Projection:
        expression = self._expression()
        if self.accept_word("AS"):
            return Projection(expression, self._name())
        token = self.next
        if token.kind is Kind.QUOTED or (token.kind is Kind.WORD and token.text.upper() not in _RESERVED):
            return Projection(expression, self._name())
        return Projection(expression)

    def _name(self) -> str:
        token = self.take()
        if token.kind not in {Kind.WORD, Kind.QUOTED} or not token.text:
            raise SelectError("ParseExpectedIdentForAlias", "An alias must be a name.")
        return token.text

    def _source(self) -> tuple[tuple[Step, ...], str | None]:
        if not self.accept_word("S3OBJECT", "STDIN"):
            raise SelectError("InvalidDataSource", "The data source must be S3Object.")
        steps: list[Step] = []
        while self.next.is_symbol(".", "["):
            steps.append(self._step())
        if self.accept_word("AS"):
            return tuple(steps), self._name()
        token = self.next
        if token.kind is Kind.WORD and token.text.upper() not in _RESERVED:
            return tuple(steps), self._name()
        return tuple(steps), None

    def _step(self) -> Step:
        if self.accept("."):
            token = self.take()
            if token.is_symbol("*"):
                return Step()
            if token.kind not in {Kind.WORD, Kind.QUOTED}:
                raise SelectError("ParseInvalidPathComponent", "A path goes on with a name after a dot.")
            return Step(token.text, is_quoted=token.kind is Kind.QUOTED)
        self.expect("[")
        token = self.take()
        self.expect("]")
        if token.is_symbol("*"):
            return Step()
        if token.kind is Kind.STRING:
            return Step(token.text, is_quoted=True)
        if token.kind is Kind.NUMBER and token.text.isdecimal():
            return Step(index=int(token.text))
        raise SelectError("ParseInvalidPathComponent", "Between brackets stands *, an index or a name.")

    def _limit(self) -> int:
        token = self.take()
        if token.kind is not Kind.NUMBER or not token.text.isdecimal():
            raise SelectError("ParseUnexpectedToken", "LIMIT takes a whole number.")
        return min(int(token.text), 1 << 62)

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise SelectError("UnsupportedSqlStructure", "The expression is nested too deeply.")
        left = self._conjunction()
        while self.accept_word("OR"):
            left = Operation("OR", (left, self._conjunction()))
        self._depth -= 1
        return left

    def _conjunction(self) -> Expression:
        left = self._negation()
        while self.accept_word("AND"):
            left = Operation("AND", (left, self._negation()))
        return left

    def _negation(self) -> Expression:
        count = 0
        while self.accept_word("NOT"):
            count += 1
        inner = self._comparison()
        return Operation("NOT", (inner,)) if count % 2 else inner

    def _comparison(self) -> Expression:
        left = self._concatenation()
        while True:
            if self.next.is_symbol("=", "!=", "<>", "<", "<=", ">", ">="):
                name = self.take().text
                left = Operation("!=" if name == "<>" else name, (left, self._concatenation()))
            elif self.accept_word("IS"):
                is_negated = self.accept_word("NOT")
                if not self.accept_word("NULL", "MISSING"):
                    raise self.unexpected("NULL or MISSING")
                left = _negated(Operation("IS NULL", (left,)), is_negated)
            elif self.next.is_word("IN", "LIKE", "BETWEEN", "NOT"):
                is_negated = self.accept_word("NOT")
                left = _negated(self._predicate(left), is_negated)
            else:
                return left

    def _predicate(self, left: Expression) -> Expression:
        if self.accept_word("IN"):
            self.expect("(")
            return Operation("IN", (left, *self._list()))
        if self.accept_word("BETWEEN"):
            low = self._concatenation()
            self.expect_word("AND")
            return Operation("BETWEEN", (left, low, self._concatenation()))
        self.expect_word("LIKE")
        pattern = self._concatenation()
        if self.accept_word("ESCAPE"):
            return Operation("LIKE", (left, pattern, self._concatenation()))
        return Operation("LIKE", (left, pattern))

    def _list(self) -> tuple[Expression, ...]:
        """Read expressions up to the closing bracket."""
        if self.accept(")"):
            return ()
        found = [self._expression()]
        while self.accept(","):
            found.append(self._expression())
        self.expect(")")
        return tuple(found)

    def _concatenation(self) -> Expression:
        left = self._sum()
        while self.accept("||"):
            left = Operation("||", (left, self._sum()))
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while self.next.is_symbol("+", "-"):
            left = Operation(self.take().text, (left, self._product()))
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while self.next.is_symbol("*", "/", "%"):
            left = Operation(self.take().text, (left, self._unary()))
        return left

    def _unary(self) -> Expression:
        count = 0
        while self.next.is_symbol("-", "+"):
            count += self.take().text == "-"
        inner = self._primary()
        return Operation("NEGATE", (inner,)) if count % 2 else inner

    def _primary(self) -> Expression:
        token = self.next
        if self.accept("("):
            inner = self._expression()
            self.expect(")")
            return inner
        if token.kind is Kind.NUMBER:
            self.take()
            return Literal(int(token.text)) if token.text.isdecimal() else Literal(token.text, is_float=True)
        if token.kind is Kind.STRING:
            self.take()
            return Literal(token.text)
        if token.kind is Kind.QUOTED:
            return self._path()
        if token.kind is not Kind.WORD or token.text.upper() in _RESERVED - {"CASE"}:
            raise self.unexpected("an expression")
        return self._word()

    def _word(self) -> Expression:
        if self.accept_word("TRUE"):
            return Literal(True)
        if self.accept_word("FALSE"):
            return Literal(False)
        if self.accept_word("NULL", "MISSING"):
            return Literal(None)
        if self.accept_word("CASE"):
            return self._case()
        if self._tokens[self._at + 1].is_symbol("("):
            return self._call()
        return self._path()

    def _path(self) -> Expression:
        token = self.take()
        steps = [Step(token.text, is_quoted=token.kind is Kind.QUOTED)]
        while self.next.is_symbol(".", "["):
            steps.append(self._step())
        return Path(tuple(steps))

    def _case(self) -> Expression:
        """CASE [value] WHEN … THEN … [ELSE …] END: operands are pairs, and last what else."""
        value = None if self.next.is_word("WHEN") else self._expression()
        operands: list[Expression] = []
        while self.accept_word("WHEN"):
            when = self._expression()
            self.expect_word("THEN")
            operands += [when if value is None else Operation("=", (value, when)), self._expression()]
        if not operands:
            raise self.unexpected("WHEN")
        operands.append(self._expression() if self.accept_word("ELSE") else Literal(None))
        self.expect_word("END")
        return Operation("CASE", tuple(operands))

    def _call(self) -> Expression:
        name = self.take().text.upper()
        self.expect("(")
        if name in {"DATE_ADD", "DATE_DIFF"}:
            return self._date(name)
        special = {
            "CAST": self._cast,
            "EXTRACT": self._extract,
            "TRIM": self._trim,
            "SUBSTRING": self._substring,
        }.get(name)
        if special is not None:
            return special()
        if name == "COUNT" and self.accept("*"):
            self.expect(")")
            return Operation("COUNT", (Literal(0),))
        operands = self._list()
        if name in TYPES or name in AGGREGATES:
            fewest, most = 1, 1
        elif name in FUNCTIONS:
            fewest, most = FUNCTIONS[name]
        else:
            raise SelectError("UnsupportedFunction", f"There is no function {name}.")
        if not fewest <= len(operands) <= most:
            raise SelectError("EvaluatorInvalidArguments", f"{name} takes another number of arguments.")
        if name in TYPES:
            return Operation("CAST", operands, TYPES[name])
        return Operation(name, operands)

    def _cast(self) -> Expression:
        inner = self._expression()
        self.expect_word("AS")
        name = self.take().text.upper()
        if name not in TYPES:
            raise SelectError("InvalidDataType", f"There is no data type {name}.")
        detail = TYPES[name]
        if self.accept("("):
            sizes = [self._limit()]
            while self.accept(","):
                sizes.append(self._limit())
            self.expect(")")
            if detail == "DECIMAL" and len(sizes) <= 2 and sizes[0] <= 38 and sizes[-1] <= sizes[0]:
                detail = f"DECIMAL({', '.join(map(str, sizes))})"
        elif detail == "DECIMAL":
            detail = "DECIMAL(38, 10)"
        self.expect(")")
        return Operation("CAST", (inner,), detail)

    def _part(self) -> str:
        token = self.take()
        if not token.is_word(*PARTS):
            raise SelectError("ParseExpectedDatePart", "A part of a date is expected, such as YEAR.")
        return token.text.upper()

    def _extract(self) -> Expression:
        part = self._part()
        self.expect_word("FROM")
        inner = self._expression()
        self.expect(")")
        return Operation("EXTRACT", (inner,), part)

    def _date(self, name: str) -> Expression:
        part = self._part()
        self.expect(",")
        operands = self._list()
        if len(operands) != 2:
            raise SelectError("EvaluatorInvalidArguments", f"{name} takes a part of a date and two arguments.")
        return Operation(name, operands, part)

    def _trim(self) -> Expression:
        where = "BOTH"
        if self.next.is_word("LEADING", "TRAILING", "BOTH"):
            where = self.take().text.upper()
        characters: Expression = Literal(" ")
        if not self.accept_word("FROM"):
            first = self._expression()
            if not self.accept_word("FROM"):
                self.expect(")")
                return Operation("TRIM", (first, characters), where)
            characters = first
        inner = self._expression()
        self.expect(")")
        return Operation("TRIM", (inner, characters), where)

    def _substring(self) -> Expression:
        operands = [self._expression()]
        if self.accept_word("FROM"):
            operands.append(self._expression())
            if self.accept_word("FOR"):
                operands.append(self._expression())
            self.expect(")")
        else:
            self.expect(",")
            operands += self._list()
        if len(operands) not in {2, 3}:
            raise SelectError(
                "EvaluatorInvalidArguments", "SUBSTRING takes a text, where it begins and how long it is."
            )
        return Operation("SUBSTRING", tuple(operands))


def _negated(expression: Expression, is_negated: bool) -> Expression:  # noqa: FBT001  a flag of the grammar
    return Operation("NOT", (expression,)) if is_negated else expression
