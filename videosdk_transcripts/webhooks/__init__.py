"""
Webhooks: verify their signature and read their events. In the extra ``[webhooks]``.

Files in reading order: `signature` (RSA over the raw body), `events` (the events, and
`verify_webhook`), `keys` (the account's public key, fetched once and cached).
May import `errors`, `models`, `_clock`, `_loops` and `_api`. cryptography is imported only when
used.
"""

from .events import TranscriptionEvent, TranscriptionEventType, WebhookEvent, verify_webhook

__all__ = ["TranscriptionEvent", "TranscriptionEventType", "WebhookEvent", "verify_webhook"]
