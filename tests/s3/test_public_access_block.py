"""Public access blocks: kept, and stronger than lists and policies."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from s3protocol.presign import SigningCredentials
from tests.s3.refusals import refused
from tests.s3.sharing import allow, policy, statement
from tests.s3.wire import Answer, Wire

SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def block(owner: Any, bucket: str, *switches: str) -> None:
    owner.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(switches, True))


def test_a_block_comes_back_whole(owner: Any, bucket: str) -> None:
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        owner.get_public_access_block(Bucket=bucket)
    block(owner, bucket, "IgnorePublicAcls")
    found = owner.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert found == {switch: switch == "IgnorePublicAcls" for switch in SWITCHES}
    for _ in range(2):
        owner.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        owner.get_public_access_block(Bucket=bucket)


def test_strangers_and_nobody_may_not_touch_the_block(stranger: Any, anonymous: Any, bucket: str) -> None:
    for client in (stranger, anonymous):
        for call in (client.get_public_access_block, client.delete_public_access_block):
            with refused("AccessDenied", 403):
                call(Bucket=bucket)
        with refused("AccessDenied", 403):
            block(client, bucket)


@pytest.mark.parametrize("name", ["public-read", "public-read-write", "authenticated-read"])
def test_public_lists_are_refused_where_they_are_blocked(owner: Any, bucket: str, name: str) -> None:
    block(owner, bucket, "BlockPublicAcls")
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="private")
    with refused("AccessDenied", 403):
        owner.put_bucket_acl(Bucket=bucket, ACL=name)
    with refused("AccessDenied", 403):
        owner.put_object(Bucket=bucket, Key="l", Body=b"x", ACL=name)
    with refused("AccessDenied", 403):
        owner.put_object_acl(Bucket=bucket, Key="k", ACL=name)
    with refused("AccessDenied", 403):
        owner.copy_object(Bucket=bucket, Key="l", CopySource={"Bucket": bucket, "Key": "k"}, ACL=name)
    with refused("AccessDenied", 403):
        owner.create_multipart_upload(Bucket=bucket, Key="l", ACL=name)


def test_public_lists_are_ignored_while_that_is_asked(owner: Any, anonymous: Any, bucket: str) -> None:
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read")
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    block(owner, bucket, "IgnorePublicAcls")
    for call in (
        lambda: anonymous.get_object(Bucket=bucket, Key="k"),
        lambda: anonymous.list_objects_v2(Bucket=bucket),
    ):
        with refused("AccessDenied", 403):
            call()
    owner.delete_public_access_block(Bucket=bucket)
    anonymous.get_object(Bucket=bucket, Key="k")


def test_public_policies_are_refused_where_they_are_blocked(owner: Any, bucket: str, stranger_account_id: str) -> None:
    block(owner, bucket, "BlockPublicPolicy")
    with refused("AccessDenied", 403):
        owner.put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, "s3:GetObject")))
    allow(owner, bucket, "s3:GetObject", Principal={"AWS": stranger_account_id})


def test_public_policies_may_be_restricted_to_the_owner_s_account(
    owner: Any, stranger: Any, anonymous: Any, bucket: str, stranger_account_id: str
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    allow(owner, bucket, "s3:GetObject")
    anonymous.get_object(Bucket=bucket, Key="k")
    block(owner, bucket, "RestrictPublicBuckets")
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            client.get_object(Bucket=bucket, Key="k")
    owner.get_object(Bucket=bucket, Key="k")
    allow(owner, bucket, "s3:GetObject", Principal={"AWS": stranger_account_id})
    stranger.get_object(Bucket=bucket, Key="k")


BLOCK = "/v20180820/configuration/publicAccessBlock"


@pytest.fixture
def account_block(wire: Wire, stranger_account: dict[str, str]) -> Iterator[Callable[..., Answer]]:
    """Ask S3 Control about the block of the stranger's account, as the stranger or as the owner."""
    way = Wire(
        wire.address, wire.host, SigningCredentials(stranger_account["access_key"], stranger_account["secret_key"])
    )

    def ask(method: str, *switches: str, of: Wire = way) -> Answer:
        chosen = "".join(f"<{switch}>true</{switch}>" for switch in switches)
        body = f"<PublicAccessBlockConfiguration>{chosen}</PublicAccessBlockConfiguration>" if method == "PUT" else ""
        return of.send(method, BLOCK, headers={"x-amz-account-id": stranger_account["id"]}, body=body.encode())

    yield ask
    assert ask("DELETE").status in (200, 204)


def test_an_account_has_a_block_for_all_its_buckets(
    account_block: Callable[..., Answer], wire: Wire, unsigned_wire: Wire, stranger: Any, anonymous: Any
) -> None:
    name = f"test-{secrets.token_hex(8)}"
    stranger.create_bucket(Bucket=name)
    stranger.put_bucket_acl(Bucket=name, ACL="public-read")
    anonymous.list_objects_v2(Bucket=name)
    assert account_block("GET").refusal == (404, "NoSuchPublicAccessBlockConfiguration")
    assert account_block("PUT", *SWITCHES).status in (200, 201)
    assert account_block("GET").body.count(b"true") == 4
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        stranger.get_public_access_block(Bucket=name)
    with refused("AccessDenied", 403):
        anonymous.list_objects_v2(Bucket=name)
    with refused("AccessDenied", 403):
        stranger.put_bucket_acl(Bucket=name, ACL="public-read")
    with refused("AccessDenied", 403):
        stranger.put_bucket_policy(Bucket=name, Policy=policy(statement(name, "s3:GetObject")))
    with refused("AccessDenied", 403):
        stranger.create_bucket(Bucket=f"{name}-too", ACL="public-read", ObjectOwnership="ObjectWriter")
    for way in (wire, unsigned_wire):
        for method in ("GET", "PUT", "DELETE"):
            assert account_block(method, of=way).refusal == (403, "AccessDenied")
    assert account_block("DELETE").status in (200, 204)
    anonymous.list_objects_v2(Bucket=name)
