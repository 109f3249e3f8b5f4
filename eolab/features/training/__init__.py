"""Training datasets: the samples of a split, kept as files."""
