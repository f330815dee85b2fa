"""Faust's consumer and the records that it fetches, in batches."""
