"""Writes of users, groups and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accesscontrol.models import ManagedPolicy, Role, User, UserGroup
from accesscontrol.selectors import forget_cached_keys
from accesscontrol.selectors.iam import Holder, find_group, find_policy, find_role, find_user, holder_kind
from accesscontrol.services.documents import check_trust_document
from s3protocol.query import errors

TAGS_MAX = 50
GROUPS_PER_USER_MAX = 10
H = TypeVar("H", User, UserGroup, Role)


def create_user(
    *, account_id: str, name: str, path: str, boundary_arn: str | None, tags: Sequence[Mapping[str, str]]
) -> User:
    """Make a user, without keys and password. Raises EntityAlreadyExists, NoSuchEntity (the boundary), InvalidInput."""
    user = User(
        account_id=account_id,
        name=name,
        path=path,
        username=console_name(account_id, name),
        boundary=_boundary(account_id, boundary_arn),
        tags=merged_tags({}, tags),
    )
    user.set_unusable_password()
    return _insert(user)


def console_name(account_id: str, name: str) -> str:
    """Return the name by which an IAM user signs in to the console, unique among all accounts."""
    return f"{name}@{account_id}"


def create_group(*, account_id: str, name: str, path: str) -> UserGroup:
    """Make a group. Raises EntityAlreadyExists."""
    return _insert(UserGroup(account_id=account_id, name=name, path=path))


def create_role(
    *,
    account_id: str,
    name: str,
    path: str,
    trust_policy: str,
    description: str,
    session_seconds_max: int,
    boundary_arn: str | None,
    tags: Sequence[Mapping[str, str]],
) -> Role:
    """Make a role. Raises as the others, MalformedPolicyDocument, LimitExceeded."""
    check_trust_document(trust_policy)
    return _insert(
        Role(
            account_id=account_id,
            name=name,
            path=path,
            trust_policy=trust_policy,
            description=description,
            session_seconds_max=session_seconds_max,
            boundary=_boundary(account_id, boundary_arn),
            tags=merged_tags({}, tags),
        )
    )


def _insert(row: H) -> H:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise errors.EntityAlreadyExists(
            f"{holder_kind(row).capitalize()} with name {row.name} already exists."
        ) from None
    row.refresh_from_db(fields=["created_at"])
    return row


@transaction.atomic
def rename(holder: User | UserGroup, *, new_name: str | None, new_path: str | None) -> None:
    """Give a user or group another name or path. Raises EntityAlreadyExists."""
    changed: dict[str, Any] = {}
    if new_name is not None:
        changed["name"] = new_name
        if isinstance(holder, User):
            changed["username"] = console_name(holder.account_id, new_name)
    if new_path is not None:
        changed["path"] = new_path
    if not changed:
        return
    try:
        with transaction.atomic():
            type(holder)._default_manager.filter(pk=holder.pk).update(**changed)  # noqa: SLF001  Django's public name
    except IntegrityError:
        raise errors.EntityAlreadyExists(
            f"{holder_kind(holder).capitalize()} with name {new_name} already exists."
        ) from None
    forget_cached_keys()


@transaction.atomic
def delete_user(*, account_id: str, name: str) -> None:
    """Delete a user who has nothing left. Raises NoSuchEntity, DeleteConflict."""
    user = User.objects.select_for_update().get(pk=find_user(account_id, name).pk)
    _refuse_while(user.access_keys.exists(), "must delete access keys first.")
    _refuse_while(user.has_usable_password(), "must delete login profile first.")
    _refuse_while(user.inline_policies.exists(), "must delete policies first.")
    _refuse_while(user.attachments.exists(), "must detach all policies first.")
    _refuse_while(user.user_groups.exists(), "must remove users from group first.")
    try:
        user.delete()
    except models.ProtectedError:
        raise errors.DeleteConflict("Cannot delete entity, something of this store still names the user.") from None
    forget_cached_keys()


@transaction.atomic
def delete_group(*, account_id: str, name: str) -> None:
    """Delete a group that has nothing left. Raises NoSuchEntity, DeleteConflict."""
    group = UserGroup.objects.select_for_update().get(pk=find_group(account_id, name).pk)
    _refuse_while(group.members.exists(), "must remove users from group first.")
    _refuse_while(group.inline_policies.exists(), "must delete policies first.")
    _refuse_while(group.attachments.exists(), "must detach all policies first.")
    group.delete()


@transaction.atomic
def delete_role(*, account_id: str, name: str) -> None:
    """Delete a role that has nothing left; its sessions end. Raises NoSuchEntity, DeleteConflict."""
    role = Role.objects.select_for_update().get(pk=find_role(account_id, name).pk)
    _refuse_while(role.inline_policies.exists(), "must delete policies first.")
    _refuse_while(role.attachments.exists(), "must detach all policies first.")
    role.delete()
    forget_cached_keys()


def _refuse_while(is_so: bool, what: str) -> None:  # noqa: FBT001  reads as the claim that it is
    if is_so:
        raise errors.DeleteConflict(f"Cannot delete entity, {what}")


@transaction.atomic
def add_to_group(*, account_id: str, group_name: str, user_name: str) -> None:
    """Let a user be of a group; nothing happens twice. Raises NoSuchEntity, LimitExceeded."""
    group = UserGroup.objects.select_for_update().get(pk=find_group(account_id, group_name).pk)
    user = User.objects.select_for_update().get(pk=find_user(account_id, user_name).pk)
    others = user.user_groups.exclude(pk=group.pk).count()
    if others >= GROUPS_PER_USER_MAX:
        raise errors.LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER_MAX}")
    group.members.add(user)
    forget_cached_keys()


def remove_from_group(*, account_id: str, group_name: str, user_name: str) -> None:
    """Let a user be of a group no more. Raises NoSuchEntity."""
    group, user = find_group(account_id, group_name), find_user(account_id, user_name)
    membership = UserGroup.members.through.objects.filter(usergroup_id=group.pk, user_id=user.pk)
    if not membership.delete()[0]:
        raise errors.NoSuchEntity(f"The user with name {user_name} is not in the group {group_name}.")
    forget_cached_keys()


def update_role(role: Role, **changed: Any) -> None:
    """Change a role's description, longest session or trust policy. Raises MalformedPolicyDocument, LimitExceeded."""
    if "trust_policy" in changed:
        check_trust_document(changed["trust_policy"])
    if changed:
        Role.objects.filter(pk=role.pk).update(**changed)


def end_sessions(holder: User | Role) -> None:
    """Refuse every session of a user or role that was issued until now; other processes follow within seconds."""
    # A session's time is in whole seconds: one of this very second ends, too.
    moment = timezone.now().replace(microsecond=0) + timedelta(seconds=1)
    type(holder)._default_manager.filter(pk=holder.pk).update(sessions_valid_from=moment)  # noqa: SLF001  as above
    forget_cached_keys()


def put_boundary(holder: User | Role, arn: str | None) -> None:
    """Set or lift the permissions boundary of a user or role. Raises NoSuchEntity, InvalidInput."""
    boundary = _boundary(holder.account_id, arn)
    type(holder)._default_manager.filter(pk=holder.pk).update(boundary=boundary)  # noqa: SLF001  Django's public name
    forget_cached_keys()


def _boundary(account_id: str, arn: str | None) -> ManagedPolicy | None:
    return None if arn is None else find_policy(account_id, arn)


@transaction.atomic
def change_tags(row: Any, *, added: Sequence[Mapping[str, str]] = (), removed: Iterable[str] = ()) -> None:
    """Add and remove tags of whatever has some. Raises LimitExceeded, InvalidInput."""
    locked = type(row)._default_manager.select_for_update().get(pk=row.pk)  # noqa: SLF001  Django's public name
    gone = set(removed)
    kept = {key: value for key, value in locked.tags.items() if key not in gone}
    locked.tags = merged_tags(kept, added)
    locked.save(update_fields=["tags"])
    forget_cached_keys()


def merged_tags(tags: Mapping[str, str], added: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return tags with others over them; their keys are caseless. Raises InvalidInput for a key twice or AWS's own, LimitExceeded."""
    keys = [tag["Key"] for tag in added]
    if len({key.lower() for key in keys}) != len(keys):
        raise errors.InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise errors.InvalidInput("Tag keys that begin with aws: are reserved.")
    kept = {key: value for key, value in tags.items() if key.lower() not in {new.lower() for new in keys}}
    merged = {**kept, **{tag["Key"]: tag["Value"] for tag in added}}
    if len(merged) > TAGS_MAX:
        raise errors.LimitExceeded(f"The number of tags has reached the maximum limit of {TAGS_MAX}.")
    return merged


def lock_holder(holder: Holder) -> None:
    """Hold a user, group or role until the transaction ends, so that what is counted of it stays so."""
    type(holder)._default_manager.select_for_update().get(pk=holder.pk)  # noqa: SLF001  Django's public name
