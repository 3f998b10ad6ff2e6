"""Every operation of IAM and STS against everyone: generated from the registry, so that a new one can't be forgotten.

A request is made of the members that the model demands. Only one thing counts about the answer: whether somebody was not
authorized. What else is wrong with so bare a request comes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from s3protocol.query.model import operation_model, service_model
from s3protocol.query.registry import QUERY_REGISTRY, Permission
from tests.live.system import LiveSystem
from tests.s3.iam import Keys, allow, make_user, policy_of, trust, unique
from tests.s3.sessions import expired_session, revoked_keys
from tests.s3.test_query_protocol import code, signed

OPERATIONS = sorted(QUERY_REGISTRY)
ROOTS_MAY_NOT = {"AssumeRole"}  # roles are not for root users
SESSIONS_MAY_NOT = {"GetSessionToken", "GetFederationToken"}  # these are for keys that last
NEEDS_NO_POLICY = {name for name in OPERATIONS if QUERY_REGISTRY[name].permission is Permission.NONE} | {
    "GetSessionToken"
}
UNSIGNED = {name for name in OPERATIONS if QUERY_REGISTRY[name].permission is Permission.UNSIGNED}
SIGNED = [name for name in OPERATIONS if name not in UNSIGNED]
DOCUMENT = policy_of(allow("s3:GetObject"))
KINDS = {"PolicyArn": "policy/nothing", "OpenIDConnectProviderArn": "oidc-provider/nothing.example.org"}


@dataclass(frozen=True, slots=True)
class Cast:
    """Who asks."""

    account_id: str
    role_arn: str
    assumer: Any
    powerless: Keys

    def session(self, *statements: Any) -> Keys:
        """Return a session of a role that may do everything, which its own policy narrows to the statements."""
        return Keys.of(
            self.assumer.assume_role(RoleArn=self.role_arn, RoleSessionName="matrix", Policy=policy_of(*statements))
        )


@pytest.fixture(scope="module")
def cast(iam: Any, sts: Any, live: LiveSystem) -> Iterator[Cast]:
    """The account, a role that may do everything, who may assume it, and a user without policies."""
    user = make_user(iam)
    role = iam.create_role(RoleName=unique("matrix"), AssumeRolePolicyDocument=trust({"AWS": user.arn}))["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    account_id = sts.get_caller_identity()["Account"]
    return Cast(account_id, role["Arn"], user.keys.client(live, "sts"), make_user(iam).keys)


def form_of(name: str, cast: Cast) -> dict[str, str]:
    """Return the barest form that means an operation."""
    operation = QUERY_REGISTRY[name]
    model = operation_model(operation.service, name)
    form = {"Action": name, "Version": service_model(operation.service).api_version}
    shape = model.input_shape
    for member in () if shape is None else shape.required_members:
        value = value_of(member, cast)
        kind = shape.members[member].type_name
        if kind == "list":
            inner = shape.members[member].member
            if inner.type_name == "structure":
                form |= {f"{member}.member.1.Key": "nothing", f"{member}.member.1.Value": "x"}
            else:
                form[f"{member}.member.1"] = value
        else:
            form[member] = value
    if name == "GetUser":
        form["UserName"] = "nothing"
    return form


def value_of(member: str, cast: Cast) -> str:
    """Return a value for a member that the model takes, and that names nothing which exists."""
    if member in KINDS:
        return f"arn:aws:iam::{cast.account_id}:{KINDS[member]}"
    if "Document" in member or member == "PolicyInputList":
        return DOCUMENT
    special = {
        "PolicySourceArn": f"arn:aws:iam::{cast.account_id}:user/nothing",
        "RoleArn": f"arn:aws:iam::{cast.account_id}:role/nothing",
        "PermissionsBoundary": f"arn:aws:iam::{cast.account_id}:policy/nothing",
        "VersionId": "v1",
        "Status": "Active",
        "AccessKeyId": "A" * 20,
        "Url": "https://nothing.example.org",
        "ThumbprintList": "a" * 40,
        "AccountAlias": "nothing-alias",
        "ActionNames": "s3:GetObject",
    }
    return special.get(member, "nothing")


def ask(live: LiveSystem, name: str, cast: Cast, keys: Keys | None = None) -> requests.Response:
    """Send the form, signed by the root account unless other keys are given."""
    return signed(live, form_of(name, cast), service=QUERY_REGISTRY[name].service.value, keys=keys)


def is_denied(answer: requests.Response) -> bool:
    """Say whether somebody was not authorized; a wrong old password, say, is refused otherwise."""
    return answer.status_code == 403 and b"is not authorized" in answer.content


def test_every_action_is_named_as_its_operation() -> None:
    assert all(one.action == f"{one.service}:{name}" for name, one in QUERY_REGISTRY.items())


@pytest.mark.parametrize("name", SIGNED)
def test_the_root_user_may(live: LiveSystem, cast: Cast, name: str) -> None:
    if name in ("CreateAccessKey", "GenerateCredentialReport"):
        pytest.skip("would change the root user's keys, or needs no more")
    answer = ask(live, name, cast)
    assert not is_denied(answer)
    assert answer.status_code != 500
    assert (code(answer) == "AccessDenied" and b"root accounts" in answer.content) is (name in ROOTS_MAY_NOT)


def test_a_user_without_policies_may_not(live: LiveSystem, cast: Cast) -> None:
    denied = {name for name in SIGNED if is_denied(ask(live, name, cast, cast.powerless))}
    assert denied == set(SIGNED) - NEEDS_NO_POLICY


@pytest.mark.parametrize("name", sorted(set(SIGNED) - SESSIONS_MAY_NOT - ROOTS_MAY_NOT))
def test_a_policy_for_just_the_action_is_enough_and_one_for_all_others_is_not(
    live: LiveSystem, cast: Cast, name: str
) -> None:
    action = QUERY_REGISTRY[name].action
    assert not is_denied(ask(live, name, cast, cast.session(allow(action))))
    others = {"Effect": "Allow", "NotAction": action, "Resource": "*"}
    assert is_denied(ask(live, name, cast, cast.session(others))) is (name not in NEEDS_NO_POLICY)


def test_nobody_may(live: LiveSystem, cast: Cast) -> None:
    for name in SIGNED:
        answer = requests.post(live.endpoint + "/", data=form_of(name, cast), timeout=30)
        assert (answer.status_code, code(answer)) == (403, "MissingAuthenticationToken"), name
    for name in UNSIGNED:  # the token decides, and it is none
        answer = requests.post(live.endpoint + "/", data=form_of(name, cast), timeout=30)
        assert code(answer) in ("AccessDenied", "InvalidIdentityToken", "ValidationError"), name


def test_an_expired_session_may_not(live: LiveSystem, cast: Cast) -> None:
    keys = expired_session(live, cast.role_arn)
    for name in SIGNED:
        answer = ask(live, name, cast, keys)
        assert (answer.status_code, code(answer)) == (403, "ExpiredToken"), name


def test_a_revoked_key_may_not(live: LiveSystem, iam: Any, cast: Cast) -> None:
    keys = revoked_keys(iam)
    for name in SIGNED:
        answer = ask(live, name, cast, keys)
        assert (answer.status_code, code(answer)) == (403, "InvalidClientTokenId"), name


def test_another_account_reaches_nothing(live: LiveSystem, cast: Cast, stranger_credentials: Any) -> None:
    """Its root user may ask for everything, of its own account: what is here is not there."""
    keys = Keys(stranger_credentials.access_key_id, stranger_credentials.secret_key)
    for name in ("GetUser", "GetRole", "GetGroup", "GetPolicy", "GetOpenIDConnectProvider", "SimulatePrincipalPolicy"):
        answer = ask(live, name, cast, keys)
        assert code(answer) in ("NoSuchEntity", "InvalidInput"), name
