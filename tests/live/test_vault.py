"""A system whose keys are in Vault, and that encrypts what asks for nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.contract.transit_server import TOKEN, transit_server
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live


def test_a_system_that_encrypts_everything_by_keys_in_vault(tmp_path: Path) -> None:
    with transit_server() as vault:
        system = LiveSystem.start(
            tmp_path / "var",
            OBJSTORE_VAULT_URL=vault.url,
            OBJSTORE_VAULT_TOKEN=TOKEN,
            OBJSTORE_DEFAULT_ENCRYPTION="AES256",
        )
        client, mark = system.client(), os.urandom(48)
        client.create_bucket(Bucket="bucket")
        assert client.put_object(Bucket="bucket", Key="k", Body=mark)["ServerSideEncryption"] == "AES256"
        assert client.get_bucket_encryption(Bucket="bucket")["ServerSideEncryptionConfiguration"]["Rules"]
        assert client.get_object(Bucket="bucket", Key="k")["Body"].read() == mark
        files = (path for path in (system.data_dir / "nodes").rglob("*") if path.is_file())
        fragments = [path for path in files if not path.name.startswith("journal-")]
        assert not any(mark in path.read_bytes() for path in fragments)

        system.manage("create_kms_key", "k")
        client.put_object(Bucket="bucket", Key="kms", Body=mark, ServerSideEncryption="aws:kms", SSEKMSKeyId="k")
        assert sorted(vault.keys) == ["k", "objstore-s3"]
        system.manage("rotate_kms_key", "k")
        assert "1 data keys wrapped anew" in system.manage("rewrap_data_keys").stdout
        assert client.get_object(Bucket="bucket", Key="kms")["Body"].read() == mark

        vault.is_sealed = True
        assert client.head_object(Bucket="bucket", Key="k")["ContentLength"] == 48  # remembered
        with pytest.raises(ClientError) as caught:
            client.put_object(Bucket="bucket", Key="k", Body=mark)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        system.stop()
