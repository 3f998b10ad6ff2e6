"""SelectObjectContent."""

from __future__ import annotations

from typing import Any, Unpack

from django.conf import settings

from buckets.context import RequestContext
from objects.operations.members import CustomerKeyMembers, customer_key
from objects.operations.read import readable_version
from objects.select.errors import SelectError
from objects.select.job import Job
from objects.selectors.lookup import VersionRecord
from objects.services import select as services
from objects.services.archive import require_unarchived
from objects.services.encryption import unwrap
from s3protocol import errors
from s3protocol.registry import operation


@operation("SelectObjectContent", action="s3:GetObject", reads_object=True)
def select_object_content(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    expression: str,
    expression_type: str,
    input_serialization: dict[str, Any],
    output_serialization: dict[str, Any],
    request_progress: dict[str, Any] | None = None,
    scan_range: dict[str, Any] | None = None,
    **members: Unpack[CustomerKeyMembers],
) -> dict[str, Any]:
    """Answer a query over an object."""
    version = readable_version(context, key, None)
    data_key = unwrap(version.encryption, customer_key(members))
    require_unarchived(version)
    try:
        job = Job(
            expression=expression,
            **_input(input_serialization),
            **_output(output_serialization),
            wants_progress=bool((request_progress or {}).get("Enabled")),
            memory_mib=settings.OBJSTORE_SELECT_MEMORY_MIB,
            cpu_seconds=settings.OBJSTORE_SELECT_SECONDS,
            **_range(scan_range, version, input_serialization),
        )
        if job.input_format == "Parquet" and version.size_bytes > services.PARQUET_BYTES_MAX:
            raise SelectError("UnsupportedParquetType", "The Parquet object is too large.")
        first = max(job.first_byte - 1, 0)
        return {"Payload": services.select_object_content(version, job, first=first, data_key=data_key)}
    except SelectError as error:
        raise errors.SelectFailure(error.code, error.message) from None


def _input(stated: dict[str, Any]) -> dict[str, Any]:
    """Read how the object's data come."""
    formats = [name for name in ("CSV", "JSON", "Parquet") if name in stated]
    if len(formats) != 1:
        raise SelectError("InvalidRequestParameter", "The input must be one of CSV, JSON and Parquet.")
    compression = stated.get("CompressionType", "NONE")
    job: dict[str, Any] = {"input_format": formats[0], "compression": compression}
    if formats[0] == "Parquet" and compression != "NONE":
        raise SelectError("InvalidCompressionFormat", "Parquet is not compressed as a whole.")
    if formats[0] == "JSON":
        kind = stated["JSON"].get("Type")
        if kind is None:
            raise SelectError("InvalidJsonType", "The JSON type must be DOCUMENT or LINES.")
        job["is_document"] = kind == "DOCUMENT"
    if formats[0] == "CSV":
        csv = stated["CSV"]
        job |= {
            "header": csv.get("FileHeaderInfo", "NONE"),
            "field_delimiter": csv.get("FieldDelimiter", ","),
            "record_delimiter": csv.get("RecordDelimiter", "\n"),
            "quote": csv.get("QuoteCharacter", '"'),
            "quote_escape": csv.get("QuoteEscapeCharacter", '"'),
            "comments": csv.get("Comments", ""),
        }
        single = (job["field_delimiter"], job["quote"], job["quote_escape"], job["comments"])
        if (
            any(len(one) > 1 for one in single)
            or not job["field_delimiter"]
            or not 1 <= len(job["record_delimiter"]) <= 2
        ):
            raise SelectError("InvalidRequestParameter", "Delimiters and quotes are single characters.")
    return job


def _output(stated: dict[str, Any]) -> dict[str, Any]:
    """Read how records are to go out."""
    formats = [name for name in ("CSV", "JSON") if name in stated]
    if len(formats) != 1:
        raise SelectError("InvalidRequestParameter", "The output must be CSV or JSON.")
    said = stated[formats[0]]
    return {
        "output_format": formats[0],
        "out_record_delimiter": said.get("RecordDelimiter", "\n"),
        "out_field_delimiter": said.get("FieldDelimiter", ","),
        "out_quote": said.get("QuoteCharacter", '"'),
        "out_quote_escape": said.get("QuoteEscapeCharacter", '"'),
        "quotes_always": said.get("QuoteFields") == "ALWAYS",
    }


def _range(scan_range: dict[str, Any] | None, version: VersionRecord, stated: dict[str, Any]) -> dict[str, Any]:
    """Read which records count: those that begin within a range of bytes, both ends included."""
    if not scan_range:
        return {}
    is_cuttable = "CSV" in stated or stated.get("JSON", {}).get("Type") == "LINES"
    if not is_cuttable or stated.get("CompressionType", "NONE") != "NONE":
        raise SelectError("UnsupportedScanRangeInput", "A scan range is for uncompressed CSV and lines of JSON.")
    start, end = scan_range.get("Start"), scan_range.get("End")
    if start is None and end is None:
        raise SelectError("InvalidScanRange", "A scan range has a start or an end.")
    if start is None:
        start, end = max(version.size_bytes - (end or 0), 0), None  # so many bytes at the end
    if (end is not None and end < start) or start > max(version.size_bytes - 1, 0):
        raise SelectError("InvalidScanRange", "The scan range ends before it begins, or begins behind the object.")
    if start > 0 and stated.get("CSV", {}).get("FileHeaderInfo") == "USE":
        raise SelectError("UnsupportedScanRangeInput", "A scan range that leaves out the header cannot use it.")
    if start > 0 and "CSV" in stated:
        stated["CSV"]["FileHeaderInfo"] = "NONE"  # the header is before the range
    return {"first_byte": start, "end": end}
