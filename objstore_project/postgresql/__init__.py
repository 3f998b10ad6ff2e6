"""A database engine for `DATABASES`: Django's PostgreSQL, noticing closed connections without a round trip."""
