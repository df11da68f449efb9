"""Sentiment of film reviews (Maas et al. 2011) from ELMo, beside bag of words.

    python -m keras_elmo.examples.imdb --output imdb

```
reviews -> first_tokens -> frozen vectors, computed once -> mix -> head -> report
                        -> ELMo -------------------------> mix -> head -> model.keras
```

Only the mix and the head train at first, so that what the biLM computes never changes:
it is kept on disk (`vectors`), and each epoch reads it. The classifier of strings has
the same mix and the same head (`classifier`). It is what is saved, and what
`--finetune` goes on to train.
"""
