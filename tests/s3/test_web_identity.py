"""Roles for whom an OpenID Connect provider vouches: a real one, asked over HTTP by the gateway."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from oidc_provider_mock import User as Person
from oidc_provider_mock import run_server_in_thread

from tests.live.identity_provider import id_token
from tests.live.system import LiveSystem
from tests.s3.iam import Keys, allow, policy_of, refusal, trust, unique

TAGS = {"principal_tags": {"team": ["a"]}, "transitive_tag_keys": ["team"]}
PEOPLE = (
    Person(sub="ann", claims={"email": "ann@example.org"}),
    Person(sub="bob", claims={"https://aws.amazon.com/tags": TAGS}),
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run a provider; tokens of it are for the client `app` unless another one asks."""
    with run_server_in_thread(user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def provider_arn(iam: Any, issuer: str) -> str:
    """Register the provider."""
    return str(iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["app"])["OpenIDConnectProviderArn"])


@pytest.fixture(scope="module")
def anonymous_sts(live: LiveSystem) -> Any:
    """STS's client of nobody."""
    return live.client("sts", config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))


def make_role(iam: Any, provider_arn: str, *statements: Any, actions: Any = (), **more: Any) -> str:
    """Make a role that trusts the provider."""
    name = unique("web")
    document = trust({"Federated": provider_arn}, "sts:AssumeRoleWithWebIdentity", *actions, **more)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy_of(*statements))
    return str(arn)


def assumed(sts: Any, role_arn: str, token: str) -> dict[str, Any]:
    """Assume a role with a token."""
    answer = sts.assume_role_with_web_identity(RoleArn=role_arn, RoleSessionName="web", WebIdentityToken=token)
    return dict(answer)


def test_a_token_opens_a_role(iam: Any, issuer: str, provider_arn: str, anonymous_sts: Any, live: LiveSystem) -> None:
    host = issuer.removeprefix("http://")
    condition = {"StringEquals": {f"{host}:aud": "app", f"{host}:sub": "ann", f"{host}:email": "ann@example.org"}}
    role_arn = make_role(iam, provider_arn, allow("s3:ListAllMyBuckets"), Condition=condition)
    answer = assumed(anonymous_sts, role_arn, id_token(issuer, "ann"))
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("ann", "app")
    assert answer["Provider"] == provider_arn
    Keys.of(answer).client(live).list_buckets()
    assert refusal(lambda: assumed(anonymous_sts, role_arn, id_token(issuer, "bob"))) == "AccessDenied"


def test_a_token_for_another_audience_is_refused(iam: Any, issuer: str, provider_arn: str, anonymous_sts: Any) -> None:
    role_arn = make_role(iam, provider_arn)
    token = id_token(issuer, "ann", client_id="other")
    assert refusal(lambda: assumed(anonymous_sts, role_arn, token)) == "InvalidIdentityToken"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn, ClientID="other")
    try:
        assumed(anonymous_sts, role_arn, token)
    finally:
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn, ClientID="other")


def test_a_token_that_was_changed_or_never_signed_is_refused(
    iam: Any, issuer: str, provider_arn: str, anonymous_sts: Any
) -> None:
    role_arn = make_role(iam, provider_arn)
    header, claims, signature = id_token(issuer, "ann").split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**changed, "sub": "bob"}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for token in (f"{header}.{forged}.{signature}", f"{none}.{claims}.", f"{header}.{claims}.", "abcd", "a.b.c"):
        assert refusal(lambda token=token: assumed(anonymous_sts, role_arn, token)) == "InvalidIdentityToken"


def test_a_token_of_an_unknown_issuer_is_refused_and_the_issuer_not_asked(
    iam: Any, provider_arn: str, anonymous_sts: Any
) -> None:
    role_arn = make_role(iam, provider_arn)
    with run_server_in_thread(user_claims=PEOPLE) as other:
        token = id_token(f"http://localhost:{other.server_port}", "ann")
    assert refusal(lambda: assumed(anonymous_sts, role_arn, token)) == "InvalidIdentityToken"


def test_an_expired_token_is_refused(iam: Any, anonymous_sts: Any) -> None:
    with run_server_in_thread(user_claims=PEOPLE, access_token_max_age=timedelta(seconds=-5)) as server:
        issuer = f"http://localhost:{server.server_port}"
        arn = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["app"])["OpenIDConnectProviderArn"]
        role_arn = make_role(iam, arn)
        token = id_token(issuer, "ann")
        assert refusal(lambda: assumed(anonymous_sts, role_arn, token)) == "ExpiredTokenException"


def test_a_provider_in_a_network_that_is_not_allowed_is_not_asked(iam: Any, anonymous_sts: Any) -> None:
    arn = iam.create_open_id_connect_provider(Url="http://10.255.255.1", ClientIDList=["app"])[
        "OpenIDConnectProviderArn"
    ]
    role_arn = make_role(iam, arn)
    claims = base64.urlsafe_b64encode(json.dumps({"iss": "http://10.255.255.1"}).encode()).decode().rstrip("=")
    token = f"eyJhbGciOiJSUzI1NiJ9.{claims}.AAAA"
    assert refusal(lambda: assumed(anonymous_sts, role_arn, token)) == "IDPCommunicationError"


def test_tags_of_a_token_are_the_session_s(
    iam: Any, issuer: str, provider_arn: str, anonymous_sts: Any, live: LiveSystem
) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/team": "a"}}
    mine = allow("s3:ListAllMyBuckets", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})
    role_arn = make_role(iam, provider_arn, mine, actions=["sts:TagSession"], Condition=tagged)
    Keys.of(assumed(anonymous_sts, role_arn, id_token(issuer, "bob"))).client(live).list_buckets()
    assert refusal(lambda: assumed(anonymous_sts, role_arn, id_token(issuer, "ann"))) == "AccessDenied"
    untagging = make_role(iam, provider_arn)
    assert refusal(lambda: assumed(anonymous_sts, untagging, id_token(issuer, "bob"))) == "AccessDenied"


def test_a_role_of_the_account_alone_does_not_trust_the_provider(
    iam: Any, sts: Any, issuer: str, provider_arn: str, anonymous_sts: Any
) -> None:
    account_id = sts.get_caller_identity()["Account"]
    document = trust({"AWS": account_id}, "sts:AssumeRoleWithWebIdentity")
    arn = iam.create_role(RoleName=unique("aws"), AssumeRolePolicyDocument=document)["Role"]["Arn"]
    assert refusal(lambda: assumed(anonymous_sts, arn, id_token(issuer, "ann"))) == "AccessDenied"
    assert refusal(lambda: assumed(anonymous_sts, arn + "-not-there", id_token(issuer, "ann"))) == "AccessDenied"


def test_a_provider_without_client_ids_leaves_the_audience_to_the_trust_policy(iam: Any, anonymous_sts: Any) -> None:
    with run_server_in_thread(user_claims=PEOPLE) as server:
        issuer, host = f"http://localhost:{server.server_port}", f"localhost:{server.server_port}"
        arn = iam.create_open_id_connect_provider(Url=issuer)["OpenIDConnectProviderArn"]
        for claim, value, code in (
            ("sub", "ann", "InvalidIdentityToken"),
            ("aud", "app", ""),
            ("aud", "b", "AccessDenied"),
        ):
            role_arn = make_role(iam, arn, Condition={"StringEquals": {f"{host}:{claim}": value}})
            assert refusal(lambda arn=role_arn: assumed(anonymous_sts, arn, id_token(issuer, "ann"))) == code, claim


def test_providers_are_listed_changed_and_deleted(iam: Any) -> None:
    url = f"https://{unique('idp')}.example.org/realm"
    arn = iam.create_open_id_connect_provider(Url=url, ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    assert refusal(lambda: iam.create_open_id_connect_provider(Url=url)) == "EntityAlreadyExists"
    assert arn in [one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    shown = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (shown["Url"], shown["ClientIDList"]) == (url.removeprefix("https://"), [])
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ThumbprintList"] == ["b" * 40]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refusal(lambda: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)) == "NoSuchEntity"


@pytest.mark.parametrize("url", ["ftp://x", "https://u:p@x", "https://x?y=1", "https://", "https://x/*", "https://x#a"])
def test_what_is_no_issuer_is_refused(iam: Any, url: str) -> None:
    assert refusal(lambda: iam.create_open_id_connect_provider(Url=url)) == "ValidationError"


def explained(live: LiveSystem, principal: str, role_arn: str, *context: str, is_checked: bool = True) -> Any:
    told = [part for one in context for part in ("--context", one)]
    asked = ("explain", principal, "sts:AssumeRoleWithWebIdentity", role_arn, *told, "--json")
    done = live.manage(*asked, is_checked=is_checked)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_explanations_tell_what_a_token_lacks(iam: Any, provider_arn: str, live: LiveSystem) -> None:
    host = provider_arn.partition("/")[2]
    role_arn = make_role(iam, provider_arn, Condition={"StringEquals": {f"{host}:sub": "ann"}})
    assert explained(live, provider_arn, role_arn, f"{host}:sub=ann")["allowed"] is True
    unsaid = explained(live, provider_arn, role_arn)
    assert (unsaid["allowed"], f"{host}:sub" in unsaid["remarks"][0]) == (False, True)
    closed = iam.create_role(RoleName=unique("web"), AssumeRolePolicyDocument=trust({"AWS": "123456789012"}))["Role"]
    (change,) = explained(live, provider_arn, closed["Arn"])["smallest_change"]
    assert change["statement"]["Principal"] == {"Federated": provider_arn}
    unregistered = provider_arn.replace(host, "nobody.example")
    assert "there is no" in explained(live, unregistered, role_arn, is_checked=False)


def test_explanations_know_that_a_provider_without_client_ids_needs_an_audience(iam: Any, live: LiveSystem) -> None:
    host = f"{unique('idp')}.example"
    arn = iam.create_open_id_connect_provider(Url=f"https://{host}")["OpenIDConnectProviderArn"]
    told = explained(live, arn, make_role(iam, arn))
    assert (told["allowed"], told["reason"]) == (
        False,
        "the provider has no client ids, and the trust policy names no audience",
    )
    assert f"{host}:aud" in told["smallest_change"][0]["text"]
    named = make_role(iam, arn, Condition={"StringEquals": {f"{host}:aud": "app"}})
    assert explained(live, arn, named, f"{host}:aud=app")["allowed"] is True
