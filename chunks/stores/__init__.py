"""Places that keep fragments, behind one port."""
