"""Every served operation against everyone: generated from the registry, so that a new operation can't be forgotten.

A request is made from the operation's row of the routing table, on a bucket and an object of the owner's. Only one thing
counts about the answer: whether it is AccessDenied. What else is wrong with so bare a request comes later.
"""

from __future__ import annotations

from typing import Any

import pytest

from accesscontrol.policy.actions import S3_ACTIONS
from s3protocol.presign import SigningCredentials
from s3protocol.registry import REGISTRY, Decided
from s3protocol.routes import ROUTES, Level, Route
from tests.s3.sharing import policy, statement
from tests.s3.wire import Answer, Wire

OPERATIONS = sorted(REGISTRY)
SERVICE_OPERATIONS = {"ListBuckets", "CreateBucket"}  # of every account, for itself
BUCKET_OPERATIONS = [name for name in OPERATIONS if name not in SERVICE_OPERATIONS]
LOCKED_IN = {
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
}  # no policy takes these from the owner
BODIES = {
    "PutObjectTagging": b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
    "DeleteObjects": b"<Delete><Object><Key>k</Key></Object></Delete>",
}
ROUTE_OF = {route.operation: route for route in ROUTES}


@pytest.fixture(scope="session")
def stranger_wire(wire: Wire, stranger_credentials: SigningCredentials) -> Wire:
    """The other account's way."""
    return Wire(wire.address, wire.host, stranger_credentials)


@pytest.fixture
def home(owner: Any, bucket: str) -> str:
    """A bucket with the object `k`, which nobody else may read, and one that everyone may copy."""
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.put_object(Bucket=bucket, Key="source", Body=b"x", ACL="public-read")
    return bucket


def ask(way: Wire, name: str, bucket: str) -> Answer:
    """Send the barest request that means an operation."""
    route = ROUTE_OF[name]
    path = {Level.SERVICE: "/", Level.BUCKET: f"/{bucket}", Level.OBJECT: f"/{bucket}/k"}[route.level]
    headers = {"x-amz-copy-source": f"{bucket}/source"} if route.header else {}
    return way.send(route.method, path, query=query_of(route), headers=headers, body=BODIES.get(name, b""))


def query_of(route: Route) -> list[tuple[str, str]]:
    """Return the query of a row of the table."""
    values = {"uploadId": "none", "partNumber": "1", "id": "x"}
    names = [name for name in (route.subresource, *route.companions) if name]
    query = {name: values.get(name, "") for name in names}
    if route.value is not None:
        query[route.value[0]] = route.value[1]
    return list(query.items())


def is_denied(answer: Answer) -> bool:
    """Say whether access was denied; for several keys at once, whether that of the only one was."""
    if answer.status == 200:
        return b"<Code>AccessDenied</Code>" in answer.body
    return answer.status == 403 and (not answer.body or answer.code == "AccessDenied")


def test_policies_can_name_the_action_of_every_operation() -> None:
    named = {operation.action for operation in REGISTRY.values()}
    named |= {operation.versioned_action for operation in REGISTRY.values() if operation.versioned_action}
    assert named <= S3_ACTIONS


def test_what_is_decided_by_its_body_has_one_here() -> None:
    late = {name for name, operation in REGISTRY.items() if operation.decided != Decided.BY_ADDRESS}
    assert late - SERVICE_OPERATIONS == BODIES.keys()


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_owner_may(wire: Wire, home: str, name: str) -> None:
    assert not is_denied(ask(wire, name, home))


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_stranger_may_not(stranger_wire: Wire, home: str, name: str) -> None:
    assert is_denied(ask(stranger_wire, name, home)) is (name not in SERVICE_OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_may_not(unsigned_wire: Wire, home: str, name: str) -> None:
    assert is_denied(ask(unsigned_wire, name, home))


@pytest.mark.parametrize("name", BUCKET_OPERATIONS)
def test_a_stranger_may_with_a_policy_for_just_the_action(
    owner: Any, stranger_wire: Wire, home: str, name: str
) -> None:
    owner.put_bucket_policy(Bucket=home, Policy=policy(statement(home, REGISTRY[name].action)))
    assert not is_denied(ask(stranger_wire, name, home))


@pytest.mark.parametrize("name", BUCKET_OPERATIONS)
def test_a_stranger_may_not_with_a_policy_for_everything_else(
    owner: Any, stranger_wire: Wire, home: str, name: str
) -> None:
    everything_else = statement(home, NotAction=REGISTRY[name].action)
    del everything_else["Action"]
    owner.put_bucket_policy(Bucket=home, Policy=policy(everything_else))
    assert is_denied(ask(stranger_wire, name, home))


@pytest.mark.parametrize("name", BUCKET_OPERATIONS)
def test_a_deny_binds_the_owner_but_for_the_policy_itself(owner: Any, wire: Wire, home: str, name: str) -> None:
    owner.put_bucket_policy(Bucket=home, Policy=policy(statement(home, REGISTRY[name].action, Effect="Deny")))
    assert is_denied(ask(wire, name, home)) is (REGISTRY[name].action not in LOCKED_IN)


@pytest.mark.parametrize("name", BUCKET_OPERATIONS)
def test_a_restricted_bucket_is_closed_to_strangers_whatever_its_policy(
    owner: Any, stranger_wire: Wire, home: str, name: str
) -> None:
    owner.put_bucket_policy(Bucket=home, Policy=policy(statement(home, "s3:*")))
    owner.put_public_access_block(Bucket=home, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert is_denied(ask(stranger_wire, name, home))


def test_everyone_s_requests_are_made_from_the_table() -> None:
    assert set(OPERATIONS) <= ROUTE_OF.keys()
