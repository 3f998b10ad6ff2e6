"""Writes of policies: managed ones with their versions, inline ones, attachments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from accesscontrol.models import InlinePolicy, ManagedPolicy, PolicyAttachment, PolicyVersion
from accesscontrol.selectors import forget_cached_keys
from accesscontrol.selectors.iam import Holder, find_policy, find_policy_version, holder_kind, policy_arn
from accesscontrol.services.documents import check_identity_document, check_inline_sizes, check_managed_document
from accesscontrol.services.identities import lock_holder, merged_tags
from s3protocol.query import errors

VERSIONS_MAX = 5
ATTACHMENTS_MAX = 10


@transaction.atomic
def create_policy(
    *, account_id: str, name: str, path: str, document: str, description: str, tags: Sequence[Mapping[str, str]]
) -> ManagedPolicy:
    """Make a managed policy with its first version. Raises EntityAlreadyExists, MalformedPolicyDocument, LimitExceeded."""
    check_managed_document(document)
    policy = ManagedPolicy(
        account_id=account_id, name=name, path=path, description=description, tags=merged_tags({}, tags)
    )
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
    except IntegrityError:
        raise errors.EntityAlreadyExists(
            f"A policy called {name} already exists. Duplicate names are not allowed."
        ) from None
    PolicyVersion.objects.create(policy=policy, number=1, document=document)
    policy.refresh_from_db(fields=["created_at", "updated_at"])
    return policy


@transaction.atomic
def delete_policy(*, account_id: str, arn: str) -> None:
    """Delete a managed policy that nobody has, and that has one version. Raises NoSuchEntity, DeleteConflict."""
    policy = _own_policy(account_id, arn)
    if policy.attachments.exists() or policy.bounded_users.exists() or policy.bounded_roles.exists():
        raise errors.DeleteConflict("Cannot delete a policy attached to entities.")
    if policy.versions.count() > 1:
        raise errors.DeleteConflict(
            "This policy has more than one version. Before you delete a policy, delete the others."
        )
    policy.delete()


@transaction.atomic
def create_policy_version(*, account_id: str, arn: str, document: str, is_default: bool) -> PolicyVersion:
    """Give a policy another version. Raises NoSuchEntity, MalformedPolicyDocument, LimitExceeded."""
    check_managed_document(document)
    policy = _own_policy(account_id, arn)
    if policy.versions.count() >= VERSIONS_MAX:
        raise errors.LimitExceeded(
            f"A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete one."
        )
    policy.newest_version += 1
    version = PolicyVersion.objects.create(policy=policy, number=policy.newest_version, document=document)
    if is_default:
        policy.default_version = version.number
    policy.updated_at = timezone.now()
    policy.save(update_fields=["newest_version", "default_version", "updated_at"])
    version.refresh_from_db()
    forget_cached_keys()
    return version


@transaction.atomic
def delete_policy_version(*, account_id: str, arn: str, version_id: str) -> None:
    """Delete a version that is not the default. Raises NoSuchEntity, DeleteConflict."""
    policy = _own_policy(account_id, arn)
    version = find_policy_version(policy, version_id)
    if version.number == policy.default_version:
        raise errors.DeleteConflict("Cannot delete the default version of a policy.")
    version.delete()


@transaction.atomic
def set_default_version(*, account_id: str, arn: str, version_id: str) -> None:
    """Let another version count. Raises NoSuchEntity."""
    policy = _own_policy(account_id, arn)
    policy.default_version = find_policy_version(policy, version_id).number
    policy.updated_at = timezone.now()
    policy.save(update_fields=["default_version", "updated_at"])
    forget_cached_keys()


def _own_policy(account_id: str, arn: str) -> ManagedPolicy:
    """Lock a policy of an account's own. Raises NoSuchEntity, AccessDenied for a built-in one."""
    policy = find_policy(account_id, arn)
    if policy.account_id is None:
        raise errors.AccessDenied("Built-in policies cannot be changed.")
    locked = ManagedPolicy.objects.select_for_update(of=("self",)).filter(pk=policy.pk).order_by("pk").first()
    if locked is None:
        raise errors.NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    return locked


@transaction.atomic
def attach_policy(holder: Holder, *, arn: str) -> None:
    """Give a user, group or role a managed policy; nothing happens twice. Raises NoSuchEntity, LimitExceeded."""
    lock_holder(holder)
    policy = find_policy(holder.account_id, arn)
    column = {holder_kind(holder): holder}
    if PolicyAttachment.objects.filter(policy=policy, **column).exists():
        return
    if PolicyAttachment.objects.filter(**column).count() >= ATTACHMENTS_MAX:
        raise errors.LimitExceeded(
            f"Cannot exceed quota for PoliciesPer{holder_kind(holder).capitalize()}: {ATTACHMENTS_MAX}"
        )
    try:
        with transaction.atomic():
            PolicyAttachment.objects.create(policy=policy, **column)
    except IntegrityError:  # the rival is DeletePolicy: the foreign key has the last word
        raise errors.NoSuchEntity(f"Policy {arn} does not exist or is not attachable.") from None
    forget_cached_keys()


def detach_policy(holder: Holder, *, arn: str) -> None:
    """Take a managed policy away. Raises NoSuchEntity."""
    policy = find_policy(holder.account_id, arn)
    if not PolicyAttachment.objects.filter(policy=policy, **{holder_kind(holder): holder}).delete()[0]:
        raise errors.NoSuchEntity(f"Policy {policy_arn(policy)} was not found.")
    forget_cached_keys()


@transaction.atomic
def put_inline_policy(holder: Holder, *, name: str, document: str) -> None:
    """Set an inline policy, or replace it. Raises MalformedPolicyDocument, LimitExceeded."""
    check_identity_document(document)
    lock_holder(holder)
    column = {holder_kind(holder): holder}
    others = InlinePolicy.objects.filter(**column).exclude(name__iexact=name).values_list("document", flat=True)
    check_inline_sizes([document, *others], holder_kind(holder), holder.name)
    if not InlinePolicy.objects.filter(name__iexact=name, **column).update(document=document):
        InlinePolicy.objects.create(name=name, document=document, **column)
    forget_cached_keys()


def delete_inline_policy(holder: Holder, *, name: str) -> None:
    """Delete an inline policy. Raises NoSuchEntity."""
    rows = InlinePolicy.objects.filter(name__iexact=name, **{holder_kind(holder): holder})
    if not rows.delete()[0]:
        raise errors.NoSuchEntity(f"The {holder_kind(holder)} policy with name {name} cannot be found.")
    forget_cached_keys()
