"""
Export an account, a room or a list of sessions as a dataset, on one machine or on many.

Extra ``[export]`` for object stores and Parquet, ``[dask]`` for a Dask cluster. Nothing of the
two is imported before it is used, and nothing of this package by the rest of the library.

In reading order:

- `_options`: what is exported, and what a shard is; `_pairs`: lists of sessions
- `_sink`: a folder, complete files; `_object_store`: the same with fsspec
- `_store`: a sink without blocking the event loop
- `_names`: the files of a dataset; `_plan`: the plan file, which no other export may change
- `_records`: a row as it is exported, and digests; `_formats`: JSON lines, CSV, Parquet
- `_part`: records on their way into one file; `_log`: finished rows of a shard in progress
- `_shard`: export one shard; `_shard_summary`: its counts and errors
- `_committed`: the summaries of what is committed
- `_walk`: shards of an account or a room, which are listed once
- `_engine`: what runs shards; `_local`: this process; `_rate_limit`: an even pace
- `_dask`: a Dask cluster, `_dask_cluster`: what runs on it
- `_generation`: the first export and its updates, with what an update has to know
- `_finish`: errors, success, summary; `_progress`: counters
- `_export`: the whole export

It uses the client like any program, `_files` for names and threads, and `_api` to read the rows
that it has saved.
"""

from ._dask import DaskEngine
from ._engine import Engine
from ._export import export
from ._finish import ExportSummary
from ._local import LocalEngine
from ._options import Pair
from ._pairs import read_pairs
from ._progress import ExportProgress
from ._shard_summary import ExportError

__all__ = [
    "DaskEngine",
    "Engine",
    "ExportError",
    "ExportProgress",
    "ExportSummary",
    "LocalEngine",
    "Pair",
    "export",
    "read_pairs",
]
