"""The endpoint of IAM and STS, at the same address as S3: from a form to a document (`endpoint.serve`)."""

from objstore_project.query_endpoint.endpoint import is_query_request, serve

__all__ = ["is_query_request", "serve"]
