"""AllenNLP's ELMo: `Elmo`, `ElmoEmbedder` and `batch_to_ids`, under their own names.

```python
from keras_elmo.compat.allennlp import Elmo, ElmoEmbedder, batch_to_ids
```

stands in for `from allennlp.modules.elmo import Elmo, batch_to_ids` and for `from
allennlp.commands.elmo import ElmoEmbedder`. Names, arguments, shapes and numbers are
AllenNLP's, with one difference: the state of the LSTMs is not carried from batch to
batch, so that a sentence always has the same vectors. `stateful=True` carries it.

A program that only loads a Keras model with an `Elmo` inside has to import this module
first, because the import tells Keras of the class.

Reference: AllenNLP (`allennlp/modules/elmo.py`, and `allennlp/commands/elmo.py` as it
was up to version 0.9).
"""

from keras_elmo.compat.allennlp.character_ids import batch_to_ids
from keras_elmo.compat.allennlp.elmo import Elmo
from keras_elmo.compat.allennlp.elmo_embedder import ElmoEmbedder

__all__ = ["Elmo", "ElmoEmbedder", "batch_to_ids"]
