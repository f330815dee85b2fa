"""One index: points of all sources in, one reading a second out."""
