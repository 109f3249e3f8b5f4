"""Files that several processes share: locks, and files that are there whole or not at all."""
