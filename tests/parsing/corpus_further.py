"""Further samples of the same layouts, which were written after the parser."""

# ruff: noqa: RUF001, E501 - unusual characters are what is tested, and lines are generated

from .samples import Sample

FURTHER: dict[str, Sample] = {
    "txt o'brien comma": (
        "Carol: Shall we?\nO'Brien, Pat: Sure.\n",
        [("Carol", "Shall we?", None, None), ("O'Brien, Pat", "Sure.", None, None)],
    ),
    "txt phone dashes": (
        "Carol: Who joined?\n555-010-0199: It's me.\n",
        [("Carol", "Who joined?", None, None), ("555-010-0199", "It's me.", None, None)],
    ),
    "txt phone masked": (
        "Carol: Who joined?\n+1***5550: It's me.\n",
        [("Carol", "Who joined?", None, None), ("+1***5550", "It's me.", None, None)],
    ),
    "txt sip uri": (
        "Carol: Who joined?\nsip:alice@pbx.example: It's me.\n",
        [("Carol", "Who joined?", None, None), ("sip:alice@pbx.example", "It's me.", None, None)],
    ),
    "txt email": (
        "Carol: Who joined?\npat.lee@example.com: Me.\n",
        [("Carol", "Who joined?", None, None), ("pat.lee@example.com", "Me.", None, None)],
    ),
    "txt eight-word": (
        "Carol: Go.\nThe Right Honourable Lord Justice Peter van der Meer: Thank you.\n",
        [
            ("Carol", "Go.", None, None),
            ("The Right Honourable Lord Justice Peter van der Meer", "Thank you.", None, None),
        ],
    ),
    "txt they/them": (
        "Carol: Go.\nSam Ito [they/them]: Thanks.\nCarol: Ok.\n",
        [
            ("Carol", "Go.", None, None),
            ("Sam Ito [they/them]", "Thanks.", None, None),
            ("Carol", "Ok.", None, None),
        ],
    ),
    "txt [Guest] prefix": (
        "Carol: Go.\n[Guest] Sam: Thanks.\n",
        [("Carol", "Go.", None, None), ("[Guest] Sam", "Thanks.", None, None)],
    ),
    "txt stamp h:mm:ss": (
        "Carol: Go.\n[0:01:05] Sam: Thanks.\n",
        [("Carol", "Go.", None, None), ("Sam", "Thanks.", 65.0, None)],
    ),
    "txt underscored bold": (
        "Carol: Go.\n__Sam__: Thanks.\n",
        [("Carol", "Go.", None, None), ("Sam", "Thanks.", None, None)],
    ),
    "txt jp fullwidth": (
        "田中：おはようございます。\n佐藤さん：はい。\n",
        [("田中", "おはようございます。", None, None), ("佐藤さん", "はい。", None, None)],
    ),
    "txt RLM + hebrew": (
        "\u200fדנה: שלום\nדנה: כן\n",
        [("דנה", "שלום", None, None), ("דנה", "כן", None, None)],
    ),
    "txt LRE isolates": (
        "\u2068Sam\u2069: Hi\nSam: Yes\n",
        [("Sam", "Hi", None, None), ("Sam", "Yes", None, None)],
    ),
    "txt zero width space": (
        "Carol: Go.\n\u200bSam: Thanks.\n",
        [("Carol", "Go.", None, None), ("Sam", "Thanks.", None, None)],
    ),
    "txt iphone": (
        "Carol: Go.\nSam's iPhone: Thanks.\n",
        [("Carol", "Go.", None, None), ("Sam's iPhone", "Thanks.", None, None)],
    ),
    "txt room": (
        "Carol: Go.\nConference Room 4B (Berlin): Thanks.\n",
        [("Carol", "Go.", None, None), ("Conference Room 4B (Berlin)", "Thanks.", None, None)],
    ),
    "txt sentence: here is what": (
        "Carol: Good.\nSo here is what I propose for next week: we ship it.\nSam: Fine.\n",
        [
            ("Carol", "Good.\nSo here is what I propose for next week: we ship it.", None, None),
            ("Sam", "Fine.", None, None),
        ],
    ),
    "txt wrapped: and the last": (
        "Carol: There are three things and\nthe last one being:\nmoney.\nSam: Fine.\nCarol: Ok.\nSam: Yes.\n",
        [
            ("Carol", "There are three things and\nthe last one being:\nmoney.", None, None),
            ("Sam", "Fine.", None, None),
            ("Carol", "Ok.", None, None),
            ("Sam", "Yes.", None, None),
        ],
    ),
    "txt german sentence": (
        "Jana: Also gut.\nMeine Frage an alle in der Runde ist: wann?\n",
        [("Jana", "Also gut.\nMeine Frage an alle in der Runde ist: wann?", None, None)],
    ),
    "txt french space colon": (
        "Luc : Bonjour.\nMarie-Ève : Salut.\n",
        [("Luc", "Bonjour.", None, None), ("Marie-Ève", "Salut.", None, None)],
    ),
    "txt url line": (
        "Carol: Look at\nhttps://example.com/a:b for it\nSam: ok\n",
        [
            ("Carol", "Look at\nhttps://example.com/a:b for it", None, None),
            ("Sam", "ok", None, None),
        ],
    ),
    "txt clock in sentence": (
        "Carol: We start at\n10:30 sharp\nSam: ok\n",
        [("Carol", "We start at\n10:30 sharp", None, None), ("Sam", "ok", None, None)],
    ),
    "txt numbered": (
        "1) Carol: a\n2) Sam: b\n3) Carol: c\n",
        [("Carol", "a", None, None), ("Sam", "b", None, None), ("Carol", "c", None, None)],
    ),
    "txt bold list": (
        "* **Carol:** a\n* **Sam:** b\n",
        [("Carol", "a", None, None), ("Sam", "b", None, None)],
    ),
    "txt braces range": (
        "[00:01:00.500 - 00:01:02.000] speaker_1: hello\n[00:01:02.000 - 00:01:03.250] speaker_2: yes\n",
        [("speaker_1", "hello", 60.5, 62.0), ("speaker_2", "yes", 62.0, 63.25)],
    ),
    "txt dash after stamp": (
        "00:05 - Carol: a\n00:09 - Sam: b\n",
        [("Carol", "a", 5.0, None), ("Sam", "b", 9.0, None)],
    ),
    "txt whisper long": (
        "[01:02:03.000 --> 01:02:04.500]   so we go\n",
        [(None, "so we go", 3723.0, 3724.5)],
    ),
    "txt otter one speaker": (
        "Carol Ng  12:05\nSo we begin. The plan: ship.\n\nSam Ito  12:30\nFine.\n",
        [
            ("Carol Ng", "So we begin. The plan: ship.", 725.0, None),
            ("Sam Ito", "Fine.", 750.0, None),
        ],
    ),
    "txt name (mm:ss) inline": (
        "Carol (12:05): So.\nSam (12:09): Fine.\n",
        [("Carol", "So.", 725.0, None), ("Sam", "Fine.", 729.0, None)],
    ),
    "txt name [h:mm:ss] below": (
        "Carol [0:12:05]\nSo.\nSam [0:12:09]\nFine.\n",
        [("Carol", "So.", 725.0, None), ("Sam", "Fine.", 729.0, None)],
    ),
    "txt bold rev md": (
        "**Carol (00:02)**\n\nOkay, so.\n\n**Sam (00:16)**\n\nFine.\n",
        [("Carol", "Okay, so.", 2.0, None), ("Sam", "Fine.", 16.0, None)],
    ),
    "txt teams hours": (
        "Carol Ng\n1 hour 2 minutes 3 seconds\nSo.\nSam Ito\n1 hour 2 minutes 9 seconds\nFine.\n",
        [("Carol Ng", "So.", 3723.0, None), ("Sam Ito", "Fine.", 3729.0, None)],
    ),
    "txt teams docx": (
        "Carol Ng   0:05\nSo.\n\nSam Ito   1:05\nFine.\nReally.\n",
        [("Carol Ng", "So.", 5.0, None), ("Sam Ito", "Fine.\nReally.", 65.0, None)],
    ),
    "txt fireflies": (
        "Carol Ng - 00:05\nSo.\n\nSam Ito - 00:09\nFine.\n",
        [("Carol Ng", "So.", 5.0, None), ("Sam Ito", "Fine.", 9.0, None)],
    ),
    "txt youtube 3 part": (
        "0:59:58\nalmost\n1:00:02\nthere: we are\n",
        [(None, "almost", 3598.0, None), (None, "there: we are", 3602.0, None)],
    ),
    "srt comma name": (
        "7\n00:00:01,000 --> 00:00:02,000\nCarol: Well?\nvan Dyke, Dick: No.\n\n8\n00:00:02,000 --> 00:00:03,000\nCarol: Ok.\n",
        [
            ("Carol", "Well?", 1.0, 2.0),
            (None, "van Dyke, Dick: No.", 1.0, 2.0),
            ("Carol", "Ok.", 2.0, 3.0),
        ],
    ),
    "srt minute 60": ("1\n00:59:59,999 --> 01:00:60,000\nHi\n", [(None, "Hi", 3599.999, 3660.0)]),
    "srt ms 1000 carry end": ("1\n00:00:01,1000 --> 00:00:03,000\nHi\n", [(None, "Hi", 2.0, 3.0)]),
    "srt blank + label": (
        "1\n00:00:01,000 --> 00:00:02,000\nCarol: one\n\nSam: two\n\n2\n00:00:03,000 --> 00:00:04,000\nthree\n",
        [("Carol", "one", 1.0, 2.0), ("Sam", "two", 1.0, 2.0), (None, "three", 3.0, 4.0)],
    ),
    "srt italics nested": (
        "1\n00:00:01,000 --> 00:00:02,000\n<i><b>Hello</b> there</i>\n",
        [(None, "Hello there", 1.0, 2.0)],
    ),
    "srt font label": (
        '1\n00:00:01,000 --> 00:00:02,000\n<font color="yellow">Carol:</font> Hello\n\n2\n00:00:03,000 --> 00:00:04,000\nSam: yes\n',
        [("Carol", "Hello", 1.0, 2.0), ("Sam", "yes", 3.0, 4.0)],
    ),
    "srt en dash dialog": (
        "1\n00:00:01,000 --> 00:00:02,000\n– Are you in?\n– Yes.\n",
        [(None, "– Are you in?\n– Yes.", 1.0, 2.0)],
    ),
    "srt zero cue": (
        "0\n00:00:00,000 --> 00:00:00,500\n\n1\n00:00:01,000 --> 00:00:02,000\nHi\n",
        [(None, "", 0.0, 0.5), (None, "Hi", 1.0, 2.0)],
    ),
    "srt whitespace blank": (
        "1\n00:00:01,000 --> 00:00:02,000\nHi\n   \n2\n00:00:03,000 --> 00:00:04,000\nYes\n   \n",
        [(None, "Hi", 1.0, 2.0), (None, "Yes", 3.0, 4.0)],
    ),
    "srt trailing spaces in timing": (
        "1  \n00:00:01,000  -->  00:00:02,000  \nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt sentence w colon in cue": (
        "1\n00:00:01,000 --> 00:00:02,000\nCarol: My point is simple\nand it goes like this:\nno.\n",
        [("Carol", "My point is simple\nand it goes like this:\nno.", 1.0, 2.0)],
    ),
    "vtt entities": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nO&#x27;Neil: caf&eacute; &#8212; &lt;ok&gt;\n",
        [("O'Neil", "café — <ok>", 1.0, 2.0)],
    ),
    "vtt space line 2": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n \nfoo bar\n\n00:00:02.000 --> 00:00:03.000\nfoo bar\n \n",
        [(None, "foo bar", 1.0, 2.0), (None, "foo bar", 2.0, 3.0)],
    ),
    "vtt stamp label": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nCarol: Ok?\n(00:07) Sam: Yes.\n",
        [("Carol", "Ok?", 1.0, 2.0), ("Sam", "Yes.", 1.0, 2.0)],
    ),
    "vtt voice newline": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Carol\nNg>Hi</v>\n",
        [("Carol Ng", "Hi", 1.0, 2.0)],
    ),
    "vtt voice no close 2 lines": (
        "WEBVTT\n\nid-1\n00:01.000 --> 00:02.000\n<v Carol>Hi\nthere\n",
        [("Carol", "Hi\nthere", 1.0, 2.0)],
    ),
    "json segs dict": (
        '{"text": "", "segments": {"0": {"start": 0, "end": 1, "text": "Hello there"}}}',
        [],
    ),
    "json result.utterances ms": (
        '{"result": {"transcription": {"utterances": [{"speaker": 0, "start": 1200, "end": 2400, "text": "Hello there"}, {"speaker": 1, "start": 2400, "end": 3000, "text": "Yes"}]}}}',
        [("0", "Hello there", 1.2, 2.4), ("1", "Yes", 2.4, 3.0)],
    ),
    "json deepgram words only": (
        '{"results": {"channels": [{"alternatives": [{"transcript": "hello there yes", "words": [{"word": "hello", "start": 0.1, "end": 0.2, "speaker": 0}, {"word": "there", "start": 0.2, "end": 0.4, "speaker": 0}, {"word": "yes", "start": 0.5, "end": 0.6, "speaker": 1}]}]}]}}',
        [("0", "hello there", 0.1, 0.4), ("1", "yes", 0.5, 0.6)],
    ),
    "json top words": (
        '[{"word": " Hello", "start": 0.1, "end": 0.2}, {"word": " there.", "start": 0.2, "end": 0.4}]',
        [(None, "Hello there.", 0.1, 0.4)],
    ),
    "json chunks nested": (
        '{"output": {"chunks": [{"text": " Hi", "timestamp": [0.0, 1.5]}, {"text": " You", "timestamp": [1.5, 2.5]}], "text": " Hi You"}}',
        [(None, "Hi", 0.0, 1.5), (None, "You", 1.5, 2.5)],
    ),
    "json transcript list": (
        '{"transcript": [{"speaker": "Carol", "text": "Hi", "start_time": 1.5, "end_time": 2}, {"speaker": "Sam", "text": "Yes", "start_time": 2, "end_time": 3}]}',
        [("Carol", "Hi", 1.5, 2), ("Sam", "Yes", 2, 3)],
    ),
    "json whispercpp": (
        '{"transcription": [{"timestamps": {"from": "00:00:00,000", "to": "00:00:03,500"}, "offsets": {"from": 0, "to": 3500}, "text": " Hello"}]}',
        [(None, "Hello", 0.0, 3.5)],
    ),
    "json summary unread": (
        '{"segments": [{"text": "Hi", "start": 0, "end": 1.5}], "summary": "They planned the launch."}',
        [(None, "Hi", 0, 1.5)],
    ),
    "json roles": (
        '{"role":"user","content":"Hi"}\n{"role":"assistant","content":"Hello"}\n',
        [("user", "Hi", None, None), ("assistant", "Hello", None, None)],
    ),
    "json broken": (
        '{"speaker":"Carol","text":"Hi"}\n{"speaker":"Sam","te\n{"speaker":"Sam","text":"Yes"}\n',
        [("Carol", "Hi", None, None), ("Sam", "Yes", None, None)],
    ),
    "csv speaker first": (
        'Speaker,Start,End,Text\nCarol,00:00:01,00:00:02,Hi\n"Ito, Sam",00:00:02,00:00:04,"Yes, sure"\n',
        [("Carol", "Hi", 1.0, 2.0), ("Ito, Sam", "Yes, sure", 2.0, 4.0)],
    ),
    "tsv reorder": (
        "end\tstart\ttext\tspeaker\n2.5\t1.0\tHi\tCarol\n4.0\t2.5\tYes\tSam\n",
        [("Carol", "Hi", 1.0, 2.5), ("Sam", "Yes", 2.5, 4.0)],
    ),
    "tsv speaker name start": (
        "speaker\tstart\ttext\nCarol\t1.5\tHi\nSam\t2.5\tYes\n",
        [("Carol", "Hi", 1.5, None), ("Sam", "Yes", 2.5, None)],
    ),
    "srt Jr.": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\nKing, Martin Luther, Jr.: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [
            ("Ruth", "Hm?", 1.0, 2.0),
            ("King, Martin Luther, Jr.", "Yes.", 1.0, 2.0),
            ("Ruth", "ok", 3.0, 4.0),
        ],
    ),
    "srt [Host]": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n[Host] Theo: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("[Host] Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt stamp": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n00:00:12 Theo: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt stamp range": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n[00:12 - 00:14] Theo: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt bold it": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n***Theo***: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt RLM": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n\u200fTheo: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt BOM inside": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n\ufeffTheo: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt wide": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\nТеодор：Да.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("Теодор", "Да.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt korean": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n김철수: 네.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("김철수", "네.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt arabic": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\nمحمد علي: نعم\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("محمد علي", "نعم", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt tel paren": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n(555) 010-0199: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("(555) 010-0199", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt pipes": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\nTheo Fox | ACME: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [
            ("Ruth", "Hm?", 1.0, 2.0),
            ("Theo Fox | ACME", "Yes.", 1.0, 2.0),
            ("Ruth", "ok", 3.0, 4.0),
        ],
    ),
    "srt slash pronouns": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\nTheo (he/him) - ACME: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [
            ("Ruth", "Hm?", 1.0, 2.0),
            ("Theo (he/him) - ACME", "Yes.", 1.0, 2.0),
            ("Ruth", "ok", 3.0, 4.0),
        ],
    ),
    "srt emoji name": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n🦊 Theo: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("🦊 Theo", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt emoji only": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n🦊: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), (None, "🦊: Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt lower handle": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\ntheo_fox: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "Hm?", 1.0, 2.0), ("theo_fox", "Yes.", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt quotes": (
        '1\n00:00:01,000 --> 00:00:02,000\nRuth: Hm?\n"Theo": Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n',
        [("Ruth", "Hm?", 1.0, 2.0), (None, '"Theo": Yes.', 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt all caps label": (
        "1\n00:00:01,000 --> 00:00:02,000\nRUTH: ARE YOU THERE?\nTHEO FOX: YES.\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [
            ("RUTH", "ARE YOU THERE?", 1.0, 2.0),
            ("THEO FOX", "YES.", 1.0, 2.0),
            ("Ruth", "ok", 3.0, 4.0),
        ],
    ),
    "srt caps sentence": (
        "1\n00:00:01,000 --> 00:00:02,000\nRUTH: I TELL YOU\nTHE ONLY THING THAT MATTERS IS: MONEY\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [
            ("RUTH", "I TELL YOU\nTHE ONLY THING THAT MATTERS IS: MONEY", 1.0, 2.0),
            ("Ruth", "ok", 3.0, 4.0),
        ],
    ),
    "srt question colon": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: And so I ask you\nwhat do you really mean by: soon?\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [
            ("Ruth", "And so I ask you\nwhat do you really mean by: soon?", 1.0, 2.0),
            ("Ruth", "ok", 3.0, 4.0),
        ],
    ),
    "srt smiley": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: thanks :) and\nso on :-) bye\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "thanks :) and\nso on :-) bye", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt ratio": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: it was\n3:1 for us\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "it was\n3:1 for us", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "srt windows path": (
        "1\n00:00:01,000 --> 00:00:02,000\nRuth: look in\nC:\\temp for it\n\n2\n00:00:03,000 --> 00:00:04,000\nRuth: ok\n",
        [("Ruth", "look in\nC:\\temp for it", 1.0, 2.0), ("Ruth", "ok", 3.0, 4.0)],
    ),
    "txt quote marks": (
        "> Ruth: hi\n> Theo: yes\n",
        [("Ruth", "hi", None, None), ("Theo", "yes", None, None)],
    ),
    "txt >> captions": (
        ">> RUTH: HI THERE.\n>> I AM HERE.\n>> THEO: OK.\n",
        [
            ("RUTH", "HI THERE.", None, None),
            (None, ">> I AM HERE.", None, None),
            ("THEO", "OK.", None, None),
        ],
    ),
    "txt dialog em dash": (
        "— Ruth: hi\n— Theo: yes\n",
        [("Ruth", "hi", None, None), ("Theo", "yes", None, None)],
    ),
    "txt list of speaker": (
        "Ruth: my list\n- milk\n- eggs\nTheo: ok\n",
        [("Ruth", "my list\n- milk\n- eggs", None, None), ("Theo", "ok", None, None)],
    ),
    "txt Q/A": ("Q: Where?\nA: Here.\n", [("Q", "Where?", None, None), ("A", "Here.", None, None)]),
    "txt legal": (
        "MR. SMITH: Objection.\nTHE COURT: Overruled.\nTHE WITNESS: I saw it.\n",
        [
            ("MR. SMITH", "Objection.", None, None),
            ("THE COURT", "Overruled.", None, None),
            ("THE WITNESS", "I saw it.", None, None),
        ],
    ),
    "txt unknown speaker": (
        "Unknown speaker: hi\nRuth: yes\nUnknown speaker: ok\n",
        [
            ("Unknown speaker", "hi", None, None),
            ("Ruth", "yes", None, None),
            ("Unknown speaker", "ok", None, None),
        ],
    ),
    "txt scene": (
        "Ruth: hi\n[laughter]\nand so\nTheo: ok\n",
        [("Ruth", "hi\n[laughter]\nand so", None, None), ("Theo", "ok", None, None)],
    ),
    "txt note prose": (
        "Dear all,\nplease note the following: we moved.\nBest, Ruth\n",
        [
            (None, "Dear all,", None, None),
            (None, "please note the following: we moved.", None, None),
            (None, "Best, Ruth", None, None),
        ],
    ),
    "txt title then labels": (
        "Weekly sync - 2024-01-05\n\nRuth: hi\nthere\n\nTheo: ok\n\nRuth: bye\n",
        [
            (None, "Weekly sync - 2024-01-05", None, None),
            ("Ruth", "hi\nthere", None, None),
            ("Theo", "ok", None, None),
            ("Ruth", "bye", None, None),
        ],
    ),
    "txt iso stamps": (
        "2024-01-05T10:05:11Z Ruth: hi\n2024-01-05T10:05:14Z Theo: yes\n",
        [("Ruth", "hi", None, None), ("Theo", "yes", None, None)],
    ),
    "txt am pm header": (
        "Ruth  10:05 AM\nhi\n\nTheo  1:06 PM\nyes\n",
        [("Ruth", "hi", 36300.0, None), ("Theo", "yes", 47160.0, None)],
    ),
    "txt zoom": (
        "[Ruth Ng] 09:00:01\nhi\nthere\n\n[Theo] 09:00:09\nyes\n",
        [("Ruth Ng", "hi\nthere", 32401.0, None), ("Theo", "yes", 32409.0, None)],
    ),
    "txt bracket colon stamps": (
        "[00:12] [Ruth]: hi\n[00:15] [Theo]: yes\n",
        [("Ruth", "hi", 12.0, None), ("Theo", "yes", 15.0, None)],
    ),
    "txt stamp dash name": (
        "(1:02:03) Ruth: hi\n(1:02:09) Theo: yes\n",
        [("Ruth", "hi", 3723.0, None), ("Theo", "yes", 3729.0, None)],
    ),
    "txt comma stamp range arrow": (
        "00:00:01,000 --> 00:00:02,000 Ruth: hi\n00:00:02,000 --> 00:00:03,000 Theo: yes\n",
        [("Ruth", "hi", 1.0, 2.0), ("Theo", "yes", 2.0, 3.0)],
    ),
    "txt minutes over 60": (
        "[75:10] Ruth: hi\n[125:10] Theo: yes\n",
        [("Ruth", "hi", 4510.0, None), ("Theo", "yes", 7510.0, None)],
    ),
    "txt nameless stamped in labelled": (
        "[00:05] Ruth: hi\n[00:09] more words\n[00:12] Theo: yes\n",
        [("Ruth", "hi", 5.0, None), (None, "more words", 9.0, None), ("Theo", "yes", 12.0, None)],
    ),
    "txt seconds stamp": ("[12.5s] Ruth: hi\n", [("Ruth", "hi", 12.5, None)]),
    "txt slack-ish": (
        "Ruth Ng  [10:05]\nhi\nTheo  [10:07]\nyes\n",
        [("Ruth Ng", "hi", 605.0, None), ("Theo", "yes", 607.0, None)],
    ),
    "txt label + blank para": (
        "Ruth:\nFirst para.\n\nTheo:\nSecond.\n",
        [("Ruth", "First para.", None, None), ("Theo", "Second.", None, None)],
    ),
    "txt crlf": (
        "Ruth: hi\r\nTheo: yes\r\n",
        [("Ruth", "hi", None, None), ("Theo", "yes", None, None)],
    ),
    "txt nbsp": (
        "Ruth\xa0Ng:\xa0hi\nTheo: yes\n",
        [("Ruth Ng", "hi", None, None), ("Theo", "yes", None, None)],
    ),
    "srt 61s": ("1\n00:00:01,000 --> 00:00:61,500\nHi\n", [(None, "Hi", 1.0, 61.5)]),
    "srt four digits 1234": ("1\n00:00:01,000 --> 00:00:02,1234\nHi\n", [(None, "Hi", None, None)]),
    "srt dotnet ticks": ("1\n00:00:01,000 --> 00:00:02.5000000\nHi\n", [(None, "Hi", 1.0, 2.5)]),
    "srt zero width bom each": (
        "\ufeff1\n00:00:01,000 --> 00:00:02,000\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt numbers only words": (
        "1\n00:00:01,000 --> 00:00:02,000\n2024\n\n2\n00:00:03,000 --> 00:00:04,000\n7\n",
        [(None, "2024", 1.0, 2.0), (None, "7", 3.0, 4.0)],
    ),
    "srt two blank in cue": (
        "1\n00:00:01,000 --> 00:00:02,000\na\n\n\nb\n\n2\n00:00:03,000 --> 00:00:04,000\nc\n",
        [(None, "a\nb", 1.0, 2.0), (None, "c", 3.0, 4.0)],
    ),
    "srt cr only": (
        "1\r00:00:01,000 --> 00:00:02,000\rHi\r\r2\r00:00:03,000 --> 00:00:04,000\rYes\r",
        [(None, "Hi", 1.0, 2.0), (None, "Yes", 3.0, 4.0)],
    ),
    "srt entity kept": (
        "1\n00:00:01,000 --> 00:00:02,000\nAT&amp;T\n",
        [(None, "AT&amp;T", 1.0, 2.0)],
    ),
    "vtt decimal ref": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\ncaf&#233; &#x2014; &nbsp;ok &lt;3\n",
        [(None, "café — \xa0ok <3", 1.0, 2.0)],
    ),
    "vtt ref no semicolon": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nR&D &copy 5&6; AT&T\n",
        [(None, "R&D &copy 5&6; AT&T", 1.0, 2.0)],
    ),
    "vtt note arrow-free": (
        "WEBVTT\n\nNOTE Ruth: not speech\n\n00:01.000 --> 00:02.000\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "vtt bad end": ("WEBVTT\n\n00:05.000 --> 00:02.000\nRuth: Hi\n", [("Ruth", "Hi", None, None)]),
    "vtt tab sep": ("WEBVTT\n\n00:01.000\t-->\t00:02.000\tline:0\nHi\n", [(None, "Hi", 1.0, 2.0)]),
    "json assembly sentences": (
        '{"sentences": [{"text": "Hi there.", "start": 250, "end": 2650, "words": [{"text": "Hi", "start": 250, "end": 400}], "speaker": "B"}], "id": "x", "confidence": 0.9}',
        [("B", "Hi there.", 0.25, 2.65)],
    ),
    "json deepgram paragraphs": (
        '{"results": {"channels": [{"alternatives": [{"transcript": "Hi there. Yes.", "words": [{"word": "hi", "start": 0.1, "end": 0.2, "speaker": 0}, {"word": "there", "start": 0.2, "end": 0.3, "speaker": 0}, {"word": "yes", "start": 0.5, "end": 0.6, "speaker": 1}], "paragraphs": {"transcript": "Speaker 0: Hi there.\\n\\nSpeaker 1: Yes.", "paragraphs": [{"sentences": [{"text": "Hi there.", "start": 0.1, "end": 0.3}], "num_words": 2, "start": 0.1, "end": 0.3, "speaker": 0}, {"sentences": [{"text": "Yes.", "start": 0.5, "end": 0.6}], "num_words": 1, "start": 0.5, "end": 0.6, "speaker": 1}]}}]}]}}',
        [("0", "Hi there.", 0.1, 0.3), ("1", "Yes.", 0.5, 0.6)],
    ),
    "json azure": (
        '{"recognizedPhrases": [{"speaker": 1, "offsetInTicks": 1000, "nBest": [{"display": "Hi there."}]}], "combinedRecognizedPhrases": [{"display": "Hi there."}]}',
        [("1", "Hi there.", None, None)],
    ),
    "json speechmatics": (
        '{"format": "2.9", "results": [{"type": "word", "start_time": 0.1, "end_time": 0.2, "alternatives": [{"content": "Hi", "speaker": "S1"}]}, {"type": "punctuation", "start_time": 0.2, "end_time": 0.2, "attaches_to": "previous", "alternatives": [{"content": ".", "speaker": "S1"}]}, {"type": "word", "start_time": 0.5, "end_time": 0.6, "alternatives": [{"content": "Yes", "speaker": "S2"}]}]}',
        [("S1", "Hi.", 0.1, 0.2), ("S2", "Yes", 0.5, 0.6)],
    ),
    "json whisperx": (
        '{"segments": [{"start": 0.1, "end": 0.9, "text": " Hi", "words": [{"word": "Hi", "start": 0.1, "end": 0.2, "score": 0.9, "speaker": "SPEAKER_00"}], "speaker": "SPEAKER_00"}], "word_segments": [{"word": "Hi", "start": 0.1, "end": 0.2}], "language": "en"}',
        [("SPEAKER_00", "Hi", 0.1, 0.9)],
    ),
    "json only text nested": (
        '{"data": {"text": "Hello there"}}',
        [(None, "Hello there", None, None)],
    ),
    "json unknown shape": ('{"lines": {"a": "Hello there", "b": "Good bye"}}', []),
    "json ints seconds": (
        '[{"start": 0, "end": 4, "text": "so we go to the store"}, {"start": 4, "end": 9, "text": "and back"}]',
        [(None, "so we go to the store", 0, 4), (None, "and back", 4, 9)],
    ),
    "json string speaker none": ('[{"speaker": "  ", "text": "Hi"}]', [(None, "Hi", None, None)]),
    "json with meta line": (
        '{"type":"meta","language":"en"}\n{"speaker":"Ruth","text":"Hi","start":0.5,"end":1.5}\n',
        [("Ruth", "Hi", 0.5, 1.5)],
    ),
    "csv no speaker cells": (
        "start,end,speaker,text\n0.0,1.5,,Hi\n1.5,2.5,Theo,Yes\n",
        [(None, "Hi", 0.0, 1.5), ("Theo", "Yes", 1.5, 2.5)],
    ),
    "tsv caps header spaces": (
        "Speaker Name\tStart Time\tEnd Time\tTranscript\nRuth\t00:00:01.500\t00:00:02.000\tHi: so\n",
        [("Ruth", "Hi: so", 1.5, 2.0)],
    ),
    "csv short row": (
        "start,end,speaker,text\n0.0,1.5\n1.5,2.5,Theo,Yes\n",
        [("Theo", "Yes", 1.5, 2.5)],
    ),
    "srt list of cues zoom with sentence": (
        "1\n00:00:01,000 --> 00:00:02,000\nAnn Lee: I have one question for you:\n\n2\n00:00:02,000 --> 00:00:03,000\nAnn Lee: when do we start\nand why: tell me\n\n3\n00:00:03,000 --> 00:00:04,000\nBob: Soon.\n",
        [
            ("Ann Lee", "I have one question for you:", 1.0, 2.0),
            ("Ann Lee", "when do we start", 2.0, 3.0),
            (None, "and why: tell me", 2.0, 3.0),
            ("Bob", "Soon.", 3.0, 4.0),
        ],
    ),
    "srt unlabelled speech with colons": (
        "1\n00:00:01,000 --> 00:00:02,000\nso the thing is this: we\n\n2\n00:00:02,000 --> 00:00:03,000\nneed more time and one more thing: money\n\n3\n00:00:03,000 --> 00:00:04,000\nthank you\n",
        [
            (None, "so the thing is this: we", 1.0, 2.0),
            (None, "need more time and one more thing: money", 2.0, 3.0),
            (None, "thank you", 3.0, 4.0),
        ],
    ),
    "srt The answer: no": (
        "1\n00:00:01,000 --> 00:00:02,000\nWe asked everyone.\n\n2\n00:00:02,000 --> 00:00:03,000\nThe answer: no.\n\n3\n00:00:03,000 --> 00:00:04,000\nSo we left.\n",
        [
            (None, "We asked everyone.", 1.0, 2.0),
            (None, "The answer: no.", 2.0, 3.0),
            (None, "So we left.", 3.0, 4.0),
        ],
    ),
    "vtt wrapped of voice": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>I tell you\nBob: he is late</v>\n",
        [("Ann", "I tell you\nBob: he is late", 1.0, 2.0)],
    ),
    "srt spanish": (
        "1\n00:00:01,000 --> 00:00:02,000\nAna: Mira.\nLo que quiero decir con todo esto es: no.\n\n2\n00:00:02,000 --> 00:00:03,000\nLuis: Ya.\n",
        [
            ("Ana", "Mira.\nLo que quiero decir con todo esto es: no.", 1.0, 2.0),
            ("Luis", "Ya.", 2.0, 3.0),
        ],
    ),
    "srt chinese sentence": (
        "1\n00:00:01,000 --> 00:00:02,000\n王芳：大家好。\n今天我们主要讨论的问题有三个：第一，预算。\n\n2\n00:00:02,000 --> 00:00:03,000\n李雷：好的。\n",
        [
            ("王芳", "大家好。\n今天我们主要讨论的问题有三个：第一，预算。", 1.0, 2.0),
            ("李雷", "好的。", 2.0, 3.0),
        ],
    ),
    "txt japanese sentence": (
        "田中：はい。\n今日の議題は次の三つになります：予算など。\n佐藤：はい。\n",
        [
            ("田中", "はい。\n今日の議題は次の三つになります：予算など。", None, None),
            ("佐藤", "はい。", None, None),
        ],
    ),
    "txt russian": (
        "Анна: Привет.\nИван Петров: Да.\nанна: нет\n",
        [
            ("Анна", "Привет.", None, None),
            ("Иван Петров", "Да.", None, None),
            (None, "анна: нет", None, None),
        ],
    ),
    "txt greek upper": (
        "ΑΝΝΑ: ΝΑΙ.\nΓΙΩΡΓΟΣ: ΟΧΙ.\n",
        [("ΑΝΝΑ", "ΝΑΙ.", None, None), ("ΓΙΩΡΓΟΣ", "ΟΧΙ.", None, None)],
    ),
    "txt hindi": (
        "अमित: नमस्ते\nप्रिया शर्मा: हाँ\n",
        [("अमित", "नमस्ते", None, None), ("प्रिया शर्मा", "हाँ", None, None)],
    ),
    "txt thai": (
        "สมชาย: สวัสดี\nมานี: ค่ะ\n",
        [("สมชาย", "สวัสดี", None, None), ("มานี", "ค่ะ", None, None)],
    ),
    "txt hyphen names": (
        "Jean-Luc d'Arc: oui\nMary-Kate O'Hara-Smith: yes\n",
        [("Jean-Luc d'Arc", "oui", None, None), ("Mary-Kate O'Hara-Smith", "yes", None, None)],
    ),
    "txt initials": (
        "J. R. R. Tolkien: hm\nC.S. Lewis: ha\n",
        [("J. R. R. Tolkien", "hm", None, None), ("C.S. Lewis", "ha", None, None)],
    ),
    "txt titles": (
        "Prof. Dr. Ann Lee: a\nSgt. Pepper: b\nSenator Smith: c\n",
        [
            ("Prof. Dr. Ann Lee", "a", None, None),
            ("Sgt. Pepper", "b", None, None),
            ("Senator Smith", "c", None, None),
        ],
    ),
    "txt ampersand": (
        "Ann & Bob: hi\nThe Smiths: yo\n",
        [("Ann & Bob", "hi", None, None), ("The Smiths", "yo", None, None)],
    ),
    "txt participant uuid": (
        "3f2a-99bc: hi\nuser_81: yo\n",
        [("3f2a-99bc", "hi", None, None), ("user_81", "yo", None, None)],
    ),
    "txt speaker A": (
        "Speaker A: hi\nSpeaker B: yo\n",
        [("Speaker A", "hi", None, None), ("Speaker B", "yo", None, None)],
    ),
    "txt wrap lower word colon": (
        "Ann: we thought about it and then\nagain: no\nBob: ok\nAnn: fine\nBob: yes\nAnn: ok\n",
        [
            ("Ann", "we thought about it and then", None, None),
            (None, "again: no", None, None),
            ("Bob", "ok", None, None),
            ("Ann", "fine", None, None),
            ("Bob", "yes", None, None),
            ("Ann", "ok", None, None),
        ],
    ),
    "txt time only mention": (
        "Ann: See you at\n12:30\nBob: ok\n",
        [("Ann", "See you at\n12:30", None, None), ("Bob", "ok", None, None)],
    ),
    "txt minutes seconds mention": (
        "Ann: It took\n2 minutes 5 seconds\nin all\nBob: ok\n",
        [("Ann", "It took\n2 minutes 5 seconds\nin all", None, None), ("Bob", "ok", None, None)],
    ),
    "txt meeting at end": (
        "Ann: Let's meet\nMonday 10:30\nBob: ok\n",
        [
            ("Ann", "Let's meet", None, None),
            (None, "Monday 10:30", None, None),
            ("Bob", "ok", None, None),
        ],
    ),
    "txt paren aside": (
        "Ann: As I said (0:05) before\nBob: (laughs) ok\n",
        [("Ann", "As I said (0:05) before", None, None), ("Bob", "(laughs) ok", None, None)],
    ),
    "txt bible": (
        "Ann: Read\nRomans 8:28 for me\nBob: ok\n",
        [("Ann", "Read\nRomans 8:28 for me", None, None), ("Bob", "ok", None, None)],
    ),
    "txt score": (
        "Ann: They won\n3:2 in the end\nBob: ok\n",
        [("Ann", "They won\n3:2 in the end", None, None), ("Bob", "ok", None, None)],
    ),
    "txt url label": (
        "Ann: http://x.y/z\nBob: ok\n",
        [("Ann", "http://x.y/z", None, None), ("Bob", "ok", None, None)],
    ),
    "txt json-like inside": (
        "Ann: [1, 2]\nBob: {ok}\n",
        [("Ann", "[1, 2]", None, None), ("Bob", "{ok}", None, None)],
    ),
    "txt ps": ("Ann: bye\n\nPS: more\n", [("Ann", "bye", None, None), ("PS", "more", None, None)]),
    "txt only blank labels": ("Ann:\nBob:\n", [("Ann", "", None, None), ("Bob", "", None, None)]),
    "txt descript": (
        "Ann Lee: [00:00:05] Hello there.\n\nBob: [00:00:09] Hi.\n",
        [("Ann Lee", "Hello there.", 5.0, None), ("Bob", "Hi.", 9.0, None)],
    ),
    "txt trint": ("[00:00:05] Ann Lee Hello there.\n", [(None, "Ann Lee Hello there.", 5.0, None)]),
    "txt sonix": (
        "Ann Lee: [00:00:05]\nHello there.\n\nBob: [00:00:09]\nHi.\n",
        [("Ann Lee", "Hello there.", 5.0, None), ("Bob", "Hi.", 9.0, None)],
    ),
    "txt amberscript": (
        "Ann Lee [00:05]: Hello there.\nBob [00:09]: Hi.\n",
        [("Ann Lee", "Hello there.", 5.0, None), ("Bob", "Hi.", 9.0, None)],
    ),
    "txt tldv": (
        "00:05 Ann Lee: Hello there.\n00:09 Bob: Hi.\n",
        [("Ann Lee", "Hello there.", 5.0, None), ("Bob", "Hi.", 9.0, None)],
    ),
    "txt nvivo/timespan": (
        "0:00:00.0 - 0:00:05.5 Ann: Hello\n0:00:05.5 - 0:00:07.0 Bob: Hi\n",
        [("Ann", "Hello", 0.0, 5.5), ("Bob", "Hi", 5.5, 7.0)],
    ),
    "txt express scribe [00:00:05.10]": (
        "[00:00:05.10] Ann: Hello\n[00:00:07.25] Bob: Hi\n",
        [("Ann", "Hello", 5.1, None), ("Bob", "Hi", 7.25, None)],
    ),
    "vtt meet vtt": (
        "WEBVTT\n\n00:00:00.000 --> 00:00:05.000\n(Ann Lee)\nHello there.\n",
        [(None, "(Ann Lee)\nHello there.", 0.0, 5.0)],
    ),
    "txt long stamp repeated name": (
        "Ann Lee  0:05\nHello.\n\nAnn Lee  0:09\nMore.\n",
        [("Ann Lee", "Hello.", 5.0, None), ("Ann Lee", "More.", 9.0, None)],
    ),
    "txt otter with title": (
        "Weekly\nMon, Jan 1, 2024 10:00AM • 45:12\n\nSUMMARY KEYWORDS\nplan, launch\n\nSPEAKERS\nAnn Lee, Bob\n\nAnn Lee  00:05\nHello.\n\nBob  00:09\nHi.\n",
        [
            (None, "Weekly", None, None),
            (None, "Mon, Jan 1, 2024 10:00AM • 45:12", None, None),
            (None, "SUMMARY KEYWORDS", None, None),
            (None, "plan, launch", None, None),
            (None, "SPEAKERS", None, None),
            (None, "Ann Lee, Bob", None, None),
            ("Ann Lee", "Hello.", 5.0, None),
            ("Bob", "Hi.", 9.0, None),
        ],
    ),
    "vtt cue ids words": (
        "WEBVTT\n\nintro\n00:01.000 --> 00:02.000\nHi\n\noutro\n00:03.000 --> 00:04.000\nBye\n",
        [(None, "Hi", 1.0, 2.0), (None, "Bye", 3.0, 4.0)],
    ),
    "vtt X-TIMESTAMP + crlf": (
        "WEBVTT\r\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\r\n\r\n00:01.000 --> 00:02.000\r\nHi\r\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt ass tags": (
        "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}{\\i1}Hi{\\i0}\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt long hours": (
        "1\n123:00:01,000 --> 123:00:02,000\nHi\n",
        [(None, "Hi", 442801.0, 442802.0)],
    ),
    "srt dots ms 2": ("1\n00:00:01.05 --> 00:00:02.5\nHi\n", [(None, "Hi", 1.05, 2.5)]),
    "srt overlapping": (
        "1\n00:00:01,000 --> 00:00:05,000\nHi\n\n2\n00:00:02,000 --> 00:00:03,000\nYo\n",
        [(None, "Hi", 1.0, 5.0), (None, "Yo", 2.0, 3.0)],
    ),
    "srt nonsequential numbers": (
        "5\n00:00:01,000 --> 00:00:02,000\nHi\n\n99\n00:00:02,000 --> 00:00:03,000\nYo\n",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 2.0, 3.0)],
    ),
    "srt blank after number": (
        "1\n\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n\n00:00:02,000 --> 00:00:03,000\nYo\n",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 2.0, 3.0)],
    ),
    "srt arrow words": (
        "1\n00:00:01,000 --> 00:00:02,000\ngo --> there\n",
        [(None, "go --> there", 1.0, 2.0)],
    ),
    "json segs numeric str times": (
        '{"segments": [{"start_time": "0.5", "end_time": "1.5", "text": "Hi"}]}',
        [(None, "Hi", 0.5, 1.5)],
    ),
    "json youtube-ish snippets": (
        '{"snippets": [{"text": "Hi", "start": 0.5, "duration": 1.0}]}',
        [(None, "Hi", 0.5, 1.5)],
    ),
    "json empty": ('{"segments": [], "text": ""}', []),
    "json words camel": (
        '{"words": [{"word": "Hi", "startTime": 0.5, "endTime": 1.0, "speakerTag": 1}, {"word": "you", "startTime": 1.0, "endTime": 1.5, "speakerTag": 1}]}',
        [("1", "Hi you", 0.5, 1.5)],
    ),
    "json recall": (
        '[{"participant": {"id": 1, "name": "Ann"}, "words": [{"text": "Hi", "start_timestamp": {"relative": 0.5}, "end_timestamp": {"relative": 0.9}}, {"text": "you.", "start_timestamp": {"relative": 0.9}, "end_timestamp": {"relative": 1.5}}]}]',
        [("Ann", "Hi you.", 0.5, 1.5)],
    ),
    "json openai verbose": (
        '{"task": "transcribe", "language": "english", "duration": 8.47, "text": "The beach was fun.", "words": [{"word": "The", "start": 0, "end": 0.2}], "segments": [{"id": 0, "seek": 0, "start": 0.0, "end": 3.3, "text": " The beach was fun.", "tokens": [1, 2]}]}',
        [(None, "The beach was fun.", 0.0, 3.3)],
    ),
    "json fireflies": (
        '{"data": {"transcript": {"title": "x", "sentences": [{"index": 0, "speaker_name": "Ann", "text": "Hi there", "raw_text": "Hi there", "start_time": 0.5, "end_time": 1.5}]}}}',
        [("Ann", "Hi there", 0.5, 1.5)],
    ),
    "srt leading zeros": (
        "001\n00:00:01,000 --> 00:00:02,000\nHi\n\n002\n00:00:03,000 --> 00:00:04,000\nYo\n",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 3.0, 4.0)],
    ),
    "srt three dots ms": ("1\n00:00:01,5 --> 00:00:02,50\nHi\n", [(None, "Hi", 1.5, 2.5)]),
    "srt semicolon?": ("1\n00:00:01,000 --> 00:00:02,000\n\n\nHi\n", [(None, "Hi", 1.0, 2.0)]),
    "srt dup blank": (
        "\n\n\n1\n00:00:01,000 --> 00:00:02,000\nHi\n\n\n\n\n2\n00:00:03,000 --> 00:00:04,000\nYo\n\n\n",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 3.0, 4.0)],
    ),
    "srt neg": ("1\n-00:00:01,000 --> 00:00:02,000\nHi\n", [(None, "Hi", None, None)]),
    "srt swapped": ("1\n00:00:05,000 --> 00:00:02,000\nZed: Hi\n", [("Zed", "Hi", None, None)]),
    "srt tabs arrow": ("1\n00:00:01,000\t-->\t00:00:02,000\nHi\n", [(None, "Hi", 1.0, 2.0)]),
    "srt bold label colon outside": (
        "1\n00:00:01,000 --> 00:00:02,000\n<b>Zed</b>: Hi\n\n2\n00:00:03,000 --> 00:00:04,000\n<b>Kim</b>: Yo\n",
        [("Zed", "Hi", 1.0, 2.0), ("Kim", "Yo", 3.0, 4.0)],
    ),
    "srt color label": (
        "1\n00:00:01,000 --> 00:00:02,000\n<font color=#FF0000>ZED:</font> HI THERE\n",
        [("ZED", "HI THERE", 1.0, 2.0)],
    ),
    "srt music": (
        "1\n00:00:01,000 --> 00:00:02,000\n♪ la la ♪\n\n2\n00:00:03,000 --> 00:00:04,000\n[Applause]\n",
        [(None, "♪ la la ♪", 1.0, 2.0), (None, "[Applause]", 3.0, 4.0)],
    ),
    "srt double dash dialog": (
        "1\n00:00:01,000 --> 00:00:02,000\n-Where?\n-There.\n",
        [(None, "-Where?\n-There.", 1.0, 2.0)],
    ),
    "srt label in the middle of line": (
        "1\n00:00:01,000 --> 00:00:02,000\nI said to Zed: go\n",
        [(None, "I said to Zed: go", 1.0, 2.0)],
    ),
    "srt label w/o words then next line": (
        "1\n00:00:01,000 --> 00:00:02,000\nZed:\nHi you\n",
        [("Zed", "Hi you", 1.0, 2.0)],
    ),
    "srt label across cues": (
        "1\n00:00:01,000 --> 00:00:02,000\nZed: Hi\n\n2\n00:00:03,000 --> 00:00:04,000\nand so on\n\n3\n00:00:05,000 --> 00:00:06,000\nKim: ok\n",
        [("Zed", "Hi", 1.0, 2.0), (None, "and so on", 3.0, 4.0), ("Kim", "ok", 5.0, 6.0)],
    ),
    "srt two colons": (
        "1\n00:00:01,000 --> 00:00:02,000\nZed: one: two: three\n",
        [("Zed", "one: two: three", 1.0, 2.0)],
    ),
    "srt time inside words": (
        "1\n00:00:01,000 --> 00:00:02,000\nZed: at 10:30 we go\n",
        [("Zed", "at 10:30 we go", 1.0, 2.0)],
    ),
    "srt only numbers text lines": (
        "1\n00:00:01,000 --> 00:00:02,000\n1\n2\n3\n\n2\n00:00:03,000 --> 00:00:04,000\nYo\n",
        [(None, "1\n2\n3", 1.0, 2.0), (None, "Yo", 3.0, 4.0)],
    ),
    "srt number above next w/o blank ": (
        "1\n00:00:01,000 --> 00:00:02,000\nHi\n2\n00:00:03,000 --> 00:00:04,000\nYo\n3\n00:00:05,000 --> 00:00:06,000\nOk",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 3.0, 4.0), (None, "Ok", 5.0, 6.0)],
    ),
    "vtt vtt header in srt": (
        "WEBVTT\n\n1\n00:00:01,000 --> 00:00:02,000\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt trailing garbage timing": (
        "1\n00:00:01,000 --> 00:00:02,000 hello\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt hh:mm:ss.mmm with space": (
        "1\n00:00:01 ,000 --> 00:00:02 ,000\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "srt fullwidth colon label 2": (
        "1\n00:00:01,000 --> 00:00:02,000\nZed：Hi there\n\n2\n00:00:03,000 --> 00:00:04,000\nKim：Yo\n",
        [("Zed", "Hi there", 1.0, 2.0), ("Kim", "Yo", 3.0, 4.0)],
    ),
    "srt 59:60": ("1\n00:59:60,000 --> 00:59:61,000\nHi\n", [(None, "Hi", 3600.0, 3601.0)]),
    "srt 999 1000": ("1\n00:00:00,999 --> 00:00:00,1000\nHi\n", [(None, "Hi", 0.999, 1.0)]),
    "vtt header text": (
        "WEBVTT FILE - by someone: here\n\n00:01.000 --> 00:02.000\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "vtt bom crlf": (
        "\ufeffWEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nHi\r\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "vtt cr": ("WEBVTT\r\r00:01.000 --> 00:02.000\rHi\ryou\r", [(None, "Hi\nyou", 1.0, 2.0)]),
    "vtt settings": (
        "WEBVTT\n\n00:01.000 --> 00:02.000 vertical:rl line:-1 position:50%,center size:35% align:end\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "vtt comment between": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n\nNOTE\nnot\nspeech\n\n00:03.000 --> 00:04.000\nYo\n",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 3.0, 4.0)],
    ),
    "vtt class tags": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<c.yellow.bg_blue>Hi</c> <u>you</u>\n",
        [(None, "Hi you", 1.0, 2.0)],
    ),
    "vtt voice with period class": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v.loud.first Zed Ng>Hi\n",
        [("Zed Ng", "Hi", 1.0, 2.0)],
    ),
    "vtt voice in second line": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Zed>Hi\n<v Kim>Yo\n",
        [("Zed", "Hi", 1.0, 2.0), ("Kim", "Yo", 1.0, 2.0)],
    ),
    "vtt empty cue text": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n\n00:03.000 --> 00:04.000\nYo\n",
        [(None, "", 1.0, 2.0), (None, "Yo", 3.0, 4.0)],
    ),
    "vtt ref mixed": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n&lt;b&gt; &amp;amp; &#8217; &NoBreak; &apos;x&apos;\n",
        [(None, "<b> &amp; ’ \u2060 'x'", 1.0, 2.0)],
    ),
    "vtt text with arrow escaped": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\na --&gt; b\n",
        [(None, "a --> b", 1.0, 2.0)],
    ),
    "vtt id is number and label": (
        "WEBVTT\n\n12\n00:01.000 --> 00:02.000\nZed: Hi\n",
        [("Zed", "Hi", 1.0, 2.0)],
    ),
    "vtt id with colon": (
        "WEBVTT\n\nZed: intro\n00:01.000 --> 00:02.000\nHi\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "vtt lost text": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n\nlost words\n\n00:03.000 --> 00:04.000\nYo\n",
        [(None, "Hi", 1.0, 2.0), (None, "Yo", 3.0, 4.0)],
    ),
    "vtt no hours >60 min": (
        "WEBVTT\n\n61:00.000 --> 61:01.000\nHi\n",
        [(None, "Hi", 3660.0, 3661.0)],
    ),
    "vtt youtube full": (
        "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:00.000 --> 00:00:01.500 align:start position:0%\n \nso<00:00:00.500><c> we</c><00:00:01.000><c> go</c>\n\n00:00:01.500 --> 00:00:01.510 align:start position:0%\nso we go\n \n\n",
        [(None, "so we go", 0.0, 1.5), (None, "so we go", 1.5, 1.51)],
    ),
    "vtt teams multi voices same": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Zed Ng>Hi</v>\n<v Zed Ng>again</v>\n",
        [("Zed Ng", "Hi", 1.0, 2.0), ("Zed Ng", "again", 1.0, 2.0)],
    ),
    "vtt lang tag": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<lang en-GB>Hi</lang>\n",
        [(None, "Hi", 1.0, 2.0)],
    ),
    "vtt tags of srt": (
        'WEBVTT\n\n00:01.000 --> 00:02.000\n<font color="#ffff00">Ann: Hi</font>\n<s>you</s>\n',
        [("Ann", "Hi\nyou", 1, 2)],
    ),
    "srt dash before punctuation": (
        '1\n00:00:01,000 --> 00:00:02,000\nAnn: ¿Listo?\n- ¡No!\n\n2\n00:00:03,000 --> 00:00:04,000\nAnn: Why?\n- "So," (he) goes.\n',
        [
            ("Ann", "¿Listo?", 1, 2),
            (None, "- ¡No!", 1, 2),
            ("Ann", "Why?", 3, 4),
            (None, '- "So," (he) goes.', 3, 4),
        ],
    ),
    "vtt webex name with spaces": (
        'WEBVTT\n\n1 "Ann  Lee " (1)\n00:01.000 --> 00:02.000\nHi\nyou\n\n2 " " (2)\n00:03.000 --> 00:04.000\nYes\n\n3 "Bob" (3)\n00:05.000 --> 00:06.000\n\n4 "Bob" (3)\n00:07.000 --> 00:08.000\n<v Eve>So\n',
        [
            ("Ann Lee", "Hi\nyou", 1, 2),
            (None, "Yes", 3, 4),
            ("Bob", "", 5, 6),
            ("Eve", "So", 7, 8),
        ],
    ),
    "srt blank line above a label": (
        "1\n00:00:01,000 --> 00:00:02,000\n[Applause]\n\nAnn: Thanks.\n\n2\n00:00:03,000 --> 00:00:04,000\n[Music]\n \nBob: So.\n",
        [
            (None, "[Applause]", 1, 2),
            ("Ann", "Thanks.", 1, 2),
            (None, "[Music]", 3, 4),
            ("Bob", "So.", 3, 4),
        ],
    ),
    "srt speakers without capitals above wrapped lines": (
        "1\n00:00:01,000 --> 00:00:02,000\nann: well\nso it\ngoes\n\n2\n00:00:03,000 --> 00:00:04,000\nbob: yes\nthat\nis\n",
        [("ann", "well\nso it\ngoes", 1, 2), ("bob", "yes\nthat\nis", 3, 4)],
    ),
    "vtt line of a no-break space": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n[Music]\n&nbsp;\nBob: So.\n",
        [(None, "[Music]", 1, 2), ("Bob", "So.", 1, 2)],
    ),
}
