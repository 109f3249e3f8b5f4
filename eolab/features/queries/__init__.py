"""Which columns of which groups, as of when, cut into which time steps."""
