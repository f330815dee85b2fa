"""One source: its clock, its book, and at each closed second the value of everything that was quoted."""
