"""One suite for every implementation of `keymanagement.protocol.KeyManagement`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keymanagement.data_key_cache import RememberingKeyManagement
from keymanagement.errors import KeyDisabled, KeyExists, KeyManagementUnavailable, KeyNotFound, WrapInvalid
from keymanagement.local import LocalKeyRing
from keymanagement.models import Key, KeyVersion
from keymanagement.vault import VaultTransit
from tests.contract.transit_server import TOKEN, transit_server

DATA_KEY = bytes(range(32))


@pytest.fixture
def vault():
    with transit_server() as server:
        yield server


@pytest.fixture(params=["local", "vault", "remembering"])
def keys(request):
    if request.param == "vault":
        return VaultTransit(request.getfixturevalue("vault").url, TOKEN)
    request.getfixturevalue("db")
    return LocalKeyRing() if request.param == "local" else RememberingKeyManagement(LocalKeyRing())


def test_what_is_wrapped_opens(keys):
    keys.create_key("k")
    wrapped = keys.wrap("k", DATA_KEY, b"context")
    assert keys.unwrap(wrapped, b"context") == DATA_KEY
    assert (wrapped.key_name, wrapped.key_version) == ("k", 1)


def test_the_wrapped_text_tells_nothing(keys):
    keys.create_key("k")
    one, other = keys.wrap("k", DATA_KEY, b""), keys.wrap("k", DATA_KEY, b"")
    assert one.text != other.text
    assert DATA_KEY.hex() not in one.text


def test_another_context_does_not_open(keys):
    keys.create_key("k")
    wrapped = keys.wrap("k", DATA_KEY, b"context")
    with pytest.raises(WrapInvalid):
        keys.unwrap(wrapped, b"another")
    with pytest.raises(WrapInvalid):
        keys.unwrap(wrapped, b"")


def test_another_key_does_not_open(keys):
    keys.create_key("k")
    keys.create_key("l")
    wrapped = keys.wrap("k", DATA_KEY, b"")
    with pytest.raises(WrapInvalid):
        keys.unwrap(replace(wrapped, key_name="l"), b"")


def test_a_damaged_text_does_not_open(keys):
    keys.create_key("k")
    wrapped = keys.wrap("k", DATA_KEY, b"")
    for position in (-5, -20, -40):
        letter = "A" if wrapped.text[position] != "A" else "B"
        text = wrapped.text[:position] + letter + wrapped.text[position + 1 :]
        with pytest.raises(WrapInvalid):
            keys.unwrap(replace(wrapped, text=text), b"")


def test_an_unknown_key_is_told(keys):
    with pytest.raises(KeyNotFound):
        keys.newest_version("nobody")
    with pytest.raises(KeyNotFound):
        keys.rotate_key("nobody")
    with pytest.raises(KeyNotFound):
        keys.wrap("nobody", DATA_KEY, b"")
    assert keys.list_key_names() == []


def test_a_key_is_made_once(keys):
    keys.create_key("k")
    with pytest.raises(KeyExists):
        keys.create_key("k")
    assert keys.list_key_names() == ["k"]


def test_a_rotated_key_wraps_with_its_new_version_and_opens_all(keys):
    keys.create_key("k")
    before = keys.wrap("k", DATA_KEY, b"")
    assert keys.newest_version("k") == 1
    assert keys.rotate_key("k") == 2
    after = keys.wrap("k", DATA_KEY, b"")
    assert (before.key_version, after.key_version, keys.newest_version("k")) == (1, 2, 2)
    assert keys.unwrap(before, b"") == keys.unwrap(after, b"") == DATA_KEY


@pytest.mark.django_db
def test_the_ring_opens_what_another_process_wrapped_with_a_new_version():
    here, there = LocalKeyRing(), LocalKeyRing()
    here.create_key("k")
    here.wrap("k", DATA_KEY, b"")
    there.rotate_key("k")
    assert here.unwrap(there.wrap("k", DATA_KEY, b""), b"") == DATA_KEY


@pytest.mark.django_db
def test_a_disabled_key_neither_wraps_nor_opens():
    LocalKeyRing().create_key("k")
    wrapped = LocalKeyRing().wrap("k", DATA_KEY, b"")
    Key.objects.update(is_enabled=False)
    with pytest.raises(KeyDisabled):
        LocalKeyRing().wrap("k", DATA_KEY, b"")
    with pytest.raises(KeyDisabled):
        LocalKeyRing().unwrap(wrapped, b"")


@pytest.mark.django_db
def test_the_database_holds_no_material_in_the_clear(settings):
    ring = LocalKeyRing()
    ring.create_key("k")
    wrapped = ring.wrap("k", DATA_KEY, b"")
    material = ring._keys["k"].materials[1]
    assert material not in bytes(KeyVersion.objects.get().sealed_material)
    settings.SECRET_KEY = "another master secret, which opens nothing of this"
    with pytest.raises(KeyManagementUnavailable, match="master secret"):
        LocalKeyRing().unwrap(wrapped, b"")


def test_a_vault_that_refuses_or_is_away_is_told_apart_from_a_missing_key(vault):
    with pytest.raises(KeyManagementUnavailable, match="403"):
        VaultTransit(vault.url, "wrong").newest_version("k")
    vault.is_sealed = True
    with pytest.raises(KeyManagementUnavailable, match="sealed"):
        VaultTransit(vault.url, TOKEN).newest_version("k")
    with pytest.raises(KeyManagementUnavailable):
        VaultTransit("http://127.0.0.1:9", TOKEN).newest_version("k")


def test_an_unwrapped_key_is_not_asked_for_again(vault):
    keys = RememberingKeyManagement(VaultTransit(vault.url, TOKEN))
    keys.create_key("k")
    wrapped = keys.wrap("k", DATA_KEY, b"")
    asked = len(vault.requests)
    assert keys.unwrap(wrapped, b"") == DATA_KEY
    assert len(vault.requests) == asked


def test_memory_is_bounded_in_number_and_time(vault, monkeypatch):
    keys = RememberingKeyManagement(VaultTransit(vault.url, TOKEN))
    keys.create_key("k")
    monkeypatch.setattr("keymanagement.data_key_cache.REMEMBERED_COUNT", 2)
    wraps = [keys.wrap("k", DATA_KEY, b"") for _ in range(3)]
    asked = len(vault.requests)
    keys.unwrap(wraps[2], b"")
    keys.unwrap(wraps[1], b"")
    assert len(vault.requests) == asked
    keys.unwrap(wraps[0], b"")
    assert len(vault.requests) == asked + 1
    monkeypatch.setattr("keymanagement.data_key_cache.REMEMBERED_SECONDS", 0)
    keys.unwrap(wraps[0], b"")
    assert len(vault.requests) == asked + 2
