"""Write an inventory report into its bucket: files of rows first, then the manifest, then its checksum.

A reader that waits for manifest.checksum finds everything else there. A run that was killed leaves files that no manifest
names; the next run writes all anew.
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from itertools import chain, islice

from accesscontrol.acl import read_acl
from accesscontrol.selectors.accounts import find_owner
from buckets.inventory import Inventory
from buckets.lifecycle import KIND as LIFECYCLE
from buckets.lifecycle import enabled_rules
from buckets.selectors import BucketRecord, find_configuration
from objects.encryption import EncryptionChoice, Method
from objects.inventory import DataFile, InventoryRow, csv_line, manifest, schema, shown_grants
from objects.selectors.inventory import iterate_rows
from objects.services.deposit import deposit_object, find_destination
from objects.services.reports import ConfiguredReport

SERVICE = "s3.amazonaws.com"
ROWS_PER_FILE = 2_000_000
PIECE_BYTES = 1 << 18


def deliver_inventory(report: ConfiguredReport, inventory: Inventory, *, now: datetime, day_seconds: int) -> int:
    """Write a report; return how many rows it has. Cost: a walk over the bucket, a statement for each 1,000 rows.

    Raises DepositRefused, and as `put_object`.
    """
    place = "/".join(filter(None, (inventory.destination_prefix, report.bucket_name, inventory.id)))
    destination = find_destination(
        inventory.destination,
        f"{place}/data/",
        service=SERVICE,
        source_bucket=report.bucket_name,
        source_owner_id=report.owner_id,
        owner_id=inventory.destination_owner_id,
    )
    columns = schema(inventory.fields, has_all_versions=inventory.has_all_versions)
    writer = _Writer(destination, _choice(inventory))
    rows = _rows(report, inventory, columns, day_seconds)
    files = []
    for first in rows:
        key = f"{place}/data/{uuid.uuid4()}.csv.gz"
        files.append(writer.write_rows(key, columns, chain((first,), islice(rows, ROWS_PER_FILE - 1))))
    document = manifest(
        source_bucket=report.bucket_name,
        destination_bucket=destination.name,
        made_at=now,
        columns=columns,
        files=files,
    )
    stamp = now.strftime("%Y-%m-%dT%H-%MZ")
    names = "".join(f"s3://{destination.name}/{one.key}\n" for one in files)
    writer.write(f"{place}/hive/dt={now:%Y-%m-%d-%H-%M}/symlink.txt", names.encode(), "text/plain")
    writer.write(f"{place}/{stamp}/manifest.json", document, "application/json")
    digest = hashlib.md5(document, usedforsecurity=False).hexdigest()
    writer.write(f"{place}/{stamp}/manifest.checksum", digest.encode(), "text/plain")
    return writer.row_count


def _choice(inventory: Inventory) -> EncryptionChoice | None:
    wanted = inventory.encryption or {}
    if "SSES3" in wanted:
        return EncryptionChoice(Method.SSE_S3)
    if "SSEKMS" in wanted:
        return EncryptionChoice(Method.SSE_KMS, wanted["SSEKMS"]["KeyId"])
    return None


def _rows(
    report: ConfiguredReport, inventory: Inventory, columns: list[str], day_seconds: int
) -> Iterator[InventoryRow]:
    """Yield the rows, with owners and grants where they are asked for."""
    lifecycle = find_configuration(report.bucket_id, LIFECYCLE) if "LifecycleExpirationDate" in columns else None
    has_owner, has_grants = "ObjectOwner" in columns, "ObjectAccessControlList" in columns
    for row, owner_id, acl in iterate_rows(
        inventory,
        bucket_id=report.bucket_id,
        bucket_name=report.bucket_name,
        rules=[] if lifecycle is None else enabled_rules(lifecycle),
        day_seconds=day_seconds,
    ):
        yield replace(
            row,
            canonical_owner_id=find_owner(owner_id).canonical_id if has_owner else "",
            grants=shown_grants(read_acl(acl, owner_id), _canonical_id) if has_grants else [],
        )


def _canonical_id(account_id: str) -> str:
    return find_owner(account_id).canonical_id


class _Writer:
    """Writes the objects of one report."""

    def __init__(self, destination: BucketRecord, choice: EncryptionChoice | None) -> None:
        self._destination = destination
        self._choice = choice
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size_bytes = 0
        self.row_count = 0

    def write(self, key: str, document: bytes, content_type: str) -> None:
        """Write a small document."""
        deposit_object(self._destination, key, [document], content_type=content_type, encryption=self._choice)

    def write_rows(self, key: str, columns: list[str], rows: Iterator[InventoryRow]) -> DataFile:
        """Write a file of rows, compressed, as they come."""
        self._md5, self._size_bytes = hashlib.md5(usedforsecurity=False), 0
        deposit_object(
            self._destination,
            key,
            self._compressed(columns, rows),
            content_type="application/octet-stream",
            encryption=self._choice,
        )
        return DataFile(key, self._size_bytes, self._md5.hexdigest())

    def _compressed(self, columns: list[str], rows: Iterator[InventoryRow]) -> Iterator[bytes]:
        buffer = BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
            for row in rows:
                file.write(csv_line(row, columns).encode())
                self.row_count += 1
                if buffer.tell() >= PIECE_BYTES:
                    yield self._counted(buffer)
        yield self._counted(buffer)

    def _counted(self, buffer: BytesIO) -> bytes:
        piece = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        self._md5.update(piece)
        self._size_bytes += len(piece)
        return piece
