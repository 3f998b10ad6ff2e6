"""The rotation of the master key: what the old key sealed, the new one opens afterwards, alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from accesscontrol import secrets
from accesscontrol.models import AccessKey
from accesscontrol.services import create_account
from objstore_project.resealing import SEALED_COLUMNS, reseal_rows
from sealing import SecretUnreadable

OLD, NEW = "an old secret key, thirty-two characters or more", "a new secret key, of thirty-two characters or more"


def test_every_sealed_column_is_known() -> None:
    found = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name.startswith("sealed_") and field.get_internal_type() in ("BinaryField", "TextField")
    }
    assert found == {(label, column) for label, column, _ in SEALED_COLUMNS}


@pytest.mark.django_db
def test_secrets_are_sealed_by_the_new_key_alone(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    made = create_account(name="rotated", email="rotated@example.org")
    key = AccessKey.objects.get(access_key_id=made.access_key_id)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert secrets.unseal(key.sealed_secret_key) == made.secret_key  # before it is sealed anew
    done = {one.column: one for one in reseal_rows()}
    assert done["accesscontrol.AccessKey.sealed_secret_key"].rows >= 1
    settings.SECRET_KEY_FALLBACKS = []
    key.refresh_from_db()
    assert secrets.unseal(key.sealed_secret_key) == made.secret_key
    settings.SECRET_KEY = OLD
    with pytest.raises(SecretUnreadable):
        secrets.unseal(key.sealed_secret_key)


@pytest.mark.django_db
def test_what_no_key_opens_is_counted_and_left(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    create_account(name="lost", email="lost@example.org")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [NEW]
    assert sum(one.unreadable for one in reseal_rows()) >= 1
