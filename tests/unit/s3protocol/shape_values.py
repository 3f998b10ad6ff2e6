"""Sample values for any shape of the service model, full or minimal, made to be awkward where the wire allows it."""

from datetime import UTC, datetime

# Every character that XML escapes, white space at both ends, a line end that parsers like to change, and wide text.
AWKWARD_TEXT = " a&b<c>\"d'e\r\nf\tg é漢🎉 "
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def sample(shape, *, is_minimal=False, in_document=True):
    """Make a value of the shape: all members, or the required ones alone."""
    match shape.type_name:
        case "structure":
            return sample_structure(shape, is_minimal=is_minimal)
        case "list":
            return [sample(shape.member, is_minimal=is_minimal, in_document=in_document) for _ in range(2)]
        case "map":
            return {"colour": "blue", "x-y": "a b"}
        case "integer" | "long":
            return 7
        case "boolean":
            return True
        case "timestamp":
            return MOMENT
        case "blob":
            return b"bytes"
        case "string":
            if shape.enum:
                return shape.enum[-1]
            return AWKWARD_TEXT if in_document else "plain-text"
    raise AssertionError(shape)


def sample_structure(shape, *, is_minimal=False):
    names = list(shape.required_members if is_minimal else shape.members)
    if shape.is_tagged_union:
        names = list(shape.members)[:1]
    return {
        name: sample(
            shape.members[name],
            is_minimal=is_minimal,
            in_document="location" not in shape.members[name].serialization,
        )
        for name in names
    }
