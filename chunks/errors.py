"""What can go wrong below the object layer.

These know nothing of S3: `objects` translates them once. A store raises `NodeUnavailable`, `FragmentMissing` and
`NoSpace`; whoever verifies bytes raises `FragmentCorrupt`; the writer and the reader turn too many of those into
`NotEnoughNodes`, `NoSpace` and `NotEnoughFragments`.
"""


class ChunkError(Exception):
    """Anything the chunk engine raises on purpose."""


class NodeUnavailable(ChunkError):
    """The node can't be used now: its disk failed, it is not mounted, or it is not the node we know."""


class NoSpace(ChunkError):
    """The node, or every node that could have taken the chunk, is full."""


class FragmentMissing(ChunkError):
    """The node works and does not hold the fragment."""


class FragmentCorrupt(ChunkError):
    """The fragment is there and is not what was written."""


class SegmentsUnavailable(ChunkError):
    """Segments can't be written down now."""


class ChunksBusy(ChunkError):
    """Somebody else is changing the same chunks at the moment."""


class NotEnoughNodes(ChunkError):
    """Too few nodes took their fragment for the write to be called durable; nothing of it is left."""


class NotEnoughFragments(ChunkError):
    """Fewer intact fragments can be reached than the scheme needs to give the bytes back."""


class UnknownScheme(ChunkError):
    """The text does not name a scheme that this version can encode and decode."""


class UnknownStorageClass(ChunkError):
    """No storage class of this name is configured."""


class BadStorageClass(ChunkError):
    """A storage class can't be made or changed as asked."""


class BadNode(ChunkError):
    """A node can't be changed as asked."""
