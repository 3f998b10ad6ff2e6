"""The website endpoint: buckets as websites for browsers, below the names of OBJSTORE_WEBSITE_DOMAIN."""
