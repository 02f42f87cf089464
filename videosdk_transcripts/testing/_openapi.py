"""The description of what the fake service models, as OpenAPI 3.1."""

from __future__ import annotations

from importlib.resources import files


def openapi_text() -> str:
    """
    Return the document as JSON text.

    It was written from the vendor's public pages, and says where they are silent.
    """
    return (files("videosdk_transcripts.testing") / "openapi.json").read_text("utf-8")
