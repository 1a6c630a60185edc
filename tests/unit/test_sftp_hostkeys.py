"""Host keys are accepted by what the text says, and refused in words that name the place."""

import base64
import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.errors import HostKeyRefused
from targets.sftp.hostkeys import HostKeys, fingerprint, from_known_hosts, from_setting


def key(kind: str, fill: bytes) -> bytes:
    return struct.pack(">I", len(kind)) + kind.encode() + struct.pack(">I", len(fill)) + fill


def line(blob: bytes) -> str:
    kind = blob[4 : 4 + blob[3]].decode()
    return f"{kind} {base64.b64encode(blob).decode()}"


A, B, RSA = key("ssh-ed25519", b"a" * 32), key("ecdsa-sha2-nistp256", b"b" * 70), key("ssh-rsa", b"r" * 256)


def accepts(text: str, host: str = "web.example.edu", port: int = 22) -> frozenset[bytes]:
    return from_known_hosts(text.splitlines(), host, port, "the file").accepted


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    "patterns",
    [
        "web.example.edu",
        "WEB.example.EDU",
        "other,web.example.edu",
        "*.example.edu",
        "web.example.ed?",
        "*",
        hashed("web.example.edu"),
    ],
)
def test_a_listed_host_has_its_key(patterns: str) -> None:
    assert accepts(f"{patterns} {line(A)} comment") == {A}


@pytest.mark.parametrize(
    "patterns",
    [
        "other", "web.example.educ", "*.example.org", "!web.example.edu,*", "*,!web.example.edu", "[web.example.edu]:2222",
        hashed("other"), "|1|bad", "|1|!!|!!", "[w]eb.example.edu", "#web.example.edu",
    ],
)  # fmt: skip
def test_another_host_has_not(patterns: str) -> None:
    assert accepts(f"{patterns} {line(A)}") == frozenset()


def test_a_port_of_its_own_is_part_of_the_name() -> None:
    assert accepts(f"[web.example.edu]:2222 {line(A)}", port=2222) == {A}
    assert accepts(f"{hashed('[web.example.edu]:2222')} {line(A)}", port=2222) == {A}
    assert accepts(f"web.example.edu {line(A)}", port=2222) == frozenset()


def test_a_host_may_have_several_keys_and_odd_lines_are_no_keys() -> None:
    text = f"""
    # a comment
    web.example.edu {line(A)}
    web.example.edu {line(B)}
    web.example.edu ssh-ed25519 notbase64!
    web.example.edu ssh-ed25519 {base64.b64encode(b"short").decode()}
    web.example.edu ssh-rsa {line(A).split()[1]}
    web.example.edu
    @cert-authority *.example.edu {line(RSA)}
    @revoked
    """
    assert accepts(text) == {A, B}


def test_a_revoked_key_is_refused_even_if_it_is_listed() -> None:
    known = from_known_hosts([f"web {line(A)}", f"@revoked * {line(A)}"], "web", 22, "the file X")
    with pytest.raises(HostKeyRefused, match="the file X marks as revoked"):
        known.check(A)


def test_a_refusal_names_the_key_seen_the_key_known_and_the_place() -> None:
    known = HostKeys("web", "the file X", frozenset([A]))
    known.check(A)
    with pytest.raises(HostKeyRefused) as changed:
        known.check(B)
    for words in (fingerprint(A), fingerprint(B), "the file X", "CHANGED", "ecdsa-sha2-nistp256", "ssh-keygen -lf"):
        assert words in str(changed.value)
    with pytest.raises(HostKeyRefused, match="not known: no host key of it in the file X"):
        HostKeys("web", "the file X").check(B)


def test_fingerprints_are_those_of_ssh_keygen() -> None:
    assert fingerprint(A) == "SHA256:" + base64.b64encode(hashlib.sha256(A).digest()).decode().rstrip("=")


def test_the_known_keys_algorithms_are_asked_for_first() -> None:
    offered = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    assert HostKeys("h", "p", frozenset([A])).preferred(offered) == offered
    assert HostKeys("h", "p", frozenset([RSA])).preferred(offered) == (
        "rsa-sha2-512",
        "rsa-sha2-256",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
    )
    assert HostKeys("h", "p").preferred(offered) == offered


@pytest.mark.parametrize("text", [line(A), f"{line(A)} me@here", f"web.example.edu {line(A)}", line(A).split()[1]])
def test_a_setting_is_one_public_key(text: str) -> None:
    assert from_setting(text, "web", "host_key").accepted == {A}


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "SHA256:abc", "ssh-ed25519 " + "é" * 10])
def test_a_setting_that_is_no_key_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(HostKeyRefused, match=r"host_key is not a public key. It should look like"):
        from_setting(text, "web", "host_key")


@given(st.text(max_size=300), st.integers(1, 65535))
def test_any_text_is_read_without_trouble(text: str, port: int) -> None:
    accepts(text, port=port)
