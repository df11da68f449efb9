"""simple_elmo's `ElmoModel`, for code that was written for it.

    from keras_elmo.compat.simple_elmo import ElmoModel

Names, arguments, shapes and dtypes are simple_elmo's (0.9.2); the code is not. What is
different, and why, is told by `ElmoModel`.

Reference: github.com/ltgoslo/simple_elmo.
"""

from keras_elmo.compat.simple_elmo.elmo_model import ElmoModel

__all__ = ["ElmoModel"]
