"""IAM in tests: users with keys, policies, and claims that come true once every process has heard of a change."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.live.processes import wait_until
from tests.live.system import LiveSystem

ANY_ACTION = "*"


def policy_of(*statements: Mapping[str, Any]) -> str:
    """Return the text of a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that allows actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that denies actions."""
    return {**allow(*actions, resource=resource, **more), "Effect": "Deny"}


def trust(principal: Mapping[str, Any], *actions: str, **more: Any) -> str:
    """Return a role's trust policy."""
    return policy_of({"Effect": "Allow", "Principal": principal, "Action": list(actions or ["sts:AssumeRole"]), **more})


def unique(prefix: str) -> str:
    """Return a name that no other test has."""
    return f"{prefix}-{secrets.token_hex(4)}"


def refusal(call: Callable[[], Any]) -> str:
    """Return the code of the error that a call ends with, or nothing."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def becomes(call: Callable[[], Any], code: str) -> None:
    """Wait until a call ends with a code (nothing: succeeds): processes remember principals for some seconds."""
    wait_until(lambda: refusal(call) == code, f"answered with {code or 'success'}", seconds=30)


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials as boto3 takes them."""

    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Keys:
        """Take the credentials of STS, or an access key of IAM."""
        found = answer.get("Credentials") or answer["AccessKey"]
        return cls(found["AccessKeyId"], found["SecretAccessKey"], found.get("SessionToken"))

    def client(self, live: LiveSystem, service: str = "s3") -> Any:
        """Return a client that signs with them."""
        return live.client(
            service,
            aws_access_key_id=self.aws_access_key_id,
            aws_secret_access_key=self.aws_secret_access_key,
            aws_session_token=self.aws_session_token,
        )


@dataclass(frozen=True, slots=True)
class TestUser:
    """A user of the root account with a key pair."""

    __test__ = False

    name: str
    arn: str
    keys: Keys


def make_user(iam: Any, *statements: Mapping[str, Any]) -> TestUser:
    """Make a user with a key pair and an inline policy of the statements, if there are any."""
    name = unique("user")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy_of(*statements))
    return TestUser(name, arn, Keys.of(iam.create_access_key(UserName=name)))
