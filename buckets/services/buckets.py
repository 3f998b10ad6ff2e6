"""Writes of buckets and their configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from accesscontrol.acl import AclDocument
from accesscontrol.public_access import ObjectOwnership, PublicAccessBlock
from accesscontrol.selectors import find_public_access_block
from accesscontrol.services import set_public_access_block
from audit.selectors import newest_id
from buckets import access_log, lifecycle, notification, replication
from buckets.identified import CONFIGURATION_COUNT_MAX
from buckets.models import (
    AccessLogProgress,
    Bucket,
    BucketConfiguration,
    NotificationRule,
    ReplicationRule,
    Versioning,
)
from buckets.names import is_valid_bucket_name
from buckets.selectors import find_remote_store
from events.models import EventTarget
from events.services.outbox import note_test_event
from s3protocol import errors

# The class of advisory locks that stand for a bucket's existence: a writer into the bucket holds its lock shared until
# it commits, whoever deletes the bucket holds it exclusively. Nothing is written for it, so busy buckets stay cool.
BUCKET_LOCK_CLASS = 0x6F62


def create_bucket(
    *,
    name: str,
    owner_id: str,
    region: str,
    is_lock_enabled: bool = False,
    acl: AclDocument | None = None,
    ownership: ObjectOwnership | None = None,
) -> Bucket:
    """Create a bucket; one whose versions can be locked is versioned from the start. No ownership is the default one.

    Raises InvalidBucketName; BucketAlreadyOwnedByYou when the owner has just such a bucket, BucketAlreadyExists when the
    name is taken otherwise: by somebody else, or by a bucket that is shared differently.
    """
    if not is_valid_bucket_name(name):
        raise errors.InvalidBucketName(BucketName=name)
    defaults: dict[str, Any] = {
        "owner_id": owner_id,
        "region": region,
        "is_lock_enabled": is_lock_enabled,
        "versioning": Versioning.ENABLED if is_lock_enabled else Versioning.UNVERSIONED,
    }
    if acl is not None:
        defaults["acl"] = acl
    if ownership is not None:
        defaults["object_ownership"] = ownership
    with transaction.atomic():
        defaults["account_public_access_block"] = find_public_access_block(owner_id, keeps=True)
        bucket, is_new = Bucket.objects.get_or_create(name=name, defaults=defaults)
    if is_new:
        return bucket
    if bucket.owner_id == owner_id and bucket.acl == acl:
        raise errors.BucketAlreadyOwnedByYou(BucketName=name)
    raise errors.BucketAlreadyExists(BucketName=name)


def lock_bucket_exclusively(bucket_id: int) -> None:
    """Wait for the bucket's writers to finish and keep new ones out until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [BUCKET_LOCK_CLASS, bucket_id])


def lock_bucket_shared(bucket_id: int) -> None:
    """Keep the bucket from being deleted until this transaction ends. Raises NoSuchBucket when it is gone already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, hashint8(%s))", [BUCKET_LOCK_CLASS, bucket_id])
        cursor.execute("SELECT 1 FROM buckets_bucket WHERE id = %s", [bucket_id])
        if cursor.fetchone() is None:
            raise errors.NoSuchBucket


def put_bucket_versioning(*, bucket_id: int, status: Versioning) -> None:
    """Enable or suspend versioning. Writers see the new state from their next commit on.

    Raises InvalidBucketState where versions can be locked: their protection rests on versioning.
    """
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        bucket = Bucket.objects.get(pk=bucket_id)
        if bucket.is_lock_enabled and status != Versioning.ENABLED:
            raise errors.InvalidBucketState(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        if bucket.has_replication_rules and status != Versioning.ENABLED:
            raise errors.InvalidBucketState(
                "A replication configuration is present on this bucket, so the versioning state cannot be changed."
            )
        Bucket.objects.filter(pk=bucket_id).update(versioning=status)


def put_object_lock_configuration(*, bucket_id: int, default_retention: Mapping[str, Any] | None) -> None:
    """Let versions be locked from now on, and set what new ones get by default (None: nothing).

    Raises InvalidBucketState unless versioning is enabled.
    """
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        changed = Bucket.objects.filter(pk=bucket_id, versioning=Versioning.ENABLED).update(
            is_lock_enabled=True, default_retention=default_retention
        )
    if not changed:
        raise errors.InvalidBucketState(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        )


def put_bucket_policy(*, bucket_id: int, policy: str | None) -> None:
    """Replace or remove (None) the policy of a bucket; whoever calls has parsed it."""
    Bucket.objects.filter(pk=bucket_id).update(policy=policy)


def put_bucket_acl(*, bucket_id: int, acl: AclDocument | None) -> None:
    """Replace the grants of a bucket; None is private.

    Raises AccessControlListNotSupported where its owner owns everything and shares by policies alone.
    """
    # Against the rival who enforces ownership between the caller's look and this.
    shared = Bucket.objects.filter(pk=bucket_id)
    if acl is not None:
        shared = shared.exclude(object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED)
    if not shared.update(acl=acl):
        raise errors.AccessControlListNotSupported


def put_bucket_ownership_controls(*, bucket_id: int, ownership: ObjectOwnership | None) -> None:
    """Say who owns what others write; None leaves it to them.

    Raises InvalidBucketAclWithObjectOwnership when the owner is to own everything and the bucket's grants share it.
    """
    owned = Bucket.objects.filter(pk=bucket_id)
    if ownership == ObjectOwnership.BUCKET_OWNER_ENFORCED:
        owned = owned.filter(acl__isnull=True)  # against the rival who shares it meanwhile
    if not owned.update(object_ownership=ownership or ""):
        raise errors.InvalidBucketAclWithObjectOwnership


def put_public_access_block(*, bucket_id: int, block: PublicAccessBlock | None) -> None:
    """Say what the bucket refuses to share with everyone; None is nothing."""
    Bucket.objects.filter(pk=bucket_id).update(public_access_block=None if block is None else block.document())


def put_account_public_access_block(*, account_id: str, block: PublicAccessBlock | None) -> None:
    """Say what all buckets of an account refuse to share with everyone; it counts from the next request on.

    A bucket that is being made waits until this is done, or is there for it.
    """
    with transaction.atomic():
        document = set_public_access_block(account_id=account_id, block=block)
        Bucket.objects.filter(owner_id=account_id).update(account_public_access_block=document)


def put_bucket_encryption(*, bucket_id: int, rule: Mapping[str, Any] | None) -> None:
    """Set or remove a bucket's rule of default encryption."""
    Bucket.objects.filter(pk=bucket_id).update(encryption=rule)


def put_configuration(*, bucket_id: int, kind: str, document: Any) -> None:
    """Store a bucket's document of a kind, in place of an earlier one."""
    BucketConfiguration.objects.update_or_create(bucket_id=bucket_id, kind=kind, defaults={"document": document})


def put_identified_configuration(*, bucket_id: int, kind: str, name: str, document: Any) -> None:
    """Store one of a bucket's documents of a kind, by id. Raises TooManyConfigurations for one more than there can be."""
    with transaction.atomic():
        Bucket.objects.select_for_update(no_key=True).get(pk=bucket_id)  # against others who add the last one, too
        others = BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).exclude(name=name)
        if others.count() >= CONFIGURATION_COUNT_MAX:
            raise errors.TooManyConfigurations
        BucketConfiguration.objects.update_or_create(
            bucket_id=bucket_id, kind=kind, name=name, defaults={"document": document}
        )


def delete_identified_configuration(*, bucket_id: int, kind: str, name: str) -> None:
    """Remove one of a bucket's documents of a kind. Raises NoSuchConfiguration."""
    removed, _ = BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind, name=name).delete()
    if not removed:
        raise errors.NoSuchConfiguration


def put_bucket_lifecycle_configuration(*, bucket_id: int, document: Any) -> None:
    """Replace a bucket's lifecycle rules; None removes them."""
    with transaction.atomic():
        if document is None:
            delete_configuration(bucket_id=bucket_id, kind=lifecycle.KIND)
        else:
            put_configuration(bucket_id=bucket_id, kind=lifecycle.KIND, document=document)
        Bucket.objects.filter(pk=bucket_id).update(has_lifecycle_rules=document is not None)


def put_bucket_notification_configuration(
    *, bucket_id: int, document: Mapping[str, Any], tells_targets: bool = True
) -> None:
    """Replace who is told of what happens in a bucket, whoever calls has checked the document; {} tells nobody.

    Every change that commits from then on is told. Each target gets a test event, if `tells_targets`. Raises
    InvalidArgument for a target that there is not for the account of the bucket.
    """
    rules = notification.rules_of(document)
    targets = _event_targets(bucket_id) if rules else {}
    # The account's own event bus, if it has one; else the one for all.
    buses = sorted((one for one in targets.values() if one.is_event_bus), key=lambda bus: not bus.account_id)
    bus = buses[0] if buses else None
    rows = []
    for rule in rules:
        named = bus if rule.target is None else targets.get((rule.target.name, rule.target.kind.value))
        if named is None:
            raise errors.InvalidArgument(
                "Unable to validate the following destination configurations",
                ArgumentName="EventBridgeConfiguration" if rule.target is None else rule.target.arn,
                ArgumentValue="null",
            )
        rows.append(
            NotificationRule(
                bucket_id=bucket_id,
                target=named,
                configuration_id=rule.configuration_id,
                event_names=list(rule.event_names),
                prefix=rule.prefix,
                suffix=rule.suffix,
            )
        )
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        bucket = Bucket.objects.get(pk=bucket_id)
        if document:
            put_configuration(bucket_id=bucket_id, kind=notification.KIND, document=document)
        else:
            delete_configuration(bucket_id=bucket_id, kind=notification.KIND)
        NotificationRule.objects.filter(bucket_id=bucket_id).delete()
        NotificationRule.objects.bulk_create(rows)
        Bucket.objects.filter(pk=bucket_id).update(has_notification_rules=bool(rows))
        if tells_targets:
            for target_id in sorted({row.target_id for row in rows if not row.target.is_event_bus}):
                note_test_event(
                    target_id=target_id, bucket_id=bucket_id, bucket_name=bucket.name, owner_id=bucket.owner_id
                )


def _event_targets(bucket_id: int) -> dict[tuple[str, str], EventTarget]:
    """Return the targets that a bucket may use. Two statements."""
    owner_id = Bucket.objects.values_list("owner_id", flat=True).get(pk=bucket_id)
    return {(target.name, target.kind): target for target in EventTarget.objects.all() if target.serves(owner_id)}


def put_bucket_logging(*, bucket_id: int, document: Any) -> None:
    """Begin to deliver access logs of what is asked from now on, change where they go, or (None) end it."""
    with transaction.atomic():
        if document is None:
            delete_configuration(bucket_id=bucket_id, kind=access_log.KIND)
            AccessLogProgress.objects.filter(bucket_id=bucket_id).delete()
            return
        put_configuration(bucket_id=bucket_id, kind=access_log.KIND, document=document)
        AccessLogProgress.objects.get_or_create(bucket_id=bucket_id, defaults={"delivered_id": newest_id()})


def put_bucket_replication(*, bucket_id: int, document: Mapping[str, Any] | None) -> None:
    """Replace where a bucket is replicated to; None replicates nothing more. What is on its way arrives in any case.

    Every version that commits from then on is replicated. Raises InvalidRequest for a bucket, or destination, that can't
    take part: both must be there and versioned.
    """
    rules = [] if document is None else replication.enabled_rules(document)
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        bucket = Bucket.objects.get(pk=bucket_id)
        if document is None:
            delete_configuration(bucket_id=bucket_id, kind=replication.KIND)
        else:
            _check_replicable(bucket, document)
            put_configuration(bucket_id=bucket_id, kind=replication.KIND, document=document)
        ReplicationRule.objects.filter(bucket_id=bucket_id).delete()
        ReplicationRule.objects.bulk_create(
            ReplicationRule(
                bucket_id=bucket_id,
                rule_id=rule.id,
                role_arn=rule.role_arn,
                priority=rule.priority,
                prefix=rule.prefix,
                tags=dict(rule.tags),
                destination_name=rule.destination,
                remote_name=rule.remote,
                storage_class=rule.storage_class,
                takes_ownership=rule.takes_ownership,
                replicates_markers=rule.replicates_markers,
                replicates_kms=rule.replicates_kms,
                kms_key=rule.kms_key,
                syncs_replicas=rule.syncs_replicas,
            )
            for rule in rules
        )
        Bucket.objects.filter(pk=bucket_id).update(has_replication_rules=bool(rules))


def _check_replicable(bucket: Bucket, document: Mapping[str, Any]) -> None:
    if bucket.versioning != Versioning.ENABLED:
        raise errors.InvalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    for rule in replication.enabled_rules(
        {**document, "Rules": [{**one, "Status": "Enabled"} for one in document["Rules"]]}
    ):
        if rule.remote:
            if find_remote_store(rule.remote, account_id=bucket.owner_id) is None:
                raise errors.InvalidRequest("Destination store must be registered.")
            continue
        destination = Bucket.objects.filter(name=rule.destination).first()
        if destination is None:
            raise errors.InvalidRequest("Destination bucket must exist.")
        if destination.pk == bucket.pk:
            raise errors.InvalidRequest("Destination bucket cannot be the same as the source bucket.")
        if destination.versioning != Versioning.ENABLED:
            raise errors.InvalidRequest("Destination bucket must have versioning enabled.")
        if rule.account_id not in (None, destination.owner_id):
            raise errors.InvalidRequest("Destination bucket must belong to the specified account.")


def put_bucket_request_payment(*, bucket_id: int, is_requester_pays: bool) -> None:
    """Say whether others must agree to be charged for what they ask of the bucket."""
    Bucket.objects.filter(pk=bucket_id).update(is_requester_pays=is_requester_pays)


def delete_configuration(*, bucket_id: int, kind: str) -> None:
    """Remove a bucket's document of a kind, if there is one."""
    BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).delete()
