"""
The version, as in pyproject.toml.

It is not read from the metadata of the distribution, which a vendored copy or a bundle of a
program may lack.
"""

from typing import Final

__version__: Final = "0.1.0"
