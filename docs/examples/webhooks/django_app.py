"""Receive webhooks with Django: ``python django_app.py runserver``, a whole project in one file."""

import logging
import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from videosdk_transcripts import (
    TranscriptionEvent,
    WebhookBodyError,
    WebhookSignatureError,
    verify_webhook,
)

PUBLIC_KEY = os.environ["VIDEOSDK_PUBLIC_KEY"]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])


# The signature replaces Django's own protection against forged requests.
@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest) -> HttpResponse:
    """Verify the raw body."""
    signature = request.headers.get("videosdk-signature")
    try:
        event = verify_webhook(request.body, signature, PUBLIC_KEY)
    except WebhookSignatureError:
        return HttpResponse(status=401)
    except WebhookBodyError:
        return HttpResponse(status=400)
    if isinstance(event, TranscriptionEvent):
        logging.getLogger("webhooks").warning("%s: %s", event.type, event.id)
    return HttpResponse()


urlpatterns = [path("webhooks/videosdk", receive_webhook)]
application = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
