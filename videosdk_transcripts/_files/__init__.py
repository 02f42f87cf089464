"""
Fetch transcript and summary files, without credentials.

`hosts` implements P9 (confines the token), and `transport` implements P10 (bounded) for files.

Files in reading order:

- `fetch`: fetches a file of a row, as bytes or text
- `transport`: requests one link, with attempts, redirects and dead links
- `hosts`: decides which URLs and addresses are allowed (P9)
- `error_page`: recognizes web pages in place of a file
- `download`: saves the files of one row on disk
- `names`: makes the names of files on disk
- `atomic`: writes a file that is complete or absent
- `threads`: runs blocking functions
- `texts`: returns the text of one row, or the reason why it is missing
- `batch`: processes many rows, concurrently and in order

May import `_http`, `_paging`, `_api` and what these may import; only `transport` imports aiohttp.
"""
