"""
Jobs: start and stop transcriptions, wait for their files, follow changes.

Files in reading order: `start_stop` (P6 for writes: nothing is sent twice unchecked), `wait`
(until one file exists), `shared_polls` (one request for many waits), `failed_polls` (which
failures end neither), `follow` (an endless
stream of changes), `follow_state` (what a follower has seen, as a checkpoint).
May import every module below: `_files`, `_paging`, `_http`, `_api` and what they may import.
"""
