"""Share links: an object, or all below a prefix, for whoever has the link; for longer than a presigned link can live.

A link is a row: it can be revoked, expire, ask for a password, and end after a number of downloads. It never gives more
than who made it may read at the moment of the download. docs/design/sharing.md. Not for: serving them over HTTP.
"""
