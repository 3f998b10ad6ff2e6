"""Settings by process: `gateway` and `console` (also workers and commands) over `base`, and `testing` for pytest."""
