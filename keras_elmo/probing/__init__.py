"""What do the layers of an `ElmoEmbedding` know? Simple classifiers on tagged text.

```
tagged file -> read_senses  -> sentences -> ElmoEmbedding -> vectors of each layer
               read_tags                                              |
               read_pairs   -> labels  ----------------------> classifier -> accuracy
```

Each `probe_...` function reads one kind of tagged text and returns the accuracy of
every layer on it, as in sections 5.3 and 5.4 of Peters et al. 2018. These functions
need scikit-learn (`pip install "keras-elmo[probing]"`) and import it when called.
`embed_words` makes the vectors of one word in many sentences, to look at.
"""

from keras_elmo.probing.parts_of_speech import probe_parts_of_speech, read_tags
from keras_elmo.probing.senses import probe_senses, read_senses
from keras_elmo.probing.vectors import embed_words
from keras_elmo.probing.words_in_context import probe_words_in_context, read_pairs

__all__ = [
    "embed_words",
    "probe_parts_of_speech",
    "probe_senses",
    "probe_words_in_context",
    "read_pairs",
    "read_senses",
    "read_tags",
]
