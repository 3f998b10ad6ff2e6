"""The machine-readable models of S3 and of what is served of S3 Control, read once from the installed botocore.

Only the description of operations and shapes is used, none of botocore's client machinery. The service model is lazy:
loading costs one JSON file, a shape is built when a codec asks for it.
"""

from functools import cache

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel


@cache
def service_model() -> ServiceModel:
    """Load the S3 service model (some 30 ms, the first time)."""
    return ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")


CONTROL_OPERATIONS = {
    "DeleteAccountPublicAccessBlock": "DeletePublicAccessBlock",
    "GetAccountPublicAccessBlock": "GetPublicAccessBlock",
    "ListTagsForResource": "ListTagsForResource",
    "PutAccountPublicAccessBlock": "PutPublicAccessBlock",
    "TagResource": "TagResource",
    "UntagResource": "UntagResource",
}
"""What is known here of S3 Control, a service of its own beside S3, and how its model calls it: some are named as S3's are."""


@cache
def control_model() -> ServiceModel:
    """Load the model of S3 Control (some 30 ms, the first time)."""
    return ServiceModel(Loader().load_service_model("s3control", "service-2"), "s3control")


@cache
def operation_names() -> frozenset[str]:
    """Name every operation that the model of S3 knows."""
    return frozenset(service_model().operation_names)


def operation_model(operation_name: str) -> OperationModel:
    """Look an operation up, of S3 or of S3 Control; raises KeyError for a name that neither has here."""
    if operation_name in CONTROL_OPERATIONS:
        return control_model().operation_model(CONTROL_OPERATIONS[operation_name])
    if operation_name not in operation_names():
        raise KeyError(operation_name)
    return service_model().operation_model(operation_name)


def snake_case(member_name: str) -> str:
    """Turn a member's name in the model into the keyword that handlers take: VersionId -> version_id."""
    # botocore's rule makes e_tag of the one name that nobody would guess.
    return "etag" if member_name == "ETag" else str(xform_name(member_name))


@cache
def input_members(operation_name: str) -> dict[str, str]:
    """Map keyword to the model's member name, for every input member of an operation."""
    shape = operation_model(operation_name).input_shape
    return {} if shape is None else {snake_case(name): name for name in shape.members}


@cache
def input_wire_names(operation_name: str) -> dict[str, str]:
    """Map the model's member name to its header (in lower case) or query name, for members that have one."""
    shape = operation_model(operation_name).input_shape
    names: dict[str, str] = {}
    for member, member_shape in ({} if shape is None else shape.members).items():
        wire_name = str(member_shape.serialization.get("name", member))
        match member_shape.serialization.get("location"):
            case "header" | "headers":
                names[member] = wire_name.lower()
            case "querystring":
                names[member] = wire_name
    return names
