"""
Verify webhook signatures: RSA with SHA-256 (PKCS#1 v1.5) over the bytes of the body.

The service sends the signature in base64 in the header ``videosdk-signature``. Exceptions of
cryptography are converted to errors of this package.
Source: https://docs.videosdk.live/api-reference/realtime-communication/webhook-verification
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from videosdk_transcripts._redact import Secret, SecretBytes, kind_of, mask_data
from videosdk_transcripts.errors import ConfigurationError, WebhookBodyError, WebhookSignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

# A webhook usually has a few hundred bytes.
_MAX_BODY_BYTES: Final = 1024 * 1024
_MIN_KEY_BITS: Final = 2048


def require_cryptography() -> None:
    """
    Check that the extra ``[webhooks]`` is installed.

    Raises:
        ConfigurationError: cryptography is not installed.
    """
    try:
        import_module("cryptography")
    except ImportError:
        raise ConfigurationError(
            "verifying webhooks requires cryptography, which is not installed; "
            "pip install 'videosdk-transcripts[webhooks]'"
        ) from None


def decode_signature(raw_body: object, signature: object) -> bytes:
    """
    Decode a signature, and reject arguments that no key can verify.

    Raises:
        WebhookSignatureError: the signature is absent or not base64.
        WebhookBodyError: the body is too large.
        ConfigurationError: an argument has the wrong type.
    """
    if not isinstance(raw_body, bytes):
        raise ConfigurationError(
            f"raw_body must be bytes, not {kind_of(raw_body)}; pass the raw body of the "
            "request, not the parsed one, because the signature covers the bytes that were sent"
        )
    if signature is not None and not isinstance(signature, str):
        raise ConfigurationError(
            f"signature must be a string, not {kind_of(signature)}; pass the value of the "
            "header videosdk-signature"
        )
    if not signature:
        raise WebhookSignatureError(
            "webhook verification failed: there is no signature; pass the value of the header "
            "videosdk-signature"
        )
    if len(raw_body) > _MAX_BODY_BYTES:
        raise WebhookBodyError(
            f"webhook verification failed: the body has {len(raw_body)} bytes, more than the "
            f"{_MAX_BODY_BYTES} allowed"
        )
    try:
        # Masked, because a key may be passed by mistake.
        decoded = SecretBytes(b64decode(signature, validate=True))
    except ValueError:
        decoded = SecretBytes()
    # Only the canonical encoding is accepted; Python also decodes others.
    if b64encode(decoded) != signature.encode("utf-8", "replace"):
        raise WebhookSignatureError(
            "webhook verification failed: the signature is not valid base64; pass the unmodified "
            "value of the header videosdk-signature"
        )
    return decoded


def load_key(public_key: object) -> RSAPublicKey:
    """
    Load a key in PEM: PKCS#1 (``RSA PUBLIC KEY``) or SPKI (``PUBLIC KEY``).

    A backslash followed by ``n`` counts as a line break, because environment files can't contain
    real ones.

    Raises:
        ConfigurationError: the key is not a public RSA key of 2048 bits or more.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public_key = mask_data(public_key)
    if not isinstance(public_key, Secret | SecretBytes):
        _reject_key(f"must be a string or bytes, not {kind_of(public_key)}")
    pem = _pem(public_key)
    if "PRIVATE KEY" in pem:
        _reject_key("contains a private key, which must never be passed here")
    if "-----BEGIN" not in pem:
        _reject_key(
            "is not valid PEM: its base64 must be between the lines -----BEGIN PUBLIC KEY----- "
            "and -----END PUBLIC KEY-----"
        )
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if key is None:
        _reject_key("is not valid PEM")
    if not isinstance(key, RSAPublicKey):
        _reject_key("is not an RSA key")
    if key.key_size < _MIN_KEY_BITS:
        _reject_key(f"has {key.key_size} bits, fewer than {_MIN_KEY_BITS}")
    return key


def _pem(public_key: Secret | SecretBytes) -> Secret:
    """Return a key as text that can be encoded, with real line breaks."""
    if isinstance(public_key, str):
        public_key = SecretBytes(public_key.encode("utf-8", "replace"))
    text = public_key.decode("utf-8", "replace")
    return Secret(text.replace("\\r", "").replace("\\n", "\n").strip())


def _reject_key(problem: str) -> NoReturn:
    raise ConfigurationError(
        f"the public key {problem}; pass the PEM that GET /v2/public/rsa-public-key returns"
    )


def check_signature(raw_body: bytes, signature: bytes, key: RSAPublicKey) -> None:
    """
    Check that a body was signed with a key.

    Raises:
        WebhookSignatureError: the signature belongs to another key or another body.
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
    # Raised outside the `except` block, so that cryptography's exception is not the context.
    raise WebhookSignatureError(
        "webhook verification failed: the signature does not match the public key and the body; "
        "the webhook is forged, the key is outdated or of another account, or the body was "
        "modified: pass the bytes as received, not re-serialized JSON"
    )
