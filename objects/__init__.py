"""Objects, their versions and history, multipart uploads and listings.

Not for: where bytes lie (`chunks`), nor for the wire (`s3protocol`).
"""
