"""Odd but real SRT files, and what a person reads in them."""

# ruff: noqa: RUF001 - full-width punctuation is what is tested

from .samples import Sample

SRT: dict[str, Sample] = {
    "plain": (
        (
            "1\n00:00:01,000 --> 00:00:02,500\nAnn: Good morning.\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\nHello.\n"
        ),
        [("Ann", "Good morning.", 1, 2.5), (None, "Hello.", 3, 4)],
    ),
    "crlf and byte order mark": (
        (
            "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nHi\r\n\r\n"
            "2\r\n00:00:03,000 --> 00:00:04,000\r\nYes\r\n"
        ),
        [(None, "Hi", 1, 2), (None, "Yes", 3, 4)],
    ),
    "every line followed by an empty one": (
        (
            "1\r\r\n00:00:01,000 --> 00:00:02,000\r\r\nHi\r\r\n\r\r\n"
            "2\r\r\n00:00:03,000 --> 00:00:04,000\r\r\nYes\r\r\n"
        ),
        [(None, "Hi", 1, 2), (None, "Yes", 3, 4)],
    ),
    "no numbers": (
        "00:00:01,000 --> 00:00:02,000\nHi\n\n00:00:03,000 --> 00:00:04,000\nYes\n",
        [(None, "Hi", 1, 2), (None, "Yes", 3, 4)],
    ),
    "no empty lines between cues": (
        "1\n00:00:01,000 --> 00:00:02,000\nHi\n2\n00:00:03,000 --> 00:00:04,000\nYes\n",
        [(None, "Hi", 1, 2), (None, "Yes", 3, 4)],
    ),
    "empty line inside a cue": (
        (
            "1\n00:00:01,000 --> 00:00:02,000\nAnn: Hello\n\nthere\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\nYes\n"
        ),
        [("Ann", "Hello\nthere", 1, 2), (None, "Yes", 3, 4)],
    ),
    "cue without words": (
        "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\nYes\n",
        [(None, "", 1, 2), (None, "Yes", 3, 4)],
    ),
    "points instead of commas": (
        "1\n00:00:01.250 --> 00:00:02.5\nHi\n",
        [(None, "Hi", 1.25, 2.5)],
    ),
    "no milliseconds": ("1\n00:00:01 --> 00:00:02\nHi\n", [(None, "Hi", 1, 2)]),
    "no hours": ("1\n01:01,000 --> 01:02,000\nHi\n", [(None, "Hi", 61, 62)]),
    "one digit each": ("1\n0:0:1,5 --> 0:0:2,25\nHi\n", [(None, "Hi", 1.5, 2.25)]),
    "sixty seconds": (
        "1\n00:00:59,500 --> 00:00:60,000\nHi\n\n2\n00:59:60,000 --> 00:60:01,000\nYes\n",
        [(None, "Hi", 59.5, 60), (None, "Yes", 3600, 3601)],
    ),
    "a thousand milliseconds": (
        "1\n00:00:01,000 --> 00:00:01,1000\nHi\n",
        [(None, "Hi", 1, 2)],
    ),
    "microseconds": (
        "1\n00:00:01.000000 --> 00:00:02.250000\nHi\n",
        [(None, "Hi", 1, 2.25)],
    ),
    "colon before the milliseconds": (
        "1\n00:00:01:250 --> 00:00:02:000\nHi\n",
        [(None, "Hi", 1.25, 2)],
    ),
    "translated by a machine": (
        "1\n00: 00: 01,000 -> 00: 00: 02, 500\nHallo\n\n2\n00: 00: 03,000 -> 00: 00: 04,000\nJa\n",
        [(None, "Hallo", 1, 2.5), (None, "Ja", 3, 4)],
    ),
    "broken arrow": ("1\n00:00:01,000 -- > 00:00:02,000\nHi\n", [(None, "Hi", 1, 2)]),
    "coordinates": (
        "1\n00:00:01,000 --> 00:00:02,000 X1:100 X2:200 Y1:10 Y2:20\nHi\n",
        [(None, "Hi", 1, 2)],
    ),
    "tags": (
        (
            '1\n00:00:01,000 --> 00:00:02,000\n<i>Good</i> <font color="#ff0000">morning</font>\n'
            "{\\an8}<B>Ann</B>\n"
        ),
        [(None, "Good morning\nAnn", 1, 2)],
    ),
    "tag around the label": (
        (
            "1\n00:00:01,000 --> 00:00:02,000\n<b>Ann:</b> Hi\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\n<i>Bob: Yes</i>\n"
        ),
        [("Ann", "Hi", 1, 2), ("Bob", "Yes", 3, 4)],
    ),
    "sound above a label": (
        "1\n00:00:01,000 --> 00:00:02,000\n[Applause]\nAnn: Thanks.\n",
        [(None, "[Applause]", 1, 2), ("Ann", "Thanks.", 1, 2)],
    ),
    "not tags": (
        "1\n00:00:01,000 --> 00:00:02,000\nx < 3 and 4 > 2, <laughs>\n",
        [(None, "x < 3 and 4 > 2, <laughs>", 1, 2)],
    ),
    "two speakers with dashes": (
        "1\n00:00:01,000 --> 00:00:02,000\n- Ann: Ready?\n- Bob: No.\n",
        [("Ann", "Ready?", 1, 2), ("Bob", "No.", 1, 2)],
    ),
    "dash changes the speaker": (
        "1\n00:00:01,000 --> 00:00:02,000\nAnn: Ready?\n- No.\n",
        [("Ann", "Ready?", 1, 2), (None, "- No.", 1, 2)],
    ),
    "surname first": (
        "1\n00:00:01,000 --> 00:00:02,000\nBob: Ready?\nSmith, Ann: No.\n",
        [("Bob", "Ready?", 1, 2), ("Smith, Ann", "No.", 1, 2)],
    ),
    "phone": (
        "1\n00:00:01,000 --> 00:00:02,000\nBob: Hello?\n+15550100: Yes.\n",
        [("Bob", "Hello?", 1, 2), ("+15550100", "Yes.", 1, 2)],
    ),
    "wrapped line with a colon": (
        (
            "1\n00:00:01,000 --> 00:00:05,000\nAnn: We have two options and\n"
            "the second one is:\nwe wait.\n"
        ),
        [("Ann", "We have two options and\nthe second one is:\nwe wait.", 1, 5)],
    ),
    "sentence with a colon": (
        "1\n00:00:01,000 --> 00:00:05,000\nOn the integration question you raised: we can.\n",
        [(None, "On the integration question you raised: we can.", 1, 5)],
    ),
    "full-width colon": (
        "1\n00:00:01,000 --> 00:00:02,000\n李雷：准备好了吗？\n韩梅梅：好了。\n",
        [("李雷", "准备好了吗？", 1, 2), ("韩梅梅", "好了。", 1, 2)],
    ),
    "left-to-right mark before the label": (
        (
            "1\n00:00:01,000 --> 00:00:02,000\nBob: Hi\n\u200eAnn: Yes\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\nAnn: So\n"
        ),
        [("Bob", "Hi", 1, 2), ("Ann", "Yes", 1, 2), ("Ann", "So", 3, 4)],
    ),
    "number at the end of the words": (
        (
            "1\n00:00:01,000 --> 00:00:02,000\nThe answer is\n42\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\nRight\n"
        ),
        [(None, "The answer is\n42", 1, 2), (None, "Right", 3, 4)],
    ),
    "Deepgram": (
        (
            "1\n00:00:01,000 --> 00:00:02,000\n[speaker 0]\nHello there.\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\n[speaker 1]\nHi.\n"
        ),
        [("speaker 0", "Hello there.", 1, 2), ("speaker 1", "Hi.", 3, 4)],
    ),
    "words on the line of times": (
        (
            "00:00:01,000 --> 00:00:02,000 Ann: Hi there\n"
            "00:00:03,000 --> 00:00:04,000  [00:00] Bob: Yes\n"
        ),
        [("Ann", "Hi there", 1, 2), ("Bob", "Yes", 3, 4)],
    ),
    "title above the first cue": (
        "Weekly meeting\n\n1\n00:00:01,000 --> 00:00:02,000\nHi\n",
        [(None, "Hi", 1, 2)],
    ),
    "speakers without capitals": (
        (
            "1\n00:00:01,000 --> 00:00:02,000\nann: are you there\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\nbob: yes\n"
        ),
        [("ann", "are you there", 1, 2), ("bob", "yes", 3, 4)],
    ),
    "last cue cut off": (
        "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n00:00:03,000 --> \nYes\n",
        [(None, "Hi", 1, 2), (None, "Yes", None, None)],
    ),
}
