"""Hides what only the extras install, in a process that has this folder on its path.

Python imports this file as it starts.
"""

import sys

HIDDEN = ["jax", "matplotlib", "pandas", "sklearn", "threadpoolctl"]
sys.modules.update(dict.fromkeys(HIDDEN))
