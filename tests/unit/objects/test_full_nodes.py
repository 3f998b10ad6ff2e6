"""What a client hears when the nodes are full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chunks import topology, writer
from chunks.errors import NoSpace, NotEnoughNodes
from chunks.topology import StorageClassEntry, Topology
from objects.services.body import store_body
from s3protocol import errors

pytestmark = pytest.mark.django_db(transaction=True)  # threads that write look after connections that they had before


@dataclass
class Upload:
    size_bytes: int | None
    checksum_algorithm = None

    def pieces(self) -> Iterator[bytes]:
        yield bytes(1000)

    def claimed_md5(self) -> None:
        return None

    def claimed_checksum(self) -> None:
        return None


@pytest.mark.parametrize("size_bytes", [1000, None], ids=["at once", "chunk by chunk"])
@pytest.mark.parametrize(
    ("failure", "error", "status"),
    [(NoSpace, errors.InsufficientStorage, 507), (NotEnoughNodes, errors.ServiceUnavailable, 503)],
)
def test_full_nodes_are_507_and_failed_ones_503(monkeypatch, size_bytes, failure, error, status):
    def write_chunk(*_args, **_kwargs):
        raise failure

    empty = Topology([], [StorageClassEntry("STANDARD", 8 << 20, "replicate-3", "rs-4+2", 1 << 17)])
    monkeypatch.setattr(topology, "current", lambda: empty)
    monkeypatch.setattr(writer, "write_chunk", write_chunk)
    with pytest.raises(error) as caught:
        store_body(Upload(size_bytes), storage_class="STANDARD", size_bytes_max=1 << 30)
    assert caught.value.status == status
