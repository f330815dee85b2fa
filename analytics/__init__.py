"""Numbers: formulas on NumPy arrays, free of records, clocks and I/O."""
