"""One source: its clock and its book.

At each closed second it values everything that was quoted.
"""
