"""Tables on disk: Delta Lake, schemas, expectations, statistics."""
