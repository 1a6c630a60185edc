"""One SSH connection with an SFTP channel on it: who it is, in what order, and how long each step may take.

TCP, then key exchange, then the host key is judged, and only then does the account show its key, once. Paramiko's own
defaults are not used: they list CBC, 3DES and MD5, put GCM last, and wait an hour for a channel.
"""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import paramiko

from config import Secret, SftpTarget
from targets.errors import HostKeyRefused, LoginRefused, TargetError, TargetUnfit, TargetUnreachable
from targets.sftp.bounds import Watched, bound, spare
from targets.sftp.hostkeys import HostKeys, from_known_hosts, from_setting
from targets.sftp.packets import GcmPackets, send_together, terminate

CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-512", "hmac-sha2-256")
"""GCM needs none; encrypt-then-MAC first for the others."""
KEY_EXCHANGES = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp521",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group16-sha512",
)
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256")

KEEPALIVE = 15
"""Seconds of silence after which something is sent: it keeps a NAT's entry, and makes the kernel notice a dead peer."""

WINDOW = 8 * 1024 * 1024
"""Bytes that the server may send before we read them. More than the replies to all that a session lets be under way, so
that the server never stops reading our requests because we have not read its replies."""

_FAREWELL = 5
"""Seconds that paramiko's reading thread gets to end; it needs milliseconds."""
_QUIET = "targets.sftp.paramiko"
"""Paramiko logs whole tracebacks of what it also raises; they go nowhere."""

CHROOT_HINT = "Right after a login this is often a ChrootDirectory whose folders are not all owned by root; sshd's log says."


class ReadsSecrets(Protocol):
    """Where a passphrase comes from."""

    def read(self, secret: Secret, /) -> str: ...


class Connection:
    """An authenticated connection with SFTP channels. `close` ends it; nothing is left to the garbage collector."""

    def __init__(self, plain: "Watched", transport: paramiko.Transport, settings: SftpTarget, place: str) -> None:
        self._plain, self._transport, self._settings = plain, transport, settings
        self.place = place
        self._channels: list[paramiko.Channel] = []
        self._programs: list[paramiko.Channel] = []

    def channel(self) -> paramiko.Channel:
        """One more channel, each with a server process of its own. Raises TargetUnreachable and TargetUnfit."""
        self._channels.append(_sftp_channel(self._transport, self._settings, self.place))
        return self._channels[-1]

    def program(self, command: str) -> paramiko.Channel:
        """A channel with a program that the account's shell runs. Raises TargetUnreachable and TargetUnfit."""
        try:
            channel = _program_channel(self._transport, self._settings, self.place, command)
        except TargetUnreachable as error:
            if isinstance(error.__cause__, paramiko.ChannelException) and not self._programs:
                # Where one ran before, it may not have ended yet.
                raise TargetUnfit(
                    f"{self.place} opens no second channel for {self._settings.user!r}, which a stream of files needs. Set "
                    'MaxSessions to 6 or more in its sshd_config, or set transfer = "sftp".'
                ) from error
            raise
        self._programs = [*(one for one in self._programs if not one.closed), channel]
        return channel

    def stop(self) -> None:
        """End the last program, which may not listen to anything but a signal."""
        program = self._programs[-1]
        with suppress(paramiko.SSHException, OSError, EOFError):
            terminate(program)
            program.close()

    def gather(self, many: bool) -> None:
        """Say whether many replies are awaited, which need not be looked at one by one as they come."""
        self._plain.gathering = many

    @property
    def alive(self) -> bool:
        """Whether nothing is known to have ended it."""
        return self._transport.is_active() and not any(channel.closed for channel in self._channels)

    @property
    def server(self) -> str:
        """What the server calls its software."""
        return self._transport.remote_version

    def close(self) -> None:
        """Close the channels and the connection. Safe to call twice."""
        if self.alive:
            # A hang-up the server can understand; all replies were read, so nothing can get lost by what follows.
            with suppress(paramiko.SSHException, OSError, EOFError):
                for channel in (*self._programs, *self._channels):
                    channel.close()
        _close(self._plain, self._transport)


def connect(settings: SftpTarget, *, target: str, secrets: ReadsSecrets | None) -> Connection:
    """Connect, judge the host key, log in.

    Raises TargetUnreachable, HostKeyRefused, LoginRefused, TargetUnfit.
    """
    place = f"{settings.host}:{settings.port}"
    known = _host_keys(target, settings)
    key = _private_key(target, settings, secrets)
    plain = _socket(place, settings)
    transport = _transport(plain, settings, known)
    try:
        with _speaking(f"{place} did not complete the SSH handshake"):
            transport.start_client(timeout=settings.connect_timeout)
            if not transport.initial_kex_done:
                raise TargetUnreachable(f"{place} did not complete the SSH handshake within {settings.connect_timeout:g} s.")
            known.check(transport.get_remote_server_key().asbytes())
        _log_in(transport, key, settings, place)
        transport.set_keepalive(KEEPALIVE)
        return Connection(plain, transport, settings, place)
    except BaseException:
        _close(plain, transport)
        raise


def _host_keys(name: str, settings: SftpTarget) -> HostKeys:
    if settings.host_key is not None:
        return from_setting(settings.host_key, settings.host, f"host_key of [targets.{name}]")
    if settings.known_hosts is None:
        return HostKeys(settings.host, f"the configuration: set host_key or known_hosts in [targets.{name}]")
    try:
        with settings.known_hosts.expanduser().open(encoding="utf-8", errors="replace") as lines:
            return from_known_hosts(lines, settings.host, settings.port, f"the file {settings.known_hosts}")
    except OSError as error:
        raise HostKeyRefused(
            f"the file of known hosts cannot be read: {error}. Correct known_hosts in [targets.{name}]."
        ) from error


def _private_key(name: str, settings: SftpTarget, secrets: ReadsSecrets | None) -> paramiko.PKey:
    """The one key; every fault of its file is said in words that name the file, and none shows the passphrase."""
    wanted = settings.key_password
    passphrase = secrets.read(wanted).encode() if secrets is not None and wanted is not None else None
    path = settings.key.expanduser()
    where = f"the key {settings.key}"
    try:
        return paramiko.PKey.from_path(path, passphrase)
    except OSError as error:
        raise LoginRefused(
            f"{where} cannot be read: {error.strerror}. Correct key in [targets.{name}], or the file's rights."
        ) from error
    except Exception as error:  # noqa: BLE001 (each kind of key and each library version has errors of its own)
        raise LoginRefused(f"{where} cannot be used: {_key_fault(path, passphrase, error)}") from None


def _key_fault(path: Path, passphrase: bytes | None, error: Exception) -> str:
    content = path.read_bytes()
    if b"BEGIN DSA" in content or "ssh-dss" in str(error).lower() or "dsa" in str(error).lower():
        return "DSA keys are too weak, and servers refuse them. Make another: ssh-keygen -t ed25519."
    if b"PRIVATE KEY" not in content:
        return "it is not a private key. The file that ssh-keygen makes beside the .pub file is meant."
    if passphrase is None:
        return "it seems to have a passphrase; set key_password."
    return "the passphrase of key_password does not open it."


def _socket(place: str, settings: SftpTarget) -> Watched:
    try:
        plain = socket.create_connection((settings.host, settings.port), timeout=settings.connect_timeout)
    except OSError as error:
        raise TargetUnreachable(f"{place} cannot be reached: {error}.") from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.idle_timeout * 1000))
    return Watched(plain, settings.idle_timeout)


def _transport(plain: Watched, settings: SftpTarget, known: HostKeys) -> paramiko.Transport:
    quiet = logging.getLogger(_QUIET)
    quiet.propagate = False
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())
    transport = paramiko.Transport(plain, packetizer_class=GcmPackets)
    transport.set_log_channel(_QUIET)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = settings.connect_timeout
    transport.channel_timeout = settings.connect_timeout
    options = transport.get_security_options()
    options.ciphers = CIPHERS
    options.digests = MACS
    # What the installed cryptography library lacks, paramiko has left out of its own list.
    options.kex = tuple(name for name in KEY_EXCHANGES if name in options.kex)
    options.key_types = known.preferred(HOST_KEYS)
    return transport


def _log_in(transport: paramiko.Transport, key: paramiko.PKey, settings: SftpTarget, place: str) -> None:
    """Show the one key, once: servers lock accounts after a few failures."""
    try:
        more = transport.auth_publickey(settings.user, key)
    except paramiko.BadAuthenticationType as error:
        allowed = ", ".join(error.allowed_types)
        raise LoginRefused(f"{place} lets {settings.user!r} not log in by key, only by: {allowed}.") from error
    except paramiko.AuthenticationException as error:
        if not transport.is_active():
            raise TargetUnreachable(
                f"{place} closed the connection during the login of {settings.user!r}. {CHROOT_HINT}"
            ) from error
        if "timeout" in str(error):
            raise TargetUnreachable(f"{place} did not answer the login within {settings.connect_timeout:g} s.") from error
        raise LoginRefused(
            f"{place} did not accept the key {settings.key} for the account {settings.user!r}. Is its public half in that "
            "account's authorized_keys? It was tried once and will not be tried again by itself."
        ) from error
    except Exception as error:
        raise TargetUnreachable(f"{place} broke off the login of {settings.user!r}: {_words(error)}.") from error
    if more:
        raise LoginRefused(
            f"{place} wants more than a key from {settings.user!r}: {', '.join(more)}. Slipway logs in by key alone."
        )


def _sftp_channel(transport: paramiko.Transport, settings: SftpTarget, place: str) -> paramiko.Channel:
    unfit = f"offers no SFTP to {settings.user!r}. Add `Subsystem sftp internal-sftp` to its sshd_config."
    with _channel(transport, settings, place) as channel, _beginning(transport, settings, place, "SFTP", unfit, CHROOT_HINT):
        channel.invoke_subsystem("sftp")
    return channel


def _program_channel(transport: paramiko.Transport, settings: SftpTarget, place: str, command: str) -> paramiko.Channel:
    unfit = (
        f"starts no program for {settings.user!r}, which a stream of files needs. Give the account a shell, or set "
        'transfer = "sftp".'
    )
    began = time.monotonic()
    with _channel(transport, settings, place) as channel, _beginning(transport, settings, place, "a program", unfit):
        # To open a channel is one question and its answer.
        round_trip = time.monotonic() - began
        channel.exec_command(command)  # nosec B601 - a literal of ours; what it is to do goes through its input
        # Before its answer the server has said how much it takes.
        spare(channel, round_trip)
    return channel


@contextmanager
def _beginning(
    transport: paramiko.Transport, settings: SftpTarget, place: str, what: str, unfit: str, hint: str = ""
) -> Iterator[None]:
    """Says what it means that `what` did not begin: the server is slow, or does not offer it (`unfit`), or has gone."""
    try:
        yield
    except TimeoutError as error:
        raise TargetUnreachable(f"{place} did not begin {what} within {settings.connect_timeout:g} s.") from error
    except Exception as error:
        if transport.is_active():
            raise TargetUnfit(f"{place} {unfit}") from error
        raise TargetUnreachable(f"{place} closed the connection as {what} began. {hint}".rstrip()) from error


@contextmanager
def _channel(transport: paramiko.Transport, settings: SftpTarget, place: str) -> Iterator[paramiko.Channel]:
    """A channel that is closed again if the block fails."""
    with _speaking(f"{place} opened no channel for {settings.user!r}. {CHROOT_HINT}"):
        channel = transport.open_session(window_size=WINDOW, timeout=settings.connect_timeout)
        channel.settimeout(settings.idle_timeout)
    bound(channel, WINDOW, settings.connect_timeout)
    # What it is sent are many packets at a time.
    channel.send = partial(send_together, channel)  # type: ignore[method-assign]
    try:
        yield channel
    except BaseException:
        # It holds itself by what sends for it: left alone, it would be closed by the garbage collector, in the midst of a packet.
        with suppress(paramiko.SSHException, OSError, EOFError):
            channel.close()
        raise


@contextmanager
def _speaking(what: str) -> Iterator[None]:
    """What goes wrong below here means that the server cannot be used for the moment.

    Paramiko raises whatever its reading thread died of: what a server sends can make that any exception.
    """
    try:
        yield
    except TargetError:
        raise
    except paramiko.IncompatiblePeer as error:
        raise TargetUnfit(f"{what}: {_words(error)}. Its SSH server is too old, and needs an update.") from error
    except Exception as error:
        raise TargetUnreachable(f"{what}: {_words(error)}.") from error


def _close(plain: Watched, transport: paramiko.Transport) -> None:
    # Without this a failed handshake leaves a timer thread that the interpreter waits for at its end.
    transport.packetizer.complete_handshake()
    transport.close()
    plain.close()
    if transport.is_alive():
        transport.join(_FAREWELL)


def _words(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
