"""The dead-letter topic from outside: read in words, and mended records sent again."""
