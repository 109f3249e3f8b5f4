"""Feature groups: their options, commits and rows."""
