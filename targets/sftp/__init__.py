"""Targets over SSH: a Disk that speaks SFTP version 3 itself, pipelined, on a channel of paramiko's.

Importing this package imports paramiko, so it is imported only where such a target is opened.
"""

from targets.sftp.disk import SftpDisk

__all__ = ["SftpDisk"]
