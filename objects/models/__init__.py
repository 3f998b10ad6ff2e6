"""Objects, versions, multipart uploads, and the extents that say which chunks hold their bytes.

Rows are written by the statements in `objects/sql` and by `services`, never by hand: a version, its extents, the key's
pointer and the usage counters change together. Bucket ids carry no database constraint, so that objects may live in
another database than their bucket.
"""

from objects.models.figures import AnalysisDay, BucketMetric, BucketUsage, MetricsProgress
from objects.models.uploads import MultipartUpload, Part
from objects.models.versions import Annotation, Extent, Object, ObjectVersion, ShorterState
from objects.models.work import (
    AccessTier,
    LifecycleRun,
    Monitoring,
    RenameToken,
    Replication,
    ReportRun,
    Restore,
    RestoreTier,
)

__all__ = [
    "AccessTier",
    "AnalysisDay",
    "Annotation",
    "BucketMetric",
    "BucketUsage",
    "Extent",
    "LifecycleRun",
    "MetricsProgress",
    "Monitoring",
    "MultipartUpload",
    "Object",
    "ObjectVersion",
    "Part",
    "RenameToken",
    "Replication",
    "ReportRun",
    "Restore",
    "RestoreTier",
    "ShorterState",
]
