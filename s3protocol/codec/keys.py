"""Object keys in listings with `encoding-type=url`.

AWS percent-encodes the UTF-8 of keys, prefixes, delimiters and markers and leaves the slash; it writes a space as "+".
We write "%20": clients that decode forms (botocore, Go's QueryUnescape, Java's URLDecoder) read both, clients that
decode paths read this one alone; a literal "+" is "%2B" in either case.
"""

from urllib.parse import quote


def encode_key(text: str) -> str:
    """Percent-encode a key, prefix, delimiter or marker for a listing; unreserved characters and "/" stay."""
    return quote(text, safe="/", errors="surrogatepass")
