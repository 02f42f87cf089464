"""
Walk over the pages of a list: choose the next page, yield its rows, and detect the end.

Nothing here sends a request: a walk receives a function that fetches a page.

Promises: P1 complete (`walk`, `rescan`, `repair`, `verify`), P3 resumable (`checkpoint`), P4
terminates (`guards`), P13 adaptive read-ahead (`readahead`). `history` keeps memory bounded (P10).
P2, no foreign rows, is implemented in ``_api/filter.py``, through which every page passes.

Files in reading order:

- `pager`: steps a walk, and yields its rows or pages to the user.
- `options`: checks the arguments of a walk.
- `walk`: the state machine without I/O: the next page, the rows to yield, the end.
- `rescan`: finds rows that moved between two responses; its table lists the states.
- `repair`: finds rows that are missing according to the count at the end.
- `history`: remembers the ids that were listed, and those that were yielded.
- `guards`: rejects page information that would make a walk endless or meaningless.
- `time_range`: selects rows by their start.
- `checkpoint`: records as JSON where a walk can be resumed.
- `readahead`: fetches pages before they are due.
- `verify`: repeats a walk until two passes agree.

Imports: ``_api``, `_clock`, `_validation`, `errors` and `models`; never ``_http`` or `_resource`.
Within the folder: `time_range` < `checkpoint`; that, `guards`, `repair` < `history` < `rescan`
< `options`, `readahead`, `walk` < `verify` < `pager`.
"""
