"""Sentences, or words in sentences, as points to look at.

```
text -> sentence_points -> Points -> write_html         one file, for any browser
        word_points                  write_tensorboard  for TensorBoard's projector
                                     write_parquet      for embedding-atlas and others
```

Pages need plotly and Parquet needs pyarrow (`pip install "keras-elmo[project]"`).
"""

from keras_elmo.projector.html import write_html
from keras_elmo.projector.parquet import write_parquet
from keras_elmo.projector.points import Points, sentence_points, word_points
from keras_elmo.projector.tensorboard import write_tensorboard

__all__ = [
    "Points",
    "sentence_points",
    "word_points",
    "write_html",
    "write_parquet",
    "write_tensorboard",
]
