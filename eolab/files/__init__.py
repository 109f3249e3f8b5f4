"""Files that several processes share: locks and whole writes."""
