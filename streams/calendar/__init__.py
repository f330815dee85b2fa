"""Sessions of the exchange and expiries of its options."""
