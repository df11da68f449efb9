"""Whole corpora: text files in, the vectors of every sentence out.

```
text -> TextSource -> shards -> ElmoEmbedding.encode_stream -> formats -> Embeddings
                        |                                         |
                        v                                         v
                       plan            ->                     manifest
```

`embed_corpus` is the command `keras-elmo embed`. The unit of work is a shard: its name
is a function of its number, it is there whole or not at all, and its bytes depend on
weights, text and options alone. So a run that was killed goes on, several processes may
share the work (`RayData` on many machines), and `check` tells what is damaged. `open`
reads any format lazily.

Example:

>>> import pathlib, tempfile
>>> import keras_elmo
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> _ = (folder / "text.txt").write_text("the cat sat\\nthe dog ran off\\n")
>>> elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en")
>>> embed_corpus(elmo, folder / "text.txt", folder / "vectors.hdf5")
... # doctest: +ELLIPSIS
text: 2 sentences, 7 tokens, ...
True
>>> with open(folder / "vectors.hdf5") as vectors:
...     vectors, vectors[1].shape
... # doctest: +ELLIPSIS
(<Embeddings of 2 sentences, (3, None, 256) float32, in ...>, (3, 4, 256))
>>> check(folder / "vectors.hdf5")
[]
"""

from keras_elmo.bulk.check import check
from keras_elmo.bulk.embed_corpus import embed_corpus
from keras_elmo.bulk.embeddings import Embeddings
from keras_elmo.bulk.embeddings import open_embeddings as open
from keras_elmo.bulk.ray_data import RayData

__all__ = ["Embeddings", "RayData", "check", "embed_corpus", "open"]
