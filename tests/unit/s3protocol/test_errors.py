import pickle
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3protocol import errors
from s3protocol.model import service_model

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize("error_class", errors.by_code.values(), ids=list(errors.by_code))
def test_a_class_states_code_status_and_message(error_class):
    error = error_class()
    assert error.code.replace(".", "").replace("KMSKMS", "KMS") == error_class.__name__
    assert 300 <= error.status < 600
    assert error.message == str(error) != ""
    assert getattr(errors, error_class.__name__) is error_class


def test_the_catalogue_agrees_with_the_model_where_it_knows():
    for shape in service_model().error_shapes:
        assert errors.by_code[shape.error_code].status == shape.metadata["error"]["httpStatusCode"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NotModified", 304),
        ("PreconditionFailed", 412),
        ("InvalidRange", 416),
        ("InvalidPartNumber", 416),
        ("MissingContentLength", 411),
        ("SlowDown", 503),
        ("NotImplemented", 501),
        ("BucketAlreadyOwnedByYou", 409),
        ("ServerSideEncryptionConfigurationNotFoundError", 404),
        ("RequestTimeTooSkewed", 403),
    ],
)
def test_statuses_are_those_of_aws(code, status):
    assert errors.by_code[code].status == status


def test_the_document_holds_code_message_members_and_request():
    document = errors.error_document(errors.NoSuchKey(Key="a<b"), resource="/bucket/a<b", request_id="R1", host_id="H1")
    assert document == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&lt;b</Key>"
        b"<Resource>/bucket/a&lt;b</Resource><RequestId>R1</RequestId><HostId>H1</HostId></Error>"
    )


@given(message=ANY_TEXT, key=ANY_TEXT, resource=ANY_TEXT)
def test_the_document_parses_whatever_it_holds(message, key, resource):
    error = errors.InvalidArgument(message, ArgumentValue=key)
    root = ET.fromstring(errors.error_document(error, resource=resource, request_id="r", host_id="h"))
    assert [element.tag for element in root] == ["Code", "Message", "ArgumentValue", "Resource", "RequestId", "HostId"]


def test_an_error_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(errors.NoSuchKey(Key="k", headers={"a": "b"})))
    assert (error.message, error.members, error.headers) == (errors.NoSuchKey().message, {"Key": "k"}, {"a": "b"})
