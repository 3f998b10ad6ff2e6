"""Accounts, their users and the users' access keys.

Not for: rules about who may do what (`authorization`), nor for secrets in the clear: a secret key is only ever stored
sealed (`secrets`).
"""

from __future__ import annotations

import secrets as random_secrets
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Now, Upper
from guardian.mixins import GuardianUserMixin

from accesscontrol.models.unique_ids import new_user_unique_id


def new_account_id() -> str:
    """Draw a random account id: twelve decimal digits, as AWS has them."""
    return f"{random_secrets.randbelow(10**12 - 10**11) + 10**11}"


def new_canonical_id() -> str:
    """Draw a random canonical user id: 64 hexadecimal digits, the form in which S3 names owners."""
    return random_secrets.token_hex(32)


class Account(models.Model):
    """An owner of buckets and users. What belongs to one account is closed to every other until it is shared."""

    id = models.CharField(primary_key=True, max_length=12, default=new_account_id, editable=False)
    canonical_id = models.CharField(max_length=128, unique=True, default=new_canonical_id)
    name = models.CharField(max_length=128, unique=True)
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=256, blank=True)
    alias = models.CharField(max_length=63, unique=True, null=True, blank=True, help_text="IAM's alias of the account.")
    password_policy = models.JSONField(null=True, blank=True, help_text="What IAM demands of passwords.")
    public_access_block = models.JSONField(
        null=True, blank=True, editable=False, help_text="Of all its buckets, in S3's member names; null is none."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Django's contract for `createsuperuser`; everything else creates users through `services`."""

    def create_superuser(self, username: str, password: str | None = None, **fields: object) -> User:
        """Create a console operator in the account `console`."""
        account, _ = Account.objects.get_or_create(
            name="console", defaults={"email": "console@localhost", "display_name": "console"}
        )
        user = User(username=username, name=username, account=account, is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(GuardianUserMixin, AbstractBaseUser, PermissionsMixin):
    """A person or program of an account. The root user of an account may do everything that the account may."""

    username = models.CharField(max_length=150, unique=True, help_text="The name for signing in to the console.")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="users")
    name = models.CharField(max_length=64, help_text="The name within the account, as IAM knows it.")
    path = models.CharField(max_length=512, default="/", help_text="IAM's path: /engineers/storage/.")
    unique_id = models.CharField(max_length=32, unique=True, default=new_user_unique_id, editable=False)
    tags = models.JSONField(default=dict, blank=True)
    boundary = models.ForeignKey(
        "ManagedPolicy", on_delete=models.PROTECT, null=True, blank=True, related_name="bounded_users"
    )
    sessions_valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Sessions that were issued before are refused."
    )
    is_root = models.BooleanField(default=False, help_text="The root user of its account.")
    is_staff = models.BooleanField(default=False, help_text="May sign in to the console.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"

    class Meta:
        ordering: ClassVar = ["username"]
        constraints: ClassVar = [
            # Finds a user by its name, in whatever case, and lists an account's users in order.
            models.UniqueConstraint("account", Upper("name"), name="one_user_name_per_account"),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(is_root=True), name="one_root_user_per_account"
            ),
        ]

    def __str__(self) -> str:
        return self.username


class AccessKey(models.Model):
    """A pair of access key id and secret key with which a user's requests are signed."""

    access_key_id = models.CharField(max_length=128, unique=True)
    sealed_secret_key = models.BinaryField(help_text="Sealed by accesscontrol.secrets; never shown.")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_keys")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_service = models.CharField(max_length=32, blank=True, editable=False)
    last_used_region = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["access_key_id"]

    def __str__(self) -> str:
        return self.access_key_id
