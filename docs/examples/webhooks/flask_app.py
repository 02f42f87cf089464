"""Receive webhooks with Flask: ``flask --app flask_app run``."""

import os

from flask import Flask, Response, request

from videosdk_transcripts import (
    TranscriptionEvent,
    WebhookBodyError,
    WebhookSignatureError,
    verify_webhook,
)

PUBLIC_KEY = os.environ["VIDEOSDK_PUBLIC_KEY"]
app = Flask(__name__)


@app.post("/webhooks/videosdk")
def receive_webhook() -> Response:
    """Verify the raw body; the parsed `request.json` does not match the signature."""
    signature = request.headers.get("videosdk-signature")
    try:
        event = verify_webhook(request.get_data(), signature, PUBLIC_KEY)
    except WebhookSignatureError:
        return Response(status=401)
    except WebhookBodyError:
        return Response(status=400)
    if isinstance(event, TranscriptionEvent):
        app.logger.warning("%s: %s", event.type, event.id)
    return Response()
