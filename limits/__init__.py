"""Quotas and rates: how much an account or a bucket may hold, and how much they, or an access key, may ask for.

Quotas are kept by the publishing transaction (`objects/sql/publish.sql`), rates by token buckets in Valkey that all
processes share. docs/design/limits.md. Not for: permissions.
"""
