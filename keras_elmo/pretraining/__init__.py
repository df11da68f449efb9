"""Training a biLM as a bidirectional language model, and its perplexity on text.

```
text files -> TextCorpus -> batches of char ids and targets -> LanguageModel
                 |                                               |
                 v                                               v
              CorpusSize -> Vocabulary         BiLM -> SampledSoftmax -> losses
```

`train` fits a `LanguageModel` as its `TrainingOptions` say, with checkpoints to resume
from; `TrainingForecast` and `TrainingProgress` tell of it; `evaluate` computes its
`Perplexity`; and `LanguageModel.save_to_preset` stores it for `BiLM.from_preset`,
`ElmoEmbedding.from_preset` and more training. Its `score` makes a `SentenceScore` of
each sentence, and `next_words` and `substitutes` find the words that it expects.

Example:

>>> import pathlib, tempfile
>>> from keras_elmo import BiLM
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> _ = (folder / "text.txt").write_text("the cat sat\\nthe dog ran\\n" * 50)
>>> corpus = TextCorpus(folder / "text.txt")
>>> vocabulary = Vocabulary.from_counts(corpus.measure().word_counts)
>>> bilm = BiLM(filters=[[1, 8]], units=8, projection_dim=4)
>>> model = LanguageModel(bilm, vocabulary, batch_size=2)
>>> train(model, corpus, TrainingOptions(steps=2), folder / "checkpoints")
>>> sorted(evaluate(model, corpus))
['backward_perplexity', 'forward_perplexity', 'loss', 'perplexity']
"""

from keras_elmo.pretraining.forecast import TrainingForecast
from keras_elmo.pretraining.language_model import LanguageModel
from keras_elmo.pretraining.perplexity import Perplexity
from keras_elmo.pretraining.progress import TrainingProgress
from keras_elmo.pretraining.sampled_softmax import SampledSoftmax
from keras_elmo.pretraining.sentence_score import SentenceScore
from keras_elmo.pretraining.text_corpus import CorpusSize, TextCorpus
from keras_elmo.pretraining.training import TrainingOptions, evaluate, train
from keras_elmo.pretraining.vocabulary import Vocabulary

__all__ = [
    "CorpusSize",
    "LanguageModel",
    "Perplexity",
    "SampledSoftmax",
    "SentenceScore",
    "TextCorpus",
    "TrainingForecast",
    "TrainingOptions",
    "TrainingProgress",
    "Vocabulary",
    "evaluate",
    "train",
]
