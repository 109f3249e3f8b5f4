"""What the study tab shows beside the journal: timeline, importance, bounds of a stop rule."""
