"""Buckets of an object store that speaks the S3 protocol. Imported only where such a target is opened: boto3 is heavy."""

from targets.s3.sizes import Sizes
from targets.s3.target import BucketTarget

__all__ = ["BucketTarget", "Sizes"]
