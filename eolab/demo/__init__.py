"""`eolab demo`: the whole way from scenes (or a labelled table) to a registered model."""
