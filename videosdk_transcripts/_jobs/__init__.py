"""
Start and stop transcriptions, wait for their files, and follow changes.

Files in reading order:

- `start_stop`: starts and stops, without sending a request again unchecked (P6)
- `wait`: waits until one file exists
- `shared_polls`: combines the polls of many waits into one request
- `failed_polls`: decides which failures end neither a wait nor a stream
- `follow`: streams changes
- `follow_state`: remembers what a follower has reported, as a checkpoint

May import `_files`, `_paging`, `_http`, `_api` and what these may import.
"""
