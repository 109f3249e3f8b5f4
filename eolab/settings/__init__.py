"""What `eolab.toml` says: read, checked, and changed without touching the rest of the file."""
