"""Managed policies with their versions, what they are attached to, and the simulator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.system import LiveSystem
from tests.s3.iam import allow, becomes, deny, make_user, policy_of, refusal, trust, unique

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture
def policy_arn(iam: Any) -> str:
    """A managed policy that allows listing buckets."""
    made = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=policy_of(allow("s3:ListAllMyBuckets")))
    return str(made["Policy"]["Arn"])


def test_the_default_version_is_the_one_that_counts(iam: Any, live: LiveSystem, policy_arn: str) -> None:
    user = make_user(iam)
    s3 = user.keys.client(live)
    iam.attach_user_policy(UserName=user.name, PolicyArn=policy_arn)
    becomes(s3.list_buckets, "")
    denying = policy_of(deny("s3:ListAllMyBuckets"))
    made = iam.create_policy_version(PolicyArn=policy_arn, PolicyDocument=denying, SetAsDefault=True)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", True)
    becomes(s3.list_buckets, "AccessDenied")
    assert refusal(lambda: iam.delete_policy_version(PolicyArn=policy_arn, VersionId="v2")) == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=policy_arn, VersionId="v1")
    shown = iam.get_policy_version(PolicyArn=policy_arn, VersionId="v2")["PolicyVersion"]
    assert shown["Document"] == json.loads(denying)
    iam.delete_policy_version(PolicyArn=policy_arn, VersionId="v2")
    assert refusal(lambda: iam.get_policy_version(PolicyArn=policy_arn, VersionId="v2")) == "NoSuchEntity"
    third = iam.create_policy_version(PolicyArn=policy_arn, PolicyDocument=denying)["PolicyVersion"]
    assert (third["VersionId"], third["IsDefaultVersion"]) == ("v3", False)
    listed = [one["VersionId"] for one in iam.list_policy_versions(PolicyArn=policy_arn)["Versions"]]
    assert listed == ["v3", "v1"]


def test_a_policy_has_five_versions_at_most(iam: Any, policy_arn: str) -> None:
    document = policy_of(allow("s3:*"))
    for _ in range(4):
        iam.create_policy_version(PolicyArn=policy_arn, PolicyDocument=document)
    more = {"PolicyArn": policy_arn, "PolicyDocument": document}
    assert refusal(lambda: iam.create_policy_version(**more)) == "LimitExceeded"
    assert refusal(lambda: iam.delete_policy(PolicyArn=policy_arn)) == "DeleteConflict"


def test_an_attached_policy_is_kept_and_tells_who_has_it(iam: Any, policy_arn: str) -> None:
    user, group, role = make_user(iam), unique("group"), unique("role")
    iam.create_group(GroupName=group)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": user.arn}))
    iam.attach_user_policy(UserName=user.name, PolicyArn=policy_arn)
    iam.attach_group_policy(GroupName=group, PolicyArn=policy_arn)
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=policy_arn)
    found = iam.list_entities_for_policy(PolicyArn=policy_arn)
    assert [one["UserName"] for one in found["PolicyUsers"]] == [user.name]
    assert [one["GroupName"] for one in found["PolicyGroups"]] == [group]
    assert [one["RoleName"] for one in found["PolicyRoles"]] == [role]
    shown = iam.get_policy(PolicyArn=policy_arn)["Policy"]
    assert (shown["AttachmentCount"], shown["PermissionsBoundaryUsageCount"]) == (2, 1)
    assert refusal(lambda: iam.delete_policy(PolicyArn=policy_arn)) == "DeleteConflict"
    iam.detach_user_policy(UserName=user.name, PolicyArn=policy_arn)
    iam.detach_group_policy(GroupName=group, PolicyArn=policy_arn)
    iam.delete_role_permissions_boundary(RoleName=role)
    iam.delete_policy(PolicyArn=policy_arn)
    assert refusal(lambda: iam.get_policy(PolicyArn=policy_arn)) == "NoSuchEntity"


def test_built_in_policies_are_there_and_stay(iam: Any, policy_arn: str) -> None:
    built_in = iam.list_policies(Scope="AWS")["Policies"]
    assert READ_ONLY in [one["Arn"] for one in built_in]
    own = [one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]]
    assert policy_arn in own
    assert READ_ONLY not in own
    assert refusal(lambda: iam.delete_policy(PolicyArn=READ_ONLY)) == "AccessDenied"
    other = {"PolicyArn": READ_ONLY, "PolicyDocument": policy_of(allow("*"))}
    assert refusal(lambda: iam.create_policy_version(**other)) == "AccessDenied"


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "{}",
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]}),
        policy_of(allow("s3:*", Principal="*")),
        policy_of(allow("s3:*", resource="bucket")),
        policy_of(allow("s3:*", Condition={"NoSuchOperator": {"aws:username": "a"}})),
        policy_of({**allow("s3:*"), "Sid": "twice"}, {**allow("s3:*"), "Sid": "twice"}),
        policy_of({**allow("s3:*"), "Sid": "two words"}),
        policy_of(allow("s3:*", resource="arn:aws:s3")),
    ],
)
def test_what_is_no_policy_of_an_identity_is_refused(iam: Any, document: str) -> None:
    name = unique("bad")
    assert refusal(lambda: iam.create_policy(PolicyName=name, PolicyDocument=document)) == "MalformedPolicyDocument"


def test_a_trust_policy_names_principals_and_no_resource(iam: Any) -> None:
    everybody = {"AWS": "*"}
    for document in (
        policy_of(allow("sts:AssumeRole")),
        policy_of(allow("sts:AssumeRole", Principal=everybody)),
        trust(everybody, "s3:GetObject"),
    ):
        asked = {"RoleName": unique("role"), "AssumeRolePolicyDocument": document}
        assert refusal(lambda asked=asked: iam.create_role(**asked)) == "MalformedPolicyDocument"


def test_documents_are_bounded(iam: Any) -> None:
    user = make_user(iam)
    large = policy_of(allow("s3:*", resource=[f"arn:aws:s3:::bucket-{number:06}" for number in range(100)]))
    put = {"UserName": user.name, "PolicyName": "large", "PolicyDocument": large}
    assert refusal(lambda: iam.put_user_policy(**put)) == "LimitExceeded"
    larger = policy_of(allow("s3:*", resource=[f"arn:aws:s3:::bucket-{number:06}" for number in range(400)]))
    made = {"PolicyName": unique("larger"), "PolicyDocument": larger}
    assert refusal(lambda: iam.create_policy(**made)) == "LimitExceeded"


def test_the_simulator_tells_decisions_statements_and_missing_keys(iam: Any) -> None:
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "Read", **allow("s3:GetObject", resource="arn:aws:s3:::b/*")},
                {"Sid": "Own", **allow("s3:PutObject", Condition={"StringEquals": {"s3:X-Amz-Acl": "private"}})},
                {"Sid": "Keep", **deny("s3:DeleteObject")},
            ],
        },
        indent=1,
    )
    asked = {"PolicyInputList": [document], "ResourceArns": ["arn:aws:s3:::b/k"]}
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
    results = {
        one["EvalActionName"]: one
        for one in iam.simulate_custom_policy(ActionNames=actions, **asked)["EvaluationResults"]
    }
    outcomes = [results[action]["EvalDecision"] for action in actions]
    assert outcomes == ["allowed", "implicitDeny", "explicitDeny", "implicitDeny"]
    (matched,) = results["s3:GetObject"]["MatchedStatements"]
    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    lines = document.splitlines()
    assert lines[matched["StartPosition"]["Line"] - 1][matched["StartPosition"]["Column"] - 1 :].startswith("{")
    assert results["s3:PutObject"]["MissingContextValues"] == ["s3:X-Amz-Acl"]
    entry = {"ContextKeyName": "s3:x-amz-acl", "ContextKeyType": "string", "ContextKeyValues": ["private"]}
    (given,) = iam.simulate_custom_policy(ActionNames=["s3:PutObject"], ContextEntries=[entry], **asked)[
        "EvaluationResults"
    ]
    assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", [])
    tagged = policy_of(allow("s3:GetObject", Condition={"StringEquals": {"aws:ResourceTag/Team": "blue"}}))
    tag = {"ContextKeyName": "aws:ResourceTag/Team", "ContextKeyType": "string", "ContextKeyValues": ["blue"]}
    for entries, expected in (([], "implicitDeny"), ([tag], "allowed")):
        (told,) = iam.simulate_custom_policy(
            **{**asked, "PolicyInputList": [tagged]}, ActionNames=["s3:GetObject"], ContextEntries=entries
        )["EvaluationResults"]
        assert told["EvalDecision"] == expected
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[document])["ContextKeyNames"] == ["s3:X-Amz-Acl"]
    bad = {"PolicyInputList": ["{"], "ActionNames": ["s3:GetObject"]}
    assert refusal(lambda: iam.simulate_custom_policy(**bad)) == "InvalidInput"


def test_the_simulator_knows_the_policies_of_a_user_with_groups_and_boundary(iam: Any) -> None:
    user, group = make_user(iam, allow("s3:GetObject")), unique("group")
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    asked = {"PolicySourceArn": user.arn, "ActionNames": ["s3:GetObject", "s3:PutObject"]}
    reading, writing = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert (reading["EvalDecision"], writing["EvalDecision"]) == ("allowed", "implicitDeny")
    kinds = {one["SourcePolicyType"] for one in reading["MatchedStatements"]}
    assert kinds == {"user", "aws-managed"}
    iam.put_user_permissions_boundary(
        UserName=user.name, PermissionsBoundary="arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    )
    (bounded, _) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    elsewhere = {**asked, "PolicySourceArn": "arn:aws:iam::000000000000:user/x"}
    assert refusal(lambda: iam.simulate_principal_policy(**elsewhere)) == "NoSuchEntity"
