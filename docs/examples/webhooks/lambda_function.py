"""Receive webhooks in an AWS Lambda function, behind a function URL or an API gateway."""

import base64
import os
from typing import Any

from videosdk_transcripts import (
    TranscriptionEvent,
    WebhookBodyError,
    WebhookSignatureError,
    verify_webhook,
)

PUBLIC_KEY = os.environ["VIDEOSDK_PUBLIC_KEY"]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Verify the body, which the gateway may have encoded in base64."""
    body = event.get("body") or ""
    raw_body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    # A function URL converts header names to lower case; a REST API passes them unchanged.
    headers = {name.lower(): value for name, value in event["headers"].items()}
    try:
        webhook = verify_webhook(raw_body, headers.get("videosdk-signature"), PUBLIC_KEY)
    except WebhookSignatureError:
        return {"statusCode": 401}
    except WebhookBodyError:
        return {"statusCode": 400}
    if isinstance(webhook, TranscriptionEvent):
        print(f"{webhook.type}: {webhook.id}")
    return {"statusCode": 200}
