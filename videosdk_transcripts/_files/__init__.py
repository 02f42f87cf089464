"""
Transcript and summary files, fetched without credentials.

Home of P9 (confines the token): `hosts`. P10 (bounded) holds for files in `transport`.

Files in reading order: `fetch` (from a row to its text), `transport` (one link: attempts,
redirects, the size cap), `hosts` (P9: which URLs and addresses are allowed), `download` (the
files of one row on disk), `batch` (many rows, concurrently and in order), `atomic` (a file
that is complete or absent).
May import `_http`, `_api` and the modules below them; only `transport` imports aiohttp.
"""
