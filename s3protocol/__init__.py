"""The S3 wire: routes, parsing, rendering, signatures, chunked bodies and errors, as data and pure functions.

Values in, values out: no Django, no settings, no clock, no network; time and randomness are arguments.
"""
