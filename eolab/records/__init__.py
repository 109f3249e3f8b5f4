"""What a workspace keeps about itself: lineage, search, saved searches, downloads."""
