"""Turn a query into DuckDB's SQL over a relation `record`. Pure.

Theory. Records of CSV are texts, those of JSON are JSON values, those of Parquet have types. Every expression is emitted
with the type that it has (`Typed`); where an operator wants another one the operand is converted: compared with a number, a
text is read as one, and is NULL if it is none, as S3 Select compares nothing with it. Conversions that the query asks for
by CAST raise instead. Nothing of the query reaches DuckDB but what is emitted here: names as columns that exist, constants
quoted, operators and functions from a closed list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from objects.select.errors import SelectError
from objects.select.parser import AGGREGATES
from objects.select.syntax import Expression, Literal, Operation, Path, Query, Step
from objects.select.times import TIMES, time_format

ALIAS_DEPTH_MAX = 20


class Type(StrEnum):
    """What an expression yields."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    JSON = "json"
    NULL = "null"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Typed:
    """DuckDB's SQL of an expression and what it yields."""

    sql: str
    type: Type


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a record and their types; `is_json`: one column `r` that holds a JSON value."""

    columns: Mapping[str, Type]
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class Translated:
    """A statement for DuckDB and the names of what it yields; none for whole records."""

    statement: str
    names: tuple[str, ...]
    is_whole: bool


def quoted(name: str) -> str:
    """Render a name as DuckDB's."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Render a constant text."""
    return "'" + value.replace("'", "''") + "'"


def translate(query: Query, schema: Schema, *, source: str, now: str) -> Translated:
    """Return the statement that answers a query from a relation; `now` is UTCNOW(). Raises SelectError."""
    emitter = _Emitter(query, schema, now)
    names = tuple(_name_of(one.expression, one.alias, number) for number, one in enumerate(query.projections, 1))
    if query.projections:
        shown = ", ".join(f"{emitter.emit(one.expression).sql} AS c{i}" for i, one in enumerate(query.projections))
    else:
        shown = "r" if schema.is_json else ", ".join(quoted(name) for name in schema.columns)
        names = () if schema.is_json else tuple(schema.columns)
    where = "" if query.condition is None else f" WHERE {emitter.boolean(emitter.emit(query.condition))}"
    limit = "" if query.limit is None else f" LIMIT {query.limit}"
    return Translated(f"SELECT {shown} FROM {source} AS record{where}{limit}", names, not query.projections)  # noqa: S608


def referenced_columns(query: Query) -> int:
    """Return the highest number of a column `_N` that a query names."""
    highest = 0
    waiting: list[Expression] = [one.expression for one in query.projections]
    if query.condition is not None:
        waiting.append(query.condition)
    while waiting:
        one = waiting.pop()
        if isinstance(one, Operation):
            waiting.extend(one.operands)
        elif isinstance(one, Path):
            for step in one.steps[:2]:
                name = step.name or ""
                if name.startswith("_") and name[1:].isdecimal() and len(name) < 8:
                    highest = max(highest, int(name[1:]))
    return highest


def _name_of(expression: Expression, alias: str | None, number: int) -> str:
    if alias is not None:
        return alias
    if isinstance(expression, Path) and expression.steps[-1].name is not None:
        return expression.steps[-1].name
    return f"_{number}"


class _Emitter:
    def __init__(self, query: Query, schema: Schema, now: str) -> None:
        self._schema = schema
        self._now = now
        self._aliases = query.aliases
        self._sources = {"s3object", "stdin"} | ({query.source_alias.lower()} if query.source_alias else set())
        self._by_lower = {name.lower(): name for name in schema.columns}
        self._alias_depth = 0

    def emit(self, expression: Expression) -> Typed:
        """Return an expression's SQL."""
        if isinstance(expression, Literal):
            return _literal(expression)
        if isinstance(expression, Path):
            return self._path(expression)
        return self._operation(expression)

    # Names

    def _path(self, path: Path) -> Typed:
        steps = path.steps
        if len(steps) > 1 and (steps[0].name or "").lower() in self._sources:
            steps = steps[1:]
        found = self._json_path(path, steps) if self._schema.is_json else self._column(steps)
        if found is not None:
            return found
        first = steps[0]
        alias = self._aliases.get((first.name or "").lower())
        if alias is not None and len(steps) == 1:
            return self._alias(first.name or "", alias)
        if first.is_quoted and len(path.steps) == 1:
            return Typed(text(first.name or ""), Type.TEXT)  # what is no column is a text, as in other servers
        raise SelectError("EvaluatorBindingDoesNotExist", f"There is no column {first.name} in the data.")

    def _alias(self, name: str, expression: Expression) -> Typed:
        self._alias_depth += 1
        if self._alias_depth > ALIAS_DEPTH_MAX:
            raise SelectError("InvalidTableAlias", f"The alias {name} refers to itself.")
        found = self.emit(expression)
        self._alias_depth -= 1
        return found

    def _column(self, steps: Sequence[Step]) -> Typed | None:
        name = steps[0].name or ""
        found = name if name in self._schema.columns else None
        if found is None and not steps[0].is_quoted:
            found = self._by_lower.get(name.lower())
        if found is None:
            return None
        if len(steps) > 1:
            raise SelectError("InvalidKeyPath", f"The column {name} has nothing within it.")
        return Typed(quoted(found), self._schema.columns[found])

    def _json_path(self, path: Path, steps: Sequence[Step]) -> Typed | None:
        first = steps[0]
        if len(path.steps) == 1 and ((first.name or "").lower() in self._aliases or first.is_quoted):
            return None
        if (first.name or "").lower() in self._sources | {"_1"} and len(steps) == len(path.steps):
            steps = steps[1:]
        return Typed(f"(r -> {text(json_path(steps))})" if steps else "r", Type.JSON)

    # Conversions

    def number(self, one: Typed) -> str:
        """Return an operand as a number; NULL for what is none."""
        if one.type in {Type.INTEGER, Type.NUMBER}:
            return one.sql
        if one.type is Type.JSON:
            return f"TRY_CAST(({one.sql} ->> '$') AS DOUBLE)"
        return f"TRY_CAST({one.sql} AS DOUBLE)"

    def text(self, one: Typed) -> str:
        """Return an operand as a text."""
        if one.type is Type.TEXT:
            return one.sql
        if one.type is Type.JSON:
            return f"({one.sql} ->> '$')"
        return f"CAST({one.sql} AS VARCHAR)"

    def boolean(self, one: Typed) -> str:
        """Return an operand as a truth; NULL for what is none."""
        if one.type is Type.BOOLEAN:
            return one.sql
        return f"TRY_CAST({self.text(one)} AS BOOLEAN)"

    def time(self, one: Typed) -> str:
        """Return an operand as a time. What is none is refused by DuckDB."""
        if one.type is Type.TIME:
            return one.sql
        source = self.text(one)
        return f"coalesce(try_strptime({source}, {TIMES}), CAST({source} AS TIMESTAMP))"

    # Operators

    def _operation(self, one: Operation) -> Typed:
        name = one.name
        if name in {"AND", "OR"}:
            left, right = (self.boolean(self.emit(operand)) for operand in one.operands)
            return Typed(f"({left} {name} {right})", Type.BOOLEAN)
        if name == "NOT":
            return Typed(f"(NOT {self.boolean(self.emit(one.operands[0]))})", Type.BOOLEAN)
        if name == "IS NULL":
            return Typed(f"({self._absent(one.operands[0])} IS NULL)", Type.BOOLEAN)
        if name in {"=", "!=", "<", "<=", ">", ">="}:
            return Typed(self._compared(name, *(self.emit(operand) for operand in one.operands)), Type.BOOLEAN)
        if name == "IN":
            return self._in(one)
        if name == "BETWEEN":
            value, low, high = (self.emit(operand) for operand in one.operands)
            return Typed(f"({self._compared('>=', value, low)} AND {self._compared('<=', value, high)})", Type.BOOLEAN)
        if name == "LIKE":
            subject, *patterns = one.operands
            texts = [self.text(self.emit(subject)), *(self.text(self.emit(_constant(pattern))) for pattern in patterns)]
            ending = f" ESCAPE {texts[2]}" if len(texts) > 2 else ""
            return Typed(f"({texts[0]} LIKE {texts[1]}{ending})", Type.BOOLEAN)
        if name == "||":
            return Typed(f"({' || '.join(self.text(self.emit(operand)) for operand in one.operands)})", Type.TEXT)
        if name in {"+", "-", "*", "/", "%"}:
            return self._arithmetic(name, *(self.emit(operand) for operand in one.operands))
        if name == "NEGATE":
            inner = self.emit(one.operands[0])
            return Typed(f"(-{self.number(inner)})", Type.INTEGER if inner.type is Type.INTEGER else Type.NUMBER)
        if name == "CASE":
            return self._case(one)
        return self._function(one)

    def _absent(self, operand: Expression) -> str:
        inner = self.emit(operand)
        return self.text(inner) if inner.type is Type.JSON else inner.sql

    def _compared(self, operator: str, left: Typed, right: Typed) -> str:
        types = {left.type, right.type}
        if Type.TIME in types:
            return f"({self.time(left)} {operator} {self.time(right)})"
        if types & {Type.INTEGER, Type.NUMBER}:
            return f"({self.number(left)} {operator} {self.number(right)})"
        if Type.BOOLEAN in types:
            return f"({self.boolean(left)} {operator} {self.boolean(right)})"
        plain = f"{self.text(left)} {operator} {self.text(right)}"
        if types == {Type.JSON}:
            return f"coalesce({self.number(left)} {operator} {self.number(right)}, {plain})"
        if types == {Type.OTHER}:
            return f"({left.sql} {operator} {right.sql})"
        return f"({plain})"

    def _in(self, one: Operation) -> Typed:
        value = self.emit(one.operands[0])
        compared = [self._compared("=", value, self.emit(operand)) for operand in one.operands[1:]]
        return Typed(f"({' OR '.join(compared) or 'false'})", Type.BOOLEAN)

    def _arithmetic(self, operator: str, left: Typed, right: Typed) -> Typed:
        if left.type is right.type is Type.INTEGER:
            symbol = "//" if operator == "/" else operator
            return Typed(f"({left.sql} {symbol} {right.sql})", Type.INTEGER)
        return Typed(f"({self.number(left)} {operator} {self.number(right)})", Type.NUMBER)

    def _case(self, one: Operation) -> Typed:
        *pairs, otherwise = one.operands
        conditions = [self.boolean(self.emit(when)) for when in pairs[::2]]
        results = [self.emit(then) for then in (*pairs[1::2], otherwise)]
        sqls, type_ = self._alike(results)
        cases = " ".join(f"WHEN {when} THEN {then}" for when, then in zip(conditions, sqls, strict=False))
        return Typed(f"(CASE {cases} ELSE {sqls[-1]} END)", type_)

    def _alike(self, operands: Sequence[Typed]) -> tuple[list[str], Type]:
        """Return operands in one type: theirs if they agree, numbers if all are, else texts."""
        types = {one.type for one in operands} - {Type.NULL}
        if len(types) <= 1:
            return [one.sql for one in operands], next(iter(types), Type.NULL)
        if types <= {Type.INTEGER, Type.NUMBER}:
            return [one.sql for one in operands], Type.NUMBER
        return [one.sql if one.type is Type.NULL else self.text(one) for one in operands], Type.TEXT

    # Functions

    def _function(self, one: Operation) -> Typed:
        name = one.name
        if name in AGGREGATES:
            return self._aggregate(name, self.emit(one.operands[0]))
        if name == "CAST":
            return self._cast(self.emit(one.operands[0]), one.detail)
        if name in {"COALESCE", "NULLIF"}:
            sqls, type_ = self._alike([self.emit(operand) for operand in one.operands])
            if name == "NULLIF" and type_ is Type.JSON:
                sqls, type_ = [f"({sql} ->> '$')" for sql in sqls], Type.TEXT
            return Typed(f"{name.lower()}({', '.join(sqls)})", type_)
        if name == "UTCNOW":
            return Typed(f"TIMESTAMP {text(self._now)}", Type.TIME)
        if name in {"TO_TIMESTAMP", "EXTRACT", "DATE_ADD", "DATE_DIFF", "TO_STRING"}:
            return self._time_function(one)
        return self._text_function(one)

    def _text_function(self, one: Operation) -> Typed:
        first = self.text(self.emit(one.operands[0]))
        if one.name in {"CHAR_LENGTH", "CHARACTER_LENGTH"}:
            return Typed(f"length({first})", Type.INTEGER)
        if one.name in {"LOWER", "UPPER"}:
            return Typed(f"{one.name.lower()}({first})", Type.TEXT)
        if one.name == "TRIM":
            function = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[one.detail]
            return Typed(f"{function}({first}, {self.text(self.emit(one.operands[1]))})", Type.TEXT)
        assert one.name == "SUBSTRING", one.name
        begin, *rest = (f"CAST({self.number(self.emit(operand))} AS BIGINT)" for operand in one.operands[1:])
        if not rest:
            return Typed(f"substring({first}, greatest({begin}, 1))", Type.TEXT)
        # What lies before the first character counts: SUBSTRING(x, 0, 2) is one character long.
        length = f"greatest({rest[0]} + least({begin} - 1, 0), 0)"
        return Typed(f"substring({first}, greatest({begin}, 1), {length})", Type.TEXT)

    def _aggregate(self, name: str, inner: Typed) -> Typed:
        if name == "COUNT":
            counted = self.text(inner) if inner.type is Type.JSON else inner.sql
            return Typed(f"count({counted})", Type.INTEGER)
        if name in {"MIN", "MAX"} and inner.type is not Type.JSON:
            return Typed(f"{name.lower()}({inner.sql})", inner.type)
        result = Type.INTEGER if name == "SUM" and inner.type is Type.INTEGER else Type.NUMBER
        return Typed(f"{name.lower()}({self.number(inner)})", result)

    def _cast(self, inner: Typed, target: str) -> Typed:
        source = inner.sql if inner.type not in {Type.JSON, Type.OTHER} else self.text(inner)
        if target == "TIMESTAMP":
            return Typed(self.time(inner), Type.TIME)
        if target == "BIGINT" and inner.type is Type.NUMBER:
            source = f"trunc({source})"
        types = {"BIGINT": Type.INTEGER, "VARCHAR": Type.TEXT, "BOOLEAN": Type.BOOLEAN}
        return Typed(f"CAST({source} AS {target})", types.get(target, Type.NUMBER))

    def _time_function(self, one: Operation) -> Typed:
        if one.name == "TO_TIMESTAMP":
            return Typed(self.time(self.emit(one.operands[0])), Type.TIME)
        part = one.detail.lower()
        if one.name == "EXTRACT":
            inner = self.time(self.emit(one.operands[0]))
            if part.startswith("timezone"):
                return Typed(f"(CASE WHEN {inner} IS NOT NULL THEN 0 END)", Type.INTEGER)  # times are UTC
            return Typed(f"CAST(extract({part} FROM {inner}) AS BIGINT)", Type.INTEGER)
        if one.name == "TO_STRING":
            return Typed(self._formatted(self.time(self.emit(one.operands[0])), one.operands[1]), Type.TEXT)
        if part.startswith("timezone"):
            raise SelectError("EvaluatorInvalidTimestampFormatPatternSymbol", f"{one.name} does not know {one.detail}.")
        if one.name == "DATE_DIFF":
            begin, end = (self.time(self.emit(operand)) for operand in one.operands)
            return Typed(f"date_sub('{part}', {begin}, {end})", Type.INTEGER)
        quantity, moment = self.emit(one.operands[0]), self.time(self.emit(one.operands[1]))
        return Typed(f"({moment} + to_{part}s(CAST({self.number(quantity)} AS INTEGER)))", Type.TIME)

    def _formatted(self, moment: str, pattern: Expression) -> str:
        pattern = _constant(pattern)
        if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            raise SelectError(
                "EvaluatorInvalidTimestampFormatPattern", "The pattern of TO_STRING must be a constant text."
            )
        return f"strftime({moment}, {text(time_format(pattern.value))})"


def json_path(steps: Sequence[Step]) -> str:
    """Render steps as a JSON path of DuckDB's."""
    pieces = ["$"]
    for step in steps:
        if step.name is not None:
            name = step.name.replace("\\", "\\\\").replace('"', '\\"')
            pieces.append(f'."{name}"')
        else:
            pieces.append("[*]" if step.index is None else f"[{step.index}]")
    return "".join(pieces)


def _constant(one: Expression) -> Expression:
    """Take a text in double quotes, where a constant is expected, for one: `"_3"` may be a pattern and a column."""
    if isinstance(one, Path) and len(one.steps) == 1 and one.steps[0].is_quoted:
        return Literal(one.steps[0].name)
    return one


def _literal(one: Literal) -> Typed:
    value = one.value
    if value is None:
        return Typed("NULL", Type.NULL)
    if isinstance(value, bool):
        return Typed("true" if value else "false", Type.BOOLEAN)
    if isinstance(value, int):
        if value < 1 << 63:
            return Typed(f"CAST({value} AS BIGINT)", Type.INTEGER)
        return Typed(f"CAST('{value}' AS DOUBLE)", Type.NUMBER)
    if one.is_float:
        return Typed(f"CAST('{value}' AS DOUBLE)", Type.NUMBER)
    return Typed(text(value), Type.TEXT)
