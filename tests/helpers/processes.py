"""Processes that tests start."""

import os
import sys
from pathlib import Path

_HIDING = Path(__file__).parent / "without_extras"


def without_extras(*folders, **variables):
    """The environment of a process which imports what this one can, but no extras.

    So the package is tried as it is for those who install none. TensorFlow and Keras
    import what they find of them, which also takes a third of the time of a start.
    """
    path = os.pathsep.join(map(str, [_HIDING, *folders, *sys.path]))
    return {**os.environ, "PYTHONPATH": path, **variables}
