"""S3 Select: its SQL, translated for DuckDB, and the process that runs it. Knows neither Django nor the store."""
