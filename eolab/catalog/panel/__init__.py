"""What the Catalogue panel and the search tab show."""
