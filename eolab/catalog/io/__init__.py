"""Documents and rasters, here and over the network, with the logins that they need."""
