"""Sessions: of roles, of users, of federated users; their policies, conditions, ends, and what a refusal meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.request import urlopen

import pytest
import requests
from botocore.exceptions import ClientError

from tests.live.system import LiveSystem
from tests.s3.iam import Keys, allow, becomes, deny, make_user, policy_of, refusal, trust, unique

FULL = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


@pytest.fixture(scope="module")
def user(iam: Any) -> Any:
    """A user without policies."""
    return make_user(iam)


@pytest.fixture(scope="module")
def their_sts(user: Any, live: LiveSystem) -> Any:
    """The user's client of STS."""
    return user.keys.client(live, "sts")


def make_role(iam: Any, document: str, *statements: Any, **more: Any) -> dict[str, Any]:
    """Make a role with an inline policy of the statements."""
    name = unique("role")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy_of(*statements))
    return dict(role)


@pytest.fixture(scope="module")
def role(iam: Any, user: Any) -> dict[str, Any]:
    """A role that the user may assume, and that may do all of S3."""
    return make_role(iam, trust({"AWS": user.arn}, "sts:AssumeRole", "sts:TagSession"), allow("s3:*"))


def assumed(sts: Any, role: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Assume a role."""
    answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test", **more)
    return dict(answer)


def test_everybody_learns_who_he_is(sts: Any, their_sts: Any, user: Any, role: Any, live: LiveSystem) -> None:
    assert sts.get_caller_identity()["Arn"].endswith(":root")
    assert their_sts.get_caller_identity()["Arn"] == user.arn
    answer = assumed(their_sts, role)
    identity = Keys.of(answer).client(live, "sts").get_caller_identity()
    assert identity["Arn"].endswith(f":assumed-role/{role['RoleName']}/test")
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == f"{role['RoleId']}:test"


def test_a_session_does_what_its_role_may(their_sts: Any, role: Any, live: LiveSystem, bucket: str) -> None:
    keys = Keys.of(assumed(their_sts, role))
    s3 = keys.client(live)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)
    with urlopen(link) as answer:
        assert answer.read() == b"x"
    assert refusal(lambda: keys.client(live, "iam").list_users()) == "AccessDenied"


def test_a_form_is_signed_by_a_session(their_sts: Any, role: Any, live: LiveSystem, bucket: str) -> None:
    s3 = Keys.of(assumed(their_sts, role)).client(live)
    form = s3.generate_presigned_post(bucket, "form")
    sent = requests.post(form["url"], data=form["fields"], files={"file": BytesIO(b"of a form")}, timeout=30)
    assert sent.status_code == 204
    assert s3.get_object(Bucket=bucket, Key="form")["Body"].read() == b"of a form"
    del form["fields"]["x-amz-security-token"]
    sent = requests.post(form["url"], data=form["fields"], files={"file": BytesIO(b"x")}, timeout=30)
    assert sent.status_code == 403


def test_a_token_is_needed_and_belongs_to_its_key(their_sts: Any, role: Any, user: Any, live: LiveSystem) -> None:
    keys, others = Keys.of(assumed(their_sts, role)), Keys.of(assumed(their_sts, role))
    without = Keys(keys.aws_access_key_id, keys.aws_secret_access_key)
    assert refusal(without.client(live).list_buckets) == "InvalidAccessKeyId"
    mixed = Keys(keys.aws_access_key_id, keys.aws_secret_access_key, others.aws_session_token)
    assert refusal(mixed.client(live).list_buckets) == "InvalidToken"
    token = str(keys.aws_session_token)
    damaged = Keys(keys.aws_access_key_id, keys.aws_secret_access_key, token[:60] + "AAAA" + token[64:])
    assert refusal(damaged.client(live).list_buckets) == "InvalidToken"
    stolen = Keys(user.keys.aws_access_key_id, user.keys.aws_secret_access_key, token)
    assert refusal(stolen.client(live).list_buckets) == "InvalidToken"
    assert refusal(stolen.client(live, "sts").get_caller_identity) == "InvalidClientTokenId"


def test_a_session_s_own_policy_narrows_the_role_s(their_sts: Any, role: Any, live: LiveSystem, bucket: str) -> None:
    narrowed = assumed(their_sts, role, Policy=policy_of(allow("s3:PutObject")))
    s3 = Keys.of(narrowed).client(live)
    assert narrowed["PackedPolicySize"] > 0
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert refusal(lambda: s3.get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    read_only = {"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
    reading = Keys.of(assumed(their_sts, role, PolicyArns=[read_only])).client(live)
    assert reading.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert refusal(lambda: reading.put_object(Bucket=bucket, Key="k", Body=b"y")) == "AccessDenied"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"Policy": policy_of(allow("s3:*", resource=["arn:aws:s3:::" + "b" * 60] * 40))}, "PackedPolicyTooLarge"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/NoSuchPolicy"}]}, "NoSuchEntity"),
        ({"DurationSeconds": 7200}, "ValidationError"),
        ({"TransitiveTagKeys": ["absent"]}, "ValidationError"),
        ({"SourceIdentity": "somebody"}, "AccessDenied"),
    ],
)
def test_what_a_session_cannot_have(their_sts: Any, role: Any, more: dict[str, Any], code: str) -> None:
    assert refusal(lambda: assumed(their_sts, role, **more)) == code


def test_a_role_is_closed_to_whom_it_does_not_trust(
    iam: Any, sts: Any, their_sts: Any, role: Any, live: LiveSystem
) -> None:
    outsider = make_user(iam, allow("sts:AssumeRole")).keys.client(live, "sts")
    assert refusal(lambda: assumed(outsider, role)) == "AccessDenied"
    assert refusal(lambda: assumed(sts, role)) == "AccessDenied"  # the root user assumes no roles
    nowhere = {"Arn": role["Arn"] + "-not-there"}
    assert refusal(lambda: assumed(their_sts, nowhere)) == "AccessDenied"
    assert refusal(lambda: assumed(their_sts, {"Arn": "arn:aws:iam::1:user/somebody-else"})) == "ValidationError"


def test_a_role_that_trusts_an_account_leaves_it_to_the_account_s_policies(
    iam: Any, sts: Any, their_sts: Any, live: LiveSystem
) -> None:
    account_id = sts.get_caller_identity()["Account"]
    shared = make_role(iam, trust({"AWS": account_id}))
    assert refusal(lambda: assumed(their_sts, shared)) == "AccessDenied"
    allowed = make_user(iam, allow("sts:AssumeRole", resource=shared["Arn"])).keys.client(live, "sts")
    assumed(allowed, shared)


def test_another_account_s_user_needs_both_sides(
    iam: Any, live: LiveSystem, stranger_credentials: Any, stranger_account_id: str, role: Any
) -> None:
    their_root = Keys(stranger_credentials.access_key_id, stranger_credentials.secret_key).client(live, "iam")
    visitor = make_user(their_root)
    condition = {"StringEquals": {"sts:ExternalId": "secret"}}
    shared = make_role(iam, trust({"AWS": visitor.arn}, Condition=condition), allow("s3:ListAllMyBuckets"))
    sts = visitor.keys.client(live, "sts")
    assert refusal(lambda: assumed(sts, shared, ExternalId="secret")) == "AccessDenied"
    document = policy_of(allow("sts:AssumeRole", resource=shared["Arn"]))
    their_root.put_user_policy(UserName=visitor.name, PolicyName="assume", PolicyDocument=document)
    becomes(lambda: assumed(sts, shared, ExternalId="secret"), "")
    assert refusal(lambda: assumed(sts, shared)) == "AccessDenied"
    assert refusal(lambda: assumed(sts, shared, ExternalId="other")) == "AccessDenied"
    s3 = Keys.of(assumed(sts, shared, ExternalId="secret")).client(live)
    assert s3.list_buckets()["Owner"]["ID"] != stranger_account_id


def test_session_tags_are_asked_by_conditions(
    iam: Any, user: Any, their_sts: Any, live: LiveSystem, bucket: str
) -> None:
    mine = allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/${{aws:PrincipalTag/team}}/*")
    tagged = make_role(iam, trust({"AWS": user.arn}, "sts:AssumeRole", "sts:TagSession"), mine)
    s3 = Keys.of(assumed(their_sts, tagged, Tags=[{"Key": "team", "Value": "a"}])).client(live)
    s3.put_object(Bucket=bucket, Key="a/k", Body=b"x")
    assert refusal(lambda: s3.put_object(Bucket=bucket, Key="b/k", Body=b"x")) == "AccessDenied"
    untaggable = make_role(iam, trust({"AWS": user.arn}))
    assert refusal(lambda: assumed(their_sts, untaggable, Tags=[{"Key": "a", "Value": "1"}])) == "AccessDenied"


def test_a_bucket_policy_names_a_role_or_one_session(
    owner: Any, iam: Any, user: Any, their_sts: Any, live: LiveSystem, bucket: str
) -> None:
    bare = make_role(iam, trust({"AWS": user.arn}))
    account = bare["Arn"].split(":")[4]
    session_arn = f"arn:aws:sts::{account}:assumed-role/{bare['RoleName']}/test"
    named = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": bare["Arn"]},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": session_arn},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        },
    ]
    owner.put_bucket_policy(Bucket=bucket, Policy=policy_of(*named))
    s3 = Keys.of(assumed(their_sts, bare)).client(live)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.get_object(Bucket=bucket, Key="k")
    # The session's policy limits what the role was given, not what the session itself was given.
    limited = Keys.of(assumed(their_sts, bare, Policy=policy_of(allow("s3:ListAllMyBuckets")))).client(live)
    assert refusal(lambda: limited.put_object(Bucket=bucket, Key="k", Body=b"x")) == "AccessDenied"
    limited.get_object(Bucket=bucket, Key="k")


def test_sessions_end_with_their_role(iam: Any, user: Any, their_sts: Any, live: LiveSystem) -> None:
    gone = make_role(iam, trust({"AWS": user.arn}), allow("s3:*"))
    s3 = Keys.of(assumed(their_sts, gone)).client(live)
    s3.list_buckets()
    iam.delete_role_policy(RoleName=gone["RoleName"], PolicyName="own")
    becomes(s3.list_buckets, "AccessDenied")
    iam.delete_role(RoleName=gone["RoleName"])
    becomes(s3.list_buckets, "InvalidToken")


def test_sessions_that_were_issued_before_a_time_are_denied_by_policy(
    iam: Any, user: Any, their_sts: Any, live: LiveSystem
) -> None:
    cut = make_role(iam, trust({"AWS": user.arn}), allow("s3:*"))
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    revoked = deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": later}})
    iam.put_role_policy(RoleName=cut["RoleName"], PolicyName="revoke", PolicyDocument=policy_of(revoked))
    assert refusal(Keys.of(assumed(their_sts, cut)).client(live).list_buckets) == "AccessDenied"


def test_a_user_has_temporary_credentials_that_do_what_he_may(iam: Any, live: LiveSystem) -> None:
    own = make_user(iam, allow("s3:*", "iam:*"))
    keys = Keys.of(own.keys.client(live, "sts").get_session_token(DurationSeconds=900))
    keys.client(live).list_buckets()
    assert keys.client(live, "sts").get_caller_identity()["Arn"] == own.arn
    assert refusal(keys.client(live, "iam").list_users) == "AccessDenied"
    assert refusal(keys.client(live, "sts").get_session_token) == "AccessDenied"
    for key in iam.list_access_keys(UserName=own.name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=own.name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=own.name, PolicyName="own")
    iam.delete_user(UserName=own.name)
    becomes(keys.client(live).list_buckets, "InvalidToken")


def test_a_federated_user_has_what_both_his_voucher_and_his_policy_allow(
    iam: Any, sts: Any, live: LiveSystem, bucket: str
) -> None:
    voucher = make_user(iam, allow("s3:*", "sts:GetFederationToken")).keys.client(live, "sts")
    answer = voucher.get_federation_token(Name="guest", Policy=policy_of(allow("s3:PutObject", "iam:*", "sts:*")))
    guest = Keys.of(answer)
    assert answer["FederatedUser"]["Arn"].endswith(":federated-user/guest")
    assert guest.client(live, "sts").get_caller_identity()["Arn"] == answer["FederatedUser"]["Arn"]
    guest.client(live).put_object(Bucket=bucket, Key="k", Body=b"x")
    assert refusal(lambda: guest.client(live).get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    assert refusal(guest.client(live, "iam").list_users) == "AccessDenied"
    assert refusal(guest.client(live, "sts").get_session_token) == "AccessDenied"
    nothing = Keys.of(sts.get_federation_token(Name="bare"))
    assert refusal(nothing.client(live).list_buckets) == "AccessDenied"


def test_a_refusal_is_decoded_by_whom_that_is_allowed(
    iam: Any, owner: Any, sts: Any, live: LiveSystem, bucket: str, stranger: Any, stranger_credentials: Any
) -> None:
    refused = make_user(iam, deny("s3:GetObject"), allow("s3:*", "sts:DecodeAuthorizationMessage"))
    with pytest.raises(ClientError) as caught:
        refused.keys.client(live).get_object(Bucket=bucket, Key="k")
    message = caught.value.response["Error"]["EncodedMessage"]
    decoded = json.loads(
        refused.keys.client(live, "sts").decode_authorization_message(EncodedMessage=message)["DecodedMessage"]
    )
    assert (decoded["allowed"], decoded["explicitDeny"]) == (False, True)
    assert decoded["context"]["action"] == "s3:GetObject"
    assert decoded["context"]["principal"]["arn"] == refused.arn
    assert {"statementId": "1", "effect": "DENY", "sourcePolicyType": "identity policy", "sourcePolicyId": "own"} in (
        decoded["matchedStatements"]["items"]
    )
    unpermitted = make_user(iam).keys.client(live, "sts")
    asked = {"EncodedMessage": message}
    assert refusal(lambda: unpermitted.decode_authorization_message(**asked)) == "AccessDenied"
    elsewhere = Keys(stranger_credentials.access_key_id, stranger_credentials.secret_key).client(live, "sts")
    code = "InvalidAuthorizationMessageException"
    assert refusal(lambda: elsewhere.decode_authorization_message(**asked)) == code
    assert refusal(lambda: sts.decode_authorization_message(EncodedMessage="gAAAAA")) == code


def test_a_stranger_who_is_refused_does_not_learn_the_owner_s_policies(
    owner: Any, sts: Any, live: LiveSystem, bucket: str, stranger: Any, stranger_credentials: Any
) -> None:
    hidden = {
        "Sid": "Hidden",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    owner.put_bucket_policy(Bucket=bucket, Policy=policy_of(hidden))
    with pytest.raises(ClientError) as caught:
        stranger.get_object(Bucket=bucket, Key="k")
    message = caught.value.response["Error"]["EncodedMessage"]
    their_sts = Keys(stranger_credentials.access_key_id, stranger_credentials.secret_key).client(live, "sts")
    theirs = their_sts.decode_authorization_message(EncodedMessage=message)["DecodedMessage"]
    assert "Hidden" not in theirs
    assert "Hidden" in sts.decode_authorization_message(EncodedMessage=message)["DecodedMessage"]
    with pytest.raises(ClientError) as caught:
        stranger.head_object(Bucket=bucket, Key="k")
    assert "x-amz-encoded-message" in caught.value.response["ResponseMetadata"]["HTTPHeaders"]


def test_a_key_tells_its_account(sts: Any, user: Any, their_sts: Any) -> None:
    account_id = sts.get_caller_identity()["Account"]
    assert sts.get_access_key_info(AccessKeyId=user.keys.aws_access_key_id)["Account"] == account_id
    assert refusal(lambda: sts.get_access_key_info(AccessKeyId="A" * 20)) == "ValidationError"
    assert refusal(lambda: their_sts.get_access_key_info(AccessKeyId="A" * 20)) == "AccessDenied"
