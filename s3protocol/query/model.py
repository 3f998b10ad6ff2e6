"""The machine-readable models of IAM and STS, read once from the installed botocore."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from s3protocol.model import snake_case
from s3protocol.query import errors


class Service(StrEnum):
    """The services that speak the query protocol here, as signatures name them."""

    IAM = "iam"
    STS = "sts"


@cache
def service_model(service: Service) -> ServiceModel:
    """Load a service's model (some 50 ms, the first time)."""
    return ServiceModel(Loader().load_service_model(service.value, "service-2"), service.value)


@cache
def operation_names(service: Service) -> frozenset[str]:
    """Name every operation that a model knows."""
    return frozenset(service_model(service).operation_names)


def operation_model(service: Service, name: str) -> OperationModel:
    """Look an operation up; raises KeyError for a name that the model does not know."""
    if name not in operation_names(service):
        raise KeyError(name)
    return service_model(service).operation_model(name)


@cache
def input_members(service: Service, name: str) -> dict[str, str]:
    """Map keyword to the model's member name, for every input member of an operation."""
    shape = operation_model(service, name).input_shape
    return {} if shape is None else {snake_case(member): member for member in shape.members}


def operation_of(form: Mapping[str, str]) -> tuple[Service, str]:
    """Find the operation that a form asks for. Raises MissingAction, InvalidAction."""
    name = form.get("Action")
    if not name:
        raise errors.MissingAction
    for service in Service:
        if name in operation_names(service) and form.get("Version") == service_model(service).api_version:
            return service, name
    raise errors.InvalidAction(f"Could not find operation {name[:128]} for version {form.get('Version', '')[:32]}")
