"""The S3 endpoint: from a WSGI request to an answer, in one visible list of steps (`endpoint.serve`).

`address` finds out what a request is about, `body` reads what it carries, `response` writes what it gets.
"""
