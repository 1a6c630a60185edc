"""What a server must be able to do for the calls that are wanted. It is asked before anything is done there."""

from collections.abc import Sequence

from targets.disk import Call, Op
from targets.errors import TargetUnfit
from targets.sftp import wire
from targets.sftp.session import Session


def require(session: Session, wanted: Sequence[Call], target: str, *, durable: bool) -> None:
    """Raises TargetUnfit, which says what is missing. `durable`: whether syncs are carried out."""
    if wire.POSIX_RENAME not in session.extensions and any(call.op is Op.RENAME for call in wanted):
        raise TargetUnfit(
            f"{session.place} cannot rename over a file ({wire.POSIX_RENAME} is missing), so nothing can be replaced without "
            "a gap. Use OpenSSH's SFTP server there."
        )
    if wire.HARDLINK not in session.extensions and any(call.op is Op.LINK for call in wanted):
        raise TargetUnfit(
            f"{session.place} cannot give a file a second name ({wire.HARDLINK} is missing), as the versioned layout must. "
            f'Use OpenSSH\'s SFTP server there, or set layout = "ordered" in [targets.{target}].'
        )
    if durable and any(call.op is Op.SYNC for call in wanted):
        require_sync(session, target)


def require_sync(session: Session, target: str) -> None:
    """Raises TargetUnfit where no file can be synced."""
    if wire.FSYNC not in session.extensions:
        raise TargetUnfit(
            f"{session.place} cannot sync files to its disk ({wire.FSYNC} is missing). Use OpenSSH's SFTP server there, "
            f'or set durability = "none" in [targets.{target}].'
        )
