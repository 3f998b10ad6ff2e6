"""The console's JSON API: for programs that hold a session, under `/api/`. Decisions are the pages' own."""
