"""Buckets of an object store that speaks the S3 protocol."""
