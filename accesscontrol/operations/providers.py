"""IAM's operations on OpenID Connect providers, whose tokens an account's roles may trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accesscontrol.arns import provider_arn
from accesscontrol.models import OidcProvider
from accesscontrol.operations.members import tag_members
from accesscontrol.operations.targets import new_provider_target, provider_target
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import find_provider, page_of_list
from accesscontrol.services import identities, providers
from s3protocol.query.registry import query_operation

Tags = Sequence[Mapping[str, str]]


@query_operation("CreateOpenIDConnectProvider", action="iam:CreateOpenIDConnectProvider", about=new_provider_target)
def create_open_id_connect_provider(
    context: QueryContext,
    *,
    url: str,
    client_id_list: Sequence[str] = (),
    thumbprint_list: Sequence[str] = (),
    tags: Tags = (),
) -> dict[str, Any]:
    """Trust a provider."""
    provider = providers.create_provider(
        account_id=context.account_id, url=url, client_ids=client_id_list, thumbprints=thumbprint_list, tags=tags
    )
    return {"OpenIDConnectProviderArn": provider_arn(context.account_id, provider.url)}


@query_operation("GetOpenIDConnectProvider", action="iam:GetOpenIDConnectProvider", about=provider_target)
def get_open_id_connect_provider(context: QueryContext, *, open_id_connect_provider_arn: str) -> dict[str, Any]:
    """Show a provider."""
    provider = find_provider(context.account_id, open_id_connect_provider_arn)
    return {
        "Url": provider.url,
        "ClientIDList": provider.client_ids,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": provider.created_at,
        "Tags": tag_members(provider.tags) if provider.tags else None,
    }


@query_operation("ListOpenIDConnectProviders", action="iam:ListOpenIDConnectProviders")
def list_open_id_connect_providers(context: QueryContext) -> dict[str, Any]:
    """List an account's providers."""
    urls = OidcProvider.objects.filter(account_id=context.account_id).values_list("url", flat=True)
    return {"OpenIDConnectProviderList": [{"Arn": provider_arn(context.account_id, url)} for url in urls]}


@query_operation("DeleteOpenIDConnectProvider", action="iam:DeleteOpenIDConnectProvider", about=provider_target)
def delete_open_id_connect_provider(context: QueryContext, *, open_id_connect_provider_arn: str) -> dict[str, Any]:
    """Trust a provider no more; sessions that it led to go on to their end."""
    find_provider(context.account_id, open_id_connect_provider_arn).delete()
    return {}


@query_operation(
    "AddClientIDToOpenIDConnectProvider", action="iam:AddClientIDToOpenIDConnectProvider", about=provider_target
)
def add_client_id_to_open_id_connect_provider(
    context: QueryContext, *, open_id_connect_provider_arn: str, client_id: str
) -> dict[str, Any]:
    """Take tokens of another audience."""
    provider = find_provider(context.account_id, open_id_connect_provider_arn)
    providers.change_client_ids(provider, added=client_id)
    return {}


@query_operation(
    "RemoveClientIDFromOpenIDConnectProvider",
    action="iam:RemoveClientIDFromOpenIDConnectProvider",
    about=provider_target,
)
def remove_client_id_from_open_id_connect_provider(
    context: QueryContext, *, open_id_connect_provider_arn: str, client_id: str
) -> dict[str, Any]:
    """Take tokens of an audience no more."""
    provider = find_provider(context.account_id, open_id_connect_provider_arn)
    providers.change_client_ids(provider, removed=client_id)
    return {}


@query_operation(
    "UpdateOpenIDConnectProviderThumbprint", action="iam:UpdateOpenIDConnectProviderThumbprint", about=provider_target
)
def update_open_id_connect_provider_thumbprint(
    context: QueryContext, *, open_id_connect_provider_arn: str, thumbprint_list: Sequence[str]
) -> dict[str, Any]:
    """Replace the thumbprints of a provider's certificates."""
    provider = find_provider(context.account_id, open_id_connect_provider_arn)
    providers.replace_thumbprints(provider, thumbprint_list)
    return {}


@query_operation("TagOpenIDConnectProvider", action="iam:TagOpenIDConnectProvider", about=provider_target)
def tag_open_id_connect_provider(
    context: QueryContext, *, open_id_connect_provider_arn: str, tags: Tags
) -> dict[str, Any]:
    """Add tags to a provider."""
    identities.change_tags(find_provider(context.account_id, open_id_connect_provider_arn), added=tags)
    return {}


@query_operation("UntagOpenIDConnectProvider", action="iam:UntagOpenIDConnectProvider", about=provider_target)
def untag_open_id_connect_provider(
    context: QueryContext, *, open_id_connect_provider_arn: str, tag_keys: Sequence[str]
) -> dict[str, Any]:
    """Remove tags from a provider."""
    identities.change_tags(find_provider(context.account_id, open_id_connect_provider_arn), removed=tag_keys)
    return {}


@query_operation("ListOpenIDConnectProviderTags", action="iam:ListOpenIDConnectProviderTags", about=provider_target)
def list_open_id_connect_provider_tags(
    context: QueryContext,
    *,
    open_id_connect_provider_arn: str,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the tags of a provider."""
    tags = tag_members(find_provider(context.account_id, open_id_connect_provider_arn).tags)
    page, more = page_of_list(tags, key=lambda tag: tag["Key"], marker=marker, max_items=max_items)
    return {"Tags": page, **more}
