"""What can go wrong with a target. `buckets` and `workers` translate; none of these is an S3 error."""


class TargetUnavailable(Exception):
    """The target does not answer, or says that it can't take anything at the moment: nothing else would get through."""


class EventRefused(Exception):
    """The target answered, and does not take this event; others may get through."""


class TargetMisconfigured(Exception):
    """The settings of a target can't be used."""
