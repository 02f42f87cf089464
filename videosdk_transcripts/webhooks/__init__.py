"""
Verify webhooks, and read their events. In the extra ``[webhooks]``.

Files in reading order:

- `signature`: verifies an RSA signature of the raw body
- `events`: defines the events, and `verify_webhook`
- `keys`: fetches and caches the service's public key

May import `errors`, `models`, `_clock`, `_loops` and `_api`. cryptography is imported on first use.
"""

from .events import TranscriptionEvent, TranscriptionEventType, WebhookEvent, verify_webhook

__all__ = ["TranscriptionEvent", "TranscriptionEventType", "WebhookEvent", "verify_webhook"]
