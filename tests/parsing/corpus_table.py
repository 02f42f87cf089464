"""Tables as programs write them, and what a person reads in them."""

from .samples import Sample

TSV: dict[str, Sample] = {
    "Whisper": (
        "start\tend\ttext\n0\t4000\tHi there.\n4000\t6500\tYes.\n",
        [(None, "Hi there.", 0, 4), (None, "Yes.", 4, 6.5)],
    ),
    "speaker": (
        "start\tend\tspeaker\ttext\n0.0\t4.0\tAnn\tHi there.\n4.0\t6.5\tBob\tYes.\n",
        [("Ann", "Hi there.", 0, 4), ("Bob", "Yes.", 4, 6.5)],
    ),
    "other order": (
        "Speaker\tText\tStart\tEnd\nAnn\tHi: you\t00:00:00.000\t00:00:04.000\n",
        [("Ann", "Hi: you", 0, 4)],
    ),
    "whole milliseconds": (
        "speaker\tstart\tend\ttext\nAnn\t0\t4000\tHi there.\nBob\t4000\t6500\tYes.\n",
        [("Ann", "Hi there.", 0, 4), ("Bob", "Yes.", 4, 6.5)],
    ),
    "whole seconds": (
        "speaker\tstart\tend\ttext\nAnn\t0\t4\tHi there.\nBob\t4\t6\tYes.\n",
        [("Ann", "Hi there.", 0, 4), ("Bob", "Yes.", 4, 6)],
    ),
    "unit in the header": (
        "start_ms\tend_ms\tspeaker\ttext\n0\t4\tAnn\tHi\n",
        [("Ann", "Hi", 0, 0.004)],
    ),
    "no times": (
        "speaker\ttext\nAnn\tHi\n\tYes\n",
        [("Ann", "Hi", None, None), (None, "Yes", None, None)],
    ),
}
CSV: dict[str, Sample] = {
    "whisper.cpp": (
        'start,end,text\n0,4000," Hi there."\n4000,6500," Yes, Ann: no."\n',
        [(None, "Hi there.", 0, 4), (None, "Yes, Ann: no.", 4, 6.5)],
    ),
    "quotation marks": (
        'Start Time,End Time,Speaker,Text\r\n0.0,4.0,"Lee, Ann","Hi ""you"",\r\nthere"\r\n',
        [("Lee, Ann", 'Hi "you",\nthere', 0, 4)],
    ),
    "semicolons": (
        "speaker;start;end;text\nAnn;0.5;1.5;Hi, you\n",
        [("Ann", "Hi, you", 0.5, 1.5)],
    ),
    "more columns": (
        "id,speaker_name,start (s),end (s),transcript,confidence\n1,Ann,1,4,Hi,0.9\n",
        [("Ann", "Hi", 1, 4)],
    ),
    "semicolons and decimal commas": (
        "speaker;start;end;text\nLee, Ann;0,5;1,5;Hi, you\nBob;00:00:02,5;;Yes\n",
        [("Lee, Ann", "Hi, you", 0.5, 1.5), ("Bob", "Yes", 2.5, None)],
    ),
    "delimiter for Excel": (
        "sep=;\r\nSpeaker;Timecode;Text\r\nAnn;00:00:01;Hi\r\n",
        [("Ann", "Hi", 1, None)],
    ),
    "names in camel case": (
        "startTime,endTime,speakerName,text\n0.5,1.5,Ann,Hi\n",
        [("Ann", "Hi", 0.5, 1.5)],
    ),
}
