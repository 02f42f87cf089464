"""Run the command line: ``python -m videosdk_transcripts``."""

from .cli import main

main()
