"""Share links as pages and API make them: what is asked for is checked here, once, and decided about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from accesscontrol.models import User
from buckets.selectors import BucketRecord
from console.access import listing_of, principal_of, require
from console.services.presigned_links import s3_endpoint
from console.views.objects import open_version
from objects.attributes import KEY_BYTES_MAX
from sharing.models import ShareLink
from sharing.selectors import list_share_links
from sharing.services import PASSWORD_LENGTH_MAX, NewLink, create_share_link, revoke_share_link

EXPIRES_DAYS_MAX = 3_660
LISTED_LINKS_MAX = 500
PATH = "/-/share/"


class ShareForm(forms.Form):
    """How long a link lives, and what it asks for."""

    label = forms.CharField(
        max_length=200, required=False, label="Label", help_text="For you; visitors of a folder see it."
    )
    expires_days = forms.IntegerField(
        min_value=1, max_value=EXPIRES_DAYS_MAX, required=False, initial=30, label="Works for days",
        help_text="Empty: until it is revoked.",
    )  # fmt: skip
    downloads_max = forms.IntegerField(
        min_value=1, max_value=2_000_000_000, required=False, label="Downloads at most", help_text="Empty: any number."
    )
    password = forms.CharField(
        max_length=PASSWORD_LENGTH_MAX, required=False, label="Password", strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="Empty: none.",
    )  # fmt: skip


def make_link(
    request: HttpRequest, bucket: BucketRecord, key: str, row: int | None, *, is_prefix: bool, form: ShareForm
) -> NewLink:
    """Make a link to a key, to one of its versions, or to all below a prefix, if the user may read that.

    Raises Http404, PermissionDenied.
    """
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied("Nobody is signed in.")
    if len(key.encode()) > KEY_BYTES_MAX:
        raise Http404("There is no such key.")
    version_id = ""
    if is_prefix:
        require(request, "s3:ListBucket", bucket=bucket, stated=listing_of(key))
        require(request, "s3:GetObject", bucket=bucket, key=key)
    else:
        version = open_version(request, bucket, key, row)
        if version is None or version.is_delete_marker:
            raise Http404("There is no such object.")
        version_id = "" if row is None else version.version_id
    days = form.cleaned_data["expires_days"]
    return create_share_link(
        bucket_id=bucket.id,
        key=key,
        is_prefix=is_prefix,
        creator=user,
        version_id=version_id,
        label=form.cleaned_data["label"],
        password=form.cleaned_data["password"],
        expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
        downloads_max=form.cleaned_data["downloads_max"],
    )


def address_of(request: HttpRequest, made: NewLink) -> str:
    """Return the link as a browser opens it: on the S3 port, another origin than the console's."""
    scheme_and_host = s3_endpoint(request.get_host().rpartition(":")[0] or request.get_host())
    return f"{scheme_and_host}{PATH}{made.token}" + ("/" if made.link.is_prefix else "")


def links_visibility(request: HttpRequest) -> str | None:
    """Return the account whose links the user may see; None is everybody's, for operators. Raises PermissionDenied."""
    user = request.user
    if isinstance(user, User) and user.is_active and user.is_superuser:
        return None
    account_id = principal_of(request).account_id
    if account_id is None:
        raise PermissionDenied("Nobody is signed in.")
    return account_id


def find_own_link(request: HttpRequest, link_id: int) -> ShareLink:
    """Return a link that the user may end: its maker, the root user of the account, an operator. Raises Http404."""
    account_id = links_visibility(request)
    link = list_share_links(account_id=account_id).filter(pk=link_id).first() if link_id < 1 << 63 else None
    user = request.user
    assert isinstance(user, User)
    if link is None or not (account_id is None or user.is_root or link.creator_id == user.pk):
        raise Http404("There is no such link.")
    return link


def end_link(request: HttpRequest, link_id: int) -> ShareLink:
    """Revoke a link. Raises Http404."""
    link = find_own_link(request, link_id)
    revoke_share_link(link_id=link.pk)
    return link


def visible_links(request: HttpRequest) -> list[ShareLink]:
    """Return the newest links that the user may see: an account's for its root user, one's own for others."""
    links = list_share_links(account_id=links_visibility(request))
    user = request.user
    assert isinstance(user, User)
    if not (user.is_superuser or user.is_root):
        links = links.filter(creator=user)
    return list(links[:LISTED_LINKS_MAX])
