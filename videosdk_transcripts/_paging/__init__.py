"""
A walk over the pages of a list: which page next, which rows, when it ends.

Nothing here sends a request: a walk is given a function that fetches a page.

Promises: P1 complete (`walk`, `rescan`, `repair`, `verify`), P3 resumable (`checkpoint`), P4
terminates (`guards`), P13 adaptive read-ahead (`readahead`). `history` keeps the memory bounded
(P10), and P2, no foreign rows, is kept by ``_api/filter.py``, which every page passes through.

Files in reading order:

- `pager`: what a user iterates over; steps a walk, yields rows and pages.
- `options`: the arguments of a walk, checked.
- `walk`: the state machine without I/O: the next page, the rows to yield, the end.
- `rescan`: rows that moved between two responses; its table lists the states.
- `repair`: rows that the count at the end has shown to be missing.
- `history`: the ids that were listed, and those that were yielded.
- `guards`: page information that would make a walk endless or meaningless.
- `time_range`: rows selected by their start.
- `checkpoint`: where a walk can be resumed, as JSON.
- `readahead`: pages that are fetched before they are due.
- `verify`: walks repeated until two passes agree.

Imports: ``_api``, `_clock`, `_validation`, `errors` and `models`; never ``_http`` or `_resource`.
Within the folder: `time_range` < `checkpoint`; that, `guards`, `repair` < `history` < `rescan`
< `options`, `readahead`, `walk` < `verify` < `pager`.
"""
