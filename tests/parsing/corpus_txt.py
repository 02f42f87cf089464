"""Plain text as programs and people write it, and what a person reads in it."""

# ruff: noqa: RUF001 - full-width punctuation is what is tested

from .samples import Sample

TXT: dict[str, Sample] = {
    "one line each": (
        "Ann: Good morning.\nBob: Hi.\n",
        [("Ann", "Good morning.", None, None), ("Bob", "Hi.", None, None)],
    ),
    "surname first": (
        "Bob: Ready?\nSmith, Ann: No.\n",
        [("Bob", "Ready?", None, None), ("Smith, Ann", "No.", None, None)],
    ),
    "phone": (
        "Bob: Hello?\n+15550100: Yes.\n",
        [("Bob", "Hello?", None, None), ("+15550100", "Yes.", None, None)],
    ),
    "list markers": (
        "- Ann: a\n* Bob: b\n1. Ann: c\n• Bob: d\n",
        [
            ("Ann", "a", None, None),
            ("Bob", "b", None, None),
            ("Ann", "c", None, None),
            ("Bob", "d", None, None),
        ],
    ),
    "emphasis": (
        "**Ann:** a\n**Bob**: b\n*Ann:* c\n__Bob:__ d\n",
        [
            ("Ann", "a", None, None),
            ("Bob", "b", None, None),
            ("Ann", "c", None, None),
            ("Bob", "d", None, None),
        ],
    ),
    "full-width colon": (
        "李雷：准备好了吗？\n韩梅梅：好了。\n",
        [("李雷", "准备好了吗？", None, None), ("韩梅梅", "好了。", None, None)],
    ),
    "sentence with a colon": (
        "Ann: Thanks.\nOn the integration question you raised: we can do it.\n",
        [("Ann", "Thanks.\nOn the integration question you raised: we can do it.", None, None)],
    ),
    "sentence without a speaker": (
        "We have to choose.\nThe question is: when\nI say now.\n",
        [
            (None, "We have to choose.", None, None),
            (None, "The question is: when", None, None),
            (None, "I say now.", None, None),
        ],
    ),
    "time in brackets": (
        "[00:05] Ann: Hi\n[01:02:03] Bob: Yes\n",
        [("Ann", "Hi", 5, None), ("Bob", "Yes", 3723, None)],
    ),
    "time in parentheses": (
        "(00:05) Ann: Hi\n(00:07) Bob: Yes\n",
        [("Ann", "Hi", 5, None), ("Bob", "Yes", 7, None)],
    ),
    "bare time": (
        "00:00:12 Ann: Hi\n00:00:14 Bob: Yes\n",
        [("Ann", "Hi", 12, None), ("Bob", "Yes", 14, None)],
    ),
    "two times": (
        "[00:00.00 - 00:01.17] spk_0: Hi\n[00:01.17 - 00:02.50] spk_1: Yes\n",
        [("spk_0", "Hi", 0, 1.17), ("spk_1", "Yes", 1.17, 2.5)],
    ),
    "Whisper on a terminal": (
        "[00:00.000 --> 00:04.000]  Hi there.\n[00:04.000 --> 00:06.500]  We start: now.\n",
        [(None, "Hi there.", 0, 4), (None, "We start: now.", 4, 6.5)],
    ),
    "faster-whisper": (
        "[0.00s -> 4.00s]  Hi there.\n[4.00s -> 6.50s]  Yes.\n",
        [(None, "Hi there.", 0, 4), (None, "Yes.", 4, 6.5)],
    ),
    "Otter": (
        (
            "Ann Lee  0:05  \nHello there.\n\nSpeaker 2  1:02:03  \nYes.\n\n"
            "Transcribed by https://otter.ai\n"
        ),
        [
            ("Ann Lee", "Hello there.", 5, None),
            ("Speaker 2", "Yes.", 3723, None),
            (None, "Transcribed by https://otter.ai", None, None),
        ],
    ),
    "Rev": (
        "Ann (00:00:08):\nHello there.\n\nSpeaker 2 (00:12):\nYes.\n",
        [("Ann", "Hello there.", 8, None), ("Speaker 2", "Yes.", 12, None)],
    ),
    "name and time in parentheses": (
        "Ann (00:00:08)\nHello there.\nBob (00:00:10)\nYes.\n",
        [("Ann", "Hello there.", 8, None), ("Bob", "Yes.", 10, None)],
    ),
    "Zoom": (
        "[Ann Lee] 10:05:11\nHello there.\n\n[Bob] 10:05:20\nYes.\n",
        [("Ann Lee", "Hello there.", 36311, None), ("Bob", "Yes.", 36320, None)],
    ),
    "Teams": (
        (
            "Ann Lee\n0 minutes 5 seconds\n0:05\nAnn Lee 0 minutes 5 seconds\nHello there.\n"
            "Bob Ray\n1 minute 8 seconds\n1:08\nBob Ray 1 minute 8 seconds\nYes.\n"
        ),
        [("Ann Lee", "Hello there.", 5, None), ("Bob Ray", "Yes.", 68, None)],
    ),
    "Google Meet": (
        (
            "Attendees\n\nAnn Lee, Bob Ray\n\nTranscript\n\nAnn Lee: Hello there.\n\n"
            "00:05:00\n\nBob Ray: Yes.\n"
        ),
        [
            (None, "Attendees", None, None),
            (None, "Ann Lee, Bob Ray", None, None),
            (None, "Transcript", None, None),
            ("Ann Lee", "Hello there.", None, None),
            ("Bob Ray", "Yes.", 300, None),
        ],
    ),
    "YouTube": (
        "0:00\nhello everyone\n0:05\nWelcome\n0:09\nso\n",
        [(None, "hello everyone", 0, None), (None, "Welcome", 5, None), (None, "so", 9, None)],
    ),
    "diarized Whisper": (
        "[SPEAKER_00] Hi there.\n[SPEAKER_01] Yes.\n",
        [("SPEAKER_00", "Hi there.", None, None), ("SPEAKER_01", "Yes.", None, None)],
    ),
    "time after the label": (
        "Ann: [00:00:05] Hi\nBob: (00:07) Yes\n",
        [("Ann", "Hi", 5, None), ("Bob", "Yes", 7, None)],
    ),
    "label above its words": (
        "Ann:\n\nGood morning.\n\nBob:\n\nHi.\n",
        [("Ann", "Good morning.", None, None), ("Bob", "Hi.", None, None)],
    ),
    "roles": (
        "user: how are you\nassistant: fine\n",
        [("user", "how are you", None, None), ("assistant", "fine", None, None)],
    ),
    "no space after the colon": (
        "Bob: Ready?\nAnn:No.\n",
        [("Bob", "Ready?", None, None), ("Ann", "No.", None, None)],
    ),
    "bracketed name without a colon": (
        "Bob: Ready?\n[Ann] No.\n",
        [("Bob", "Ready?", None, None), (None, "[Ann] No.", None, None)],
    ),
    "name in lower case once": (
        "Bob: Ready?\nMaybe\nreally not\nand so on\nann: no\n",
        [
            ("Bob", "Ready?\nMaybe\nreally not\nand so on", None, None),
            (None, "ann: no", None, None),
        ],
    ),
}
