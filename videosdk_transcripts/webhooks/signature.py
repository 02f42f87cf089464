"""
Signatures of webhooks: RSA with SHA-256 (PKCS#1 v1.5) over the bytes of the body.

No error of cryptography gets out of here.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from videosdk_transcripts.errors import ConfigurationError, WebhookBodyError, WebhookSignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

# Some hundred bytes are usual.
_MOST_BYTES: Final = 1024 * 1024
_FEWEST_BITS: Final = 2048


def require_cryptography() -> None:
    """
    Refuse to go on without the extra.

    Raises:
        ConfigurationError: cryptography is not installed.
    """
    try:
        import_module("cryptography")
    except ImportError:
        raise ConfigurationError(
            "webhooks are verified with cryptography, which is not installed; "
            "pip install 'videosdk-transcripts[webhooks]'"
        ) from None


def read_signature(raw_body: object, signature: object) -> bytes:
    """
    Decode a signature, and refuse what no key could prove.

    Raises:
        WebhookSignatureError: it is absent, or no base64.
        WebhookBodyError: the body is too large.
        ConfigurationError: one of the two is of the wrong type.
    """
    if not isinstance(raw_body, bytes):
        raise ConfigurationError(
            f"raw_body is of type {type(raw_body).__name__}; pass the raw bytes, not the parsed "
            "body, because the signature is of the bytes as they were sent"
        )
    if signature is not None and not isinstance(signature, str):
        raise ConfigurationError(
            f"signature is of type {type(signature).__name__}; pass the value of the header "
            "videosdk-signature as a string"
        )
    if not signature:
        raise WebhookSignatureError(
            "the webhook has no signature; it is in the header videosdk-signature of what the "
            "service sends"
        )
    if len(raw_body) > _MOST_BYTES:
        raise WebhookBodyError(
            f"the body of the webhook has {len(raw_body)} bytes, more than the {_MOST_BYTES} that "
            "are read"
        )
    try:
        decoded = b64decode(signature, validate=True)
    except ValueError:
        decoded = b""
    # There is one way to write it; Python reads others as well.
    if b64encode(decoded) != signature.encode("utf-8", "replace"):
        raise WebhookSignatureError(
            "the signature of the webhook is no base64; pass the value of the header "
            "videosdk-signature as it came"
        )
    return decoded


def load_key(public_key: object) -> RSAPublicKey:
    """
    Read a key in PEM: PKCS#1 (``RSA PUBLIC KEY``) or SPKI (``PUBLIC KEY``).

    Raises:
        ConfigurationError: it is no public RSA key of 2048 bits or more.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if isinstance(public_key, str):
        public_key = public_key.encode("utf-8", "replace")
    if not isinstance(public_key, bytes):
        _refuse_key(f"is of type {type(public_key).__name__}, not text")
    if b"PRIVATE KEY" in public_key:
        _refuse_key("holds a private key, which has no business here")
    try:
        key = load_pem_public_key(public_key.strip())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if key is None:
        _refuse_key("can't be read as PEM")
    if not isinstance(key, RSAPublicKey):
        _refuse_key("is not of RSA")
    if key.key_size < _FEWEST_BITS:
        _refuse_key(f"has {key.key_size} bits, fewer than {_FEWEST_BITS}")
    return key


def _refuse_key(fault: str) -> NoReturn:
    raise ConfigurationError(
        f"the public key {fault}; give the PEM that GET /v2/public/rsa-public-key answers with"
    )


def check_signature(raw_body: bytes, signature: bytes, key: RSAPublicKey) -> None:
    """
    Refuse a body that a key has not signed.

    Raises:
        WebhookSignatureError: another key signed it, or other bytes.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, raw_body, PKCS1v15(), SHA256())
    except InvalidSignature:
        pass
    else:
        return
    raise WebhookSignatureError(
        "the signature is not of this public key and this body: somebody else sent the webhook, "
        "the key is another account's or an old one, or the body was changed; pass the bytes as "
        "they came, and not JSON that was written anew"
    )
