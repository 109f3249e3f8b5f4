"""The server's helper process, in which library calls of the panels run."""
