"""Feature views: what a model sees, from training to serving."""
