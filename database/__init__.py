"""The queue and the record: the only package that knows SQL."""
