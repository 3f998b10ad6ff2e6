"""Which schemes a topology can carry, where nobody chose one. Pure.

From three nodes on any two may be lost; what is left goes into fewer bytes: 4+2 stores half as much again as it holds.
From twelve nodes on 8+4 costs the same and any four may be lost.
"""

AUTOMATIC = "automatic"

# The fewest nodes, and the schemes of small and large chunks.
_BY_NODE_COUNT = (
    (12, "replicate-3", "rs-8+4"),
    (6, "replicate-3", "rs-4+2"),
    (5, "replicate-3", "rs-3+2"),
    (4, "replicate-3", "rs-2+2"),
    (3, "replicate-3", "replicate-3"),
    (2, "replicate-2", "replicate-2"),
    (0, "replicate-1", "replicate-1"),
)


def choose_small(configured: str, node_count: int) -> str:
    """Return the scheme of small chunks: what is configured, or what so many nodes can carry."""
    return configured if configured != AUTOMATIC else _find(node_count)[0]


def choose_large(configured: str, node_count: int) -> str:
    """Return the scheme of large chunks: what is configured, or what so many nodes can carry."""
    return configured if configured != AUTOMATIC else _find(node_count)[1]


def _find(node_count: int) -> tuple[str, str]:
    return next((small, large) for fewest, small, large in _BY_NODE_COUNT if node_count >= fewest)
