"""Odd but real WebVTT files, and what a person reads in them."""

from .samples import Sample

VTT: dict[str, Sample] = {
    "Zoom": (
        (
            "WEBVTT\r\n\r\n1\r\n00:00:05.000 --> 00:00:08.000\r\nAnn Lee: Hello, everyone.\r\n\r\n"
            "2\r\n00:00:08.500 --> 00:00:09.000\r\nBob (Acme): Hi.\r\n"
        ),
        [("Ann Lee", "Hello, everyone.", 5, 8), ("Bob (Acme)", "Hi.", 8.5, 9)],
    ),
    "Teams": (
        (
            "WEBVTT\n\n3dc72631-b191/12-0\n00:00:05.000 --> 00:00:08.000\n"
            "<v Ann Lee>Hello,\neveryone.</v>\n\n"
            "3dc72631-b191/12-1\n00:00:08.500 --> 00:00:09.000\n"
            "<v Ray, Bob (Guest)>Hi.</v>\n"
        ),
        [("Ann Lee", "Hello,\neveryone.", 5, 8), ("Ray, Bob (Guest)", "Hi.", 8.5, 9)],
    ),
    "YouTube": (
        (
            "WEBVTT\nKind: captions\nLanguage: en\n\n"
            "00:00:00.160 --> 00:00:02.230 align:start position:0%\n \n"
            "hello<00:00:00.480><c> every</c><00:00:00.900><c> one</c>\n\n"
            "00:00:02.230 --> 00:00:02.240 align:start position:0%\nhello every one\n \n\n"
            "00:00:02.240 --> 00:00:04.000 align:start position:0%\nhello every one\n"
            "wel&nbsp;come\n"
        ),
        [
            (None, "hello every one", 0.16, 2.23),
            (None, "hello every one", 2.23, 2.24),
            (None, "hello every one\nwel\u00a0come", 2.24, 4),
        ],
    ),
    "character references": (
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\nD&#39;Arcy: Tom &amp; Jerry&#x27;s &copy; "
            "&quot;x&quot; AT&T &unknown; &hellip;\n"
        ),
        [("D'Arcy", 'Tom & Jerry\'s © "x" AT&T &unknown; …', 1, 2)],
    ),
    "escaped voice": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann &amp; Bob>1 &lt; 2\n",
        [("Ann & Bob", "1 < 2", 1, 2)],
    ),
    "several voices in a cue": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Ready?</v>\n<v Bob>No.</v>\n",
        [("Ann", "Ready?", 1, 2), ("Bob", "No.", 1, 2)],
    ),
    "dashes before voices": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n- <v Ann>Ready?</v>\n- <v Bob>No.</v>\n",
        [("Ann", "Ready?", 1, 2), ("Bob", "No.", 1, 2)],
    ),
    "voice with a class": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.first.loud Ann>Hi</v>\n",
        [("Ann", "Hi", 1, 2)],
    ),
    "commas in times": (
        "WEBVTT\n\n1\n00:00:01,000 --> 00:00:02,000\nHi\n",
        [(None, "Hi", 1, 2)],
    ),
    "no empty line below the header": (
        "WEBVTT\n00:01.000 --> 00:02.000\nHi\n",
        [(None, "Hi", 1, 2)],
    ),
    "notes, styles, regions": (
        (
            "WEBVTT Meeting\n\nNOTE\nby hand\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n"
            "00:01.000 --> 00:02.000 region:a\nHi\n\nNOTE the end\n"
        ),
        [(None, "Hi", 1, 2)],
    ),
    "rolled-up captions of a broadcaster": (
        (
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"
            "00:01.000 --> 00:02.000 line:0 position:20%\n&gt;&gt; ANN: GOOD MORNING.\n"
            "&gt;&gt; BOB: HI.\n"
        ),
        [("ANN", "GOOD MORNING.", 1, 2), ("BOB", "HI.", 1, 2)],
    ),
    "speaker changes without a name": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nAnn: Ready?\n&gt;&gt; No.\n",
        [("Ann", "Ready?", 1, 2), (None, ">> No.", 1, 2)],
    ),
    "Webex": (
        (
            'WEBVTT\n\n1 "Ann Lee" (1234567)\n00:00:05.000 --> 00:00:08.000\nHello.\n\n'
            '2 "Bob" (0)\n00:00:08.000 --> 00:00:09.000\nHi: you.\n'
        ),
        [("Ann Lee", "Hello.", 5, 8), ("Bob", "Hi: you.", 8, 9)],
    ),
    "Deepgram": (
        (
            "WEBVTT\n\nNOTE\nTranscription provided by Deepgram\nRequest Id: 1\n\n"
            "00:00:00.080 --> 00:00:02.000\n<v Speaker 0>Hello.\n\n"
            "00:00:02.000 --> 00:00:03.000\n<v Speaker 1>Hi.\n"
        ),
        [("Speaker 0", "Hello.", 0.08, 2), ("Speaker 1", "Hi.", 2, 3)],
    ),
    "label after a tag": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<b>Ann</b>: Hi\n<i>Bob:</i> Yes\n",
        [("Ann", "Hi", 1, 2), ("Bob", "Yes", 1, 2)],
    ),
    "seven words in a name": (
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\nBob: Ready?\n"
            "Professor Doctor Ann Maria Lee von Berg: No.\n"
        ),
        [("Bob", "Ready?", 1, 2), ("Professor Doctor Ann Maria Lee von Berg", "No.", 1, 2)],
    ),
    "brackets in a name": (
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\nBob: Ready?\nAnn [she/her]: No.\n\n"
            "00:03.000 --> 00:04.000\n[External] Ann: Why?\nBob: So.\n"
        ),
        [
            ("Bob", "Ready?", 1, 2),
            ("Ann [she/her]", "No.", 1, 2),
            ("[External] Ann", "Why?", 3, 4),
            ("Bob", "So.", 3, 4),
        ],
    ),
    "time and emphasis before the label": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nBob: Ready?\n[00:05] Ann: No.\n**Eve:** Yes.\n",
        [("Bob", "Ready?", 1, 2), ("Ann", "No.", 1, 2), ("Eve", "Yes.", 1, 2)],
    ),
    "line with a space between cues": (
        "WEBVTT\n\n1\n00:01.000 --> 00:02.000\nHi\n \n2\n00:03.000 --> 00:04.000\nYes\n",
        [(None, "Hi", 1, 2), (None, "Yes", 3, 4)],
    ),
    "unknown tags": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<lang en>Hi</lang> <ruby>a<rt>b</rt></ruby> <x>y\n",
        [(None, "Hi ab <x>y", 1, 2)],
    ),
    "hours beyond 99": (
        "WEBVTT\n\n100:00:01.000 --> 100:00:02.000\nHi\n",
        [(None, "Hi", 360001, 360002)],
    ),
    "phone and address": (
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\nAnn: Who is there?\n+1 (555) 010-0100: Me.\n"
            "sip:1001@example.com: And me.\n"
        ),
        [
            ("Ann", "Who is there?", 1, 2),
            ("+1 (555) 010-0100", "Me.", 1, 2),
            ("sip:1001@example.com", "And me.", 1, 2),
        ],
    ),
}
