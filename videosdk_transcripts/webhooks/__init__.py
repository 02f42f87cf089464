"""
Webhooks: verify who sent one, and read it. In the extra ``[webhooks]``.

Files in reading order: `events` (what a webhook contains, and `verify_webhook`), `signature`
(RSA over the raw body), `keys` (the account's public key, fetched once and cached).
May import `errors`, `_loops`, `_redact` and `_api`.
"""

from .events import TranscriptionEvent, TranscriptionEventType, WebhookEvent, verify_webhook

__all__ = ["TranscriptionEvent", "TranscriptionEventType", "WebhookEvent", "verify_webhook"]
