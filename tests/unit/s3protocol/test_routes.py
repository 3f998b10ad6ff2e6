import json
from itertools import product
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from s3protocol import errors
from s3protocol.model import CONTROL_OPERATIONS, input_wire_names, operation_model, operation_names
from s3protocol.routes import (
    POST_OBJECT,
    RESERVED_NAMES,
    ROUTES,
    SUPERSEDED,
    UNREACHABLE,
    Level,
    resolve,
)

CASES = json.loads((Path(__file__).parents[2] / "data/protocol/routes.json").read_text())
METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "TRACE"]
# Reserved names that an operation takes, and is without them, too.
OPTIONAL = {"GetObject": {"partNumber"}, "HeadObject": {"partNumber"}}
BARE_OPERATIONS = {route.operation for route in ROUTES if route.subresource is None}


def resolve_case(case):
    method, level, *query = case["request"].split(" ")
    pairs = dict(parse_qsl(query[0][1:], keep_blank_values=True)) if query else {}
    return resolve(method, Level(level), pairs, case.get("headers", {}))


@pytest.mark.parametrize("case", CASES, ids=[case["request"] for case in CASES])
def test_a_request_means(case):
    if "operation" in case:
        assert resolve_case(case) == case["operation"]
    else:
        with pytest.raises(errors.by_code[case["error"]]):
            resolve_case(case)


def test_the_table_knows_every_operation_of_the_model():
    known = operation_names() | CONTROL_OPERATIONS.keys() | {POST_OBJECT}
    assert {route.operation for route in ROUTES} | SUPERSEDED.keys() | UNREACHABLE.keys() == known


def test_the_table_and_the_exceptions_do_not_overlap():
    routed = {route.operation for route in ROUTES}
    assert routed.isdisjoint(SUPERSEDED)
    assert routed.isdisjoint(UNREACHABLE)
    assert set(SUPERSEDED.values()) <= routed


def test_every_operation_stands_in_one_row():
    assert len({route.operation for route in ROUTES}) == len(ROUTES)


def test_the_table_agrees_with_the_model_about_version_ids():
    for route in ROUTES:
        if route.operation != POST_OBJECT:
            assert route.takes_version == ("versionId" in input_wire_names(route.operation).values()), route


MODELLED = operation_names() | CONTROL_OPERATIONS.keys()


@pytest.mark.parametrize("name", sorted(MODELLED - UNREACHABLE.keys() - {"WriteGetObjectResponse"}))
def test_the_table_agrees_with_the_model_about_methods_and_sub_resources(name):
    route = next(route for route in ROUTES if route.operation == SUPERSEDED.get(name, name))
    address = operation_model(name).http
    path, _, query = address["requestUri"].partition("?")
    levels = {
        "/configuration/publicAccessBlock": Level.ACCOUNT,
        "{Key": Level.OBJECT,
        "{resourceArn": Level.RESOURCE,
        "{Bucket": Level.BUCKET,
        "/": Level.SERVICE,
    }
    level = next(level for part, level in levels.items() if part in path)
    assert (route.method, route.level) == (address["method"], level)
    in_address = {pair.partition("=")[0] for pair in query.split("&") if pair}
    in_input = {wire_name for wire_name in input_wire_names(name).values() if wire_name in RESERVED_NAMES}
    assert {route.subresource, *route.companions} - {None, "id"} == in_address | (in_input - OPTIONAL.get(name, set()))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_row_can_be_reached(route):
    query = dict.fromkeys(route.companions, "1")
    if route.subresource:
        query[route.subresource] = ""
    if route.value:
        query[route.value[0]] = route.value[1]
    headers = {route.header: "x"} if route.header else {}
    assert resolve(route.method, route.level, query, headers) == route.operation


@pytest.mark.parametrize(("level", "method"), list(product(Level, METHODS)))
def test_no_reserved_name_falls_through_to_a_bare_operation(level, method):
    for name, value, extra in product(RESERVED_NAMES, ["", "1", "2"], [{}, {"id": "a"}, {"versionId": "v"}]):
        for headers in [{}, {"x-amz-copy-source": "/b/k"}, {"x-amz-request-route": "r"}]:
            try:
                operation = resolve(method, level, {name: value, **extra}, headers)
            except (errors.InvalidArgument, errors.InvalidRequest, errors.MethodNotAllowed):
                continue
            except (errors.NoLoggingStatusForKey, errors.RequestTorrentOfBucketError):
                continue
            reads_a_part = name == "partNumber" and operation in {"GetObject", "HeadObject"}
            assert reads_a_part or operation not in BARE_OPERATIONS


def test_two_reserved_names_mean_an_operation_only_if_one_row_has_both():
    together = {frozenset({route.subresource, *route.companions}) for route in ROUTES if route.companions}
    for (first, second), method, level in product(product(RESERVED_NAMES, repeat=2), METHODS, Level):
        if first == second or frozenset({first, second}) in together:
            continue
        with pytest.raises(errors.S3Error):
            resolve(method, level, {first: "2", second: "2"}, {})


def test_a_conflict_names_the_sub_resources_in_their_order():
    with pytest.raises(errors.InvalidArgument, match="Conflicting query string parameters: acl, versioning") as caught:
        resolve("GET", Level.BUCKET, {"versioning": "", "acl": ""}, {})
    assert caught.value.members == {"ArgumentName": "ResourceType", "ArgumentValue": "acl"}


def test_a_refused_method_names_those_that_are_allowed():
    with pytest.raises(errors.MethodNotAllowed) as caught:
        resolve("DELETE", Level.OBJECT, {"acl": ""}, {})
    assert caught.value.headers == {"Allow": "GET, PUT"}
    assert caught.value.members == {"Method": "DELETE", "ResourceType": "ACL"}


@pytest.mark.parametrize("name", ["prefix", "X-Amz-Date", "x-id", "response-expires", "id", "unknown", "Acl"])
def test_other_names_do_not_disturb(name):
    assert resolve("GET", Level.OBJECT, {name: "x"}, {}) == "GetObject"
    assert resolve("PUT", Level.BUCKET, {name: "x"}, {}) == "CreateBucket"
