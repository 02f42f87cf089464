"""
Transcript and summary files, fetched without credentials.

Home of P9 (confines the token): `hosts`. P10 (bounded) holds for files in `transport`.

Files in reading order: `fetch` (from a row to its text), `transport` (one link: attempts,
redirects, dead links), `hosts` (P9: which URLs and addresses are allowed), `error_page` (web
pages in place of a file), `download` (the files of one row on disk), `names` (their names),
`atomic` (a file that is complete or absent), `threads` (what blocks), `texts` (the text of one
row, or why it is missing), `batch` (many rows, concurrently and in order).
May import `_http`, `_paging`, `_api` and the modules below them; only `transport` imports aiohttp.
"""
