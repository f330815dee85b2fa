"""Files published as a feed."""
