"""Bring the built-in policies into the database, where they are attached like any other."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accesscontrol.built_in_policies import BUILT_IN_POLICIES, BuiltInPolicy
from accesscontrol.models import ManagedPolicy, PolicyVersion


@transaction.atomic
def ensure_built_in_policies() -> None:
    """Make the built-in policies, or bring them up to date. Safe to repeat; runs at every start."""
    for built_in in BUILT_IN_POLICIES:
        _ensure(built_in)


def _ensure(built_in: BuiltInPolicy) -> None:
    policy, is_new = ManagedPolicy.objects.get_or_create(
        account=None, name=built_in.name, defaults={"path": built_in.path, "description": built_in.description}
    )
    if not is_new:
        current = PolicyVersion.objects.filter(policy=policy, number=policy.default_version).first()
        if current is not None and current.document == built_in.document:
            return
        policy.newest_version += 1
        policy.default_version = policy.newest_version
        policy.updated_at = timezone.now()
        policy.save(update_fields=["newest_version", "default_version", "updated_at"])
    PolicyVersion.objects.create(policy=policy, number=policy.default_version, document=built_in.document)
