"""Limits: one row for each account, bucket or access key that has any."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accesscontrol.models import AccessKey, Account
from buckets.models import Bucket


class Limit(models.Model):
    """What its one subject may hold and ask for; null is no limit.

    An account's quota is over all its buckets, its rate over all its principals wherever they ask.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="limit")
    bucket = models.OneToOneField(Bucket, on_delete=models.CASCADE, null=True, blank=True, related_name="limit")
    access_key = models.OneToOneField(AccessKey, on_delete=models.CASCADE, null=True, blank=True, related_name="limit")
    objects_max = models.PositiveBigIntegerField(null=True, blank=True, help_text="Keys with a current object.")
    bytes_max = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Bytes of all visible versions; history is not counted."
    )
    requests_per_second = models.PositiveIntegerField(null=True, blank=True)
    bytes_per_second = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of bodies, in and out.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, bucket__isnull=True, access_key__isnull=True)
                | Q(account__isnull=True, bucket__isnull=False, access_key__isnull=True)
                | Q(account__isnull=True, bucket__isnull=True, access_key__isnull=False),
                name="one_subject_of_a_limit",
            ),
            models.CheckConstraint(
                condition=Q(access_key__isnull=True) | Q(objects_max__isnull=True, bytes_max__isnull=True),
                name="keys_hold_nothing",
            ),
            models.CheckConstraint(
                condition=(Q(requests_per_second__isnull=True) | Q(requests_per_second__gt=0))
                & (Q(bytes_per_second__isnull=True) | Q(bytes_per_second__gt=0)),
                name="rates_are_above_zero",
            ),
        ]

    def __str__(self) -> str:
        return str(self.account or self.bucket or self.access_key)
