"""What an item says of its bands: names, scale, nodata, quality layers."""
