"""Every served operation against everyone: generated from the registry, so that a new operation can't be forgotten.

A request is made from the operation's row of the routing table, on a bucket and an object of the owner's. Only one thing
counts about the answer: whether it is AccessDenied. What else is wrong with so bare a request comes later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accesscontrol.policy.actions import S3_ACTIONS
from s3protocol.presign import SigningCredentials
from s3protocol.registry import REGISTRY, Decided
from s3protocol.routes import ROUTES, Level, Route
from tests.live.system import LiveSystem
from tests.s3.iam import Keys, allow, make_user, policy_of, trust, unique
from tests.s3.sessions import expired_session, revoked_keys
from tests.s3.sharing import policy, statement
from tests.s3.wire import Answer, Wire

OPERATIONS = sorted(REGISTRY)
SERVICE_OPERATIONS = {"ListBuckets", "CreateBucket"}  # of every account, for itself
ACCOUNT_OPERATIONS = {
    "GetAccountPublicAccessBlock",
    "PutAccountPublicAccessBlock",
    "DeleteAccountPublicAccessBlock",
}  # of one's own
BUCKET_OPERATIONS = [name for name in OPERATIONS if name not in SERVICE_OPERATIONS | ACCOUNT_OPERATIONS]
LOCKED_IN = {
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
}  # no policy takes these from the owner
CONTROL_BODY = b"<TagResourceRequest><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></TagResourceRequest>"
BODIES = {
    "TagResource": CONTROL_BODY,
    "UntagResource": b"",  # its tags are in the query
    "PutObjectTagging": b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
    "PutObjectRetention": b"<Retention/>",
    "PutObjectLegalHold": b"<LegalHold/>",
    "DeleteObjects": b"<Delete><Object><Key>k</Key></Object></Delete>",
}
ROUTE_OF = {route.operation: route for route in ROUTES}


CONTROL_HEADERS: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def name_the_owner_to_s3_control(sts: Any) -> None:
    """Have requests to S3 Control name the account that owns the buckets."""
    CONTROL_HEADERS["x-amz-account-id"] = sts.get_caller_identity()["Account"]


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
    path = {
        Level.SERVICE: "/",
        Level.BUCKET: f"/{bucket}",
        Level.OBJECT: f"/{bucket}/k",
        Level.RESOURCE: f"/v20180820/tags/arn:aws:s3:::{bucket}",
        Level.ACCOUNT: "/v20180820/configuration/publicAccessBlock",
    }[route.level]
    headers = {"x-amz-copy-source": f"{bucket}/source"} if route.header else {}
    if route.level in (Level.RESOURCE, Level.ACCOUNT):
        headers |= CONTROL_HEADERS
    return way.send(route.method, path, query=query_of(route), headers=headers, body=BODIES.get(name, b""))


def query_of(route: Route) -> list[tuple[str, str]]:
    """Return the query of a row of the table."""
    values = {"uploadId": "none", "partNumber": "1", "id": "x"}
    names = [name for name in (route.subresource, *route.companions) if name]
    if route.operation == "UntagResource":
        return [("tagKeys", "a")]
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


@pytest.fixture(scope="module")
def role_of_everything(iam: Any, live: LiveSystem) -> tuple[str, Any]:
    """A role that may do everything, and the client of who may assume it."""
    user = make_user(iam)
    role = iam.create_role(RoleName=unique("matrix"), AssumeRolePolicyDocument=trust({"AWS": user.arn}))["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return role["Arn"], user.keys.client(live, "sts")


@pytest.fixture
def session_wire(wire: Wire, role_of_everything: tuple[str, Any]) -> Callable[..., Wire]:
    """Return what makes the way of somebody of the owner's account who may do what the statements allow."""

    def make(*statements: Any) -> Wire:
        role_arn, sts = role_of_everything
        document = policy_of(*statements)
        return signed_by(wire, Keys.of(sts.assume_role(RoleArn=role_arn, RoleSessionName="matrix", Policy=document)))

    return make


def signed_by(wire: Wire, keys: Keys) -> Wire:
    """Return the way of somebody else."""
    credentials = SigningCredentials(
        keys.aws_access_key_id, keys.aws_secret_access_key, session_token=keys.aws_session_token
    )
    return Wire(wire.address, wire.host, credentials)


@pytest.mark.parametrize("name", OPERATIONS)
def test_somebody_of_the_account_may_with_a_policy_for_just_the_action(
    session_wire: Callable[..., Wire], home: str, name: str
) -> None:
    source = allow("s3:GetObject", resource=f"arn:aws:s3:::{home}/source")
    assert not is_denied(ask(session_wire(allow(REGISTRY[name].action), source), name, home))


def test_somebody_of_the_account_may_not_without_a_policy_for_the_action(
    session_wire: Callable[..., Wire], home: str
) -> None:
    for name in OPERATIONS:
        others = {"Effect": "Allow", "NotAction": REGISTRY[name].action, "Resource": "*"}
        assert is_denied(ask(session_wire(others), name, home)), name


def test_a_user_without_policies_may_not(iam: Any, wire: Wire, home: str) -> None:
    way = signed_by(wire, make_user(iam).keys)
    assert [name for name in OPERATIONS if not is_denied(ask(way, name, home))] == []


def test_an_expired_session_may_not(
    live: LiveSystem, wire: Wire, role_of_everything: tuple[str, Any], home: str
) -> None:
    way = signed_by(wire, expired_session(live, role_of_everything[0]))
    for name in OPERATIONS:
        answer = ask(way, name, home)
        assert answer.status == 400, name
        assert not answer.body or answer.code == "ExpiredToken", name


def test_a_revoked_key_may_not(iam: Any, wire: Wire, home: str) -> None:
    way = signed_by(wire, revoked_keys(iam))
    for name in OPERATIONS:
        answer = ask(way, name, home)
        assert answer.status == 403, name
        assert not answer.body or answer.code == "InvalidAccessKeyId", name


def test_everyone_s_requests_are_made_from_the_table() -> None:
    assert set(OPERATIONS) <= ROUTE_OF.keys()
