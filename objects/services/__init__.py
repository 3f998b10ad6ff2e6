"""Writes of objects. Each cites the paragraph of docs/design/write-ordering.md that it keeps."""
