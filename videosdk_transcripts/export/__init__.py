"""
Export an account, a room or a list of sessions as a dataset, on one machine or on many.

The extra ``[export]`` adds object stores and Parquet, and ``[dask]`` adds Dask clusters. Their
libraries are imported on first use, and the rest of the package does not import this folder.

Files in reading order:

- `_options`: the options of an export and of its shards; `_pairs`: lists of sessions
- `_sink`: writes complete files to a folder; `_object_store`: the same with fsspec
- `_store`: uses a sink without blocking the event loop
- `_names`: the files of a dataset; `_plan`: the plan file, which protects it from other exports
- `_records`: the exported form of a row, and digests; `_formats`: JSON lines, CSV, Parquet
- `_part`: writes records to one file; `_log`: saves the finished rows of a shard in progress
- `_shard`: exports one shard; `_shard_summary`: its counts and errors
- `_committed`: reads the summaries of committed parts
- `_walk`: lists an account or a room once, and divides it into shards
- `_engine`: the interface of engines; `_local`: this process; `_rate_limit`: an even pace
- `_dask`: a Dask cluster; `_dask_cluster`: the code that runs on it
- `_generation`: the first export and its updates, with the state that an update needs
- `_opening`: continues the generation in progress, or begins an update
- `_finish`: writes errors, success and summary; `_progress`: counters
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
