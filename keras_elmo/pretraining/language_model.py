from pathlib import Path

import keras
import tensorflow as tf

from keras_elmo.arguments import check_choice, check_positive_integer, check_rate
from keras_elmo.bilm import BiLM
from keras_elmo.pretraining.carried_state import CarriedState
from keras_elmo.pretraining.contexts import DIRECTIONS, ContextReader
from keras_elmo.pretraining.packing import NO_TARGET
from keras_elmo.pretraining.perplexity import Perplexity
from keras_elmo.pretraining.sampled_softmax import SampledSoftmax
from keras_elmo.pretraining.sentence_scorer import SentenceScorer
from keras_elmo.pretraining.vocabulary import Vocabulary
from keras_elmo.pretraining.word_predictor import WordPredictor
from keras_elmo.text.tokenizers import TOKENIZERS
from keras_elmo.weights.formats import preset_folder
from keras_elmo.weights.open_weights import open_weights
from keras_elmo.weights.stored_model import StoredModel
from keras_elmo.weights.variables import named_variables


class LanguageModel(SentenceScorer, WordPredictor, keras.Model):
    """A `BiLM` that predicts words: for `fit` and `evaluate`, and to score sentences.

    ```
    char ids -> CharCNN -> forward LSTMs  -> softmax -> the next word
                        -> backward LSTMs -> softmax -> the word before
    ```

    Both directions share the token encoder and the softmax, and each has LSTMs of its
    own. The state of the LSTMs is carried from batch to batch; gradients are not.

    The loss is the mean negative log likelihood of a token, over both directions. The
    gradient is that of the mean over all positions of a batch, with a token or without,
    so that a token has the same weight in every batch. In training the loss is that of
    the sampled softmax, which is lower than that of the full one: compare models by
    the perplexities of `evaluate`.

    Reference: Peters et al. 2018, section 3.1; bilm-tf (`bilm/training.py`).

    Args:
        bilm: The `BiLM` to train. With `bilm.trainable = False`, only the softmax is
            trained.
        vocabulary: The `Vocabulary` of the words to predict.
        batch_size: Rows of a batch on each replica. Defaults to 16, as for
            `keras-elmo evaluate`; `score` and the like make batches of their own.
        num_samples: See `SampledSoftmax`.
        dropout: Dropout rate of the inputs of each LSTM and of the softmax. Defaults
            to 0.1, as in the paper's models.
        seed: Seed of the dropout and the samples. Defaults to None.
        tokenizer: How `score`, `next_words` and `substitutes` split strings, see
            `ElmoPreprocessor`. Defaults to `"space"`.
        **kwargs: `name`, as for any Keras model.

    Call arguments:
        batch: A batch of `TextCorpus`.
        training: Whether to drop out and to sample. Defaults to False.

    Returns:
        The forward and the backward negative log likelihood of each token, float32
        `(batch_size, unroll_steps)`, 0 where there is no token to predict.

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> bilm = BiLM(filters=[[1, 8]], units=8, projection_dim=4)
    >>> vocabulary = Vocabulary(["<S>", "</S>", "<UNK>", "the", "cat"])
    >>> model = LanguageModel(bilm, vocabulary, batch_size=2)
    >>> model.compile(optimizer="adam")
    >>> model.metrics_names
    ['loss', 'forward_perplexity', 'backward_perplexity', 'perplexity']
    """

    def __init__(
        self,
        bilm,
        vocabulary,
        batch_size=16,
        num_samples=8192,
        dropout=0.1,
        seed=None,
        tokenizer="space",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(bilm, BiLM):
            raise ValueError(f"`bilm` should be a `BiLM`. Received: bilm={bilm!r}")
        bilm.require_bytes("bilm")
        self.bilm = bilm
        self.contexts = ContextReader(bilm)
        if not isinstance(vocabulary, Vocabulary):
            raise ValueError(
                "`vocabulary` should be a `Vocabulary`. Received: vocabulary of type "
                f"{type(vocabulary).__name__}. Make one of the words: Vocabulary(words)"
            )
        self.vocabulary = vocabulary
        self.tokenizer = check_choice("tokenizer", tokenizer, tuple(TOKENIZERS))
        self.batch_size = check_positive_integer("batch_size", batch_size)
        # In mixed precision too, logarithms of probabilities are too fine for 16 bits.
        self.softmax = SampledSoftmax(
            len(vocabulary), num_samples, seed=seed, name="softmax", dtype="float32"
        )
        self.dropout = check_rate("dropout", dropout)
        self.seed_generator = keras.random.SeedGenerator(seed)
        sizes = bilm.bilstm.state_sizes
        # Validation between two steps of training must leave the state of training.
        self.training_state = CarriedState(batch_size, sizes, name="training_state")
        self.evaluation_state = CarriedState(batch_size, sizes, name="evaluation_state")
        self.loss_metric = keras.metrics.Mean(name="loss")
        self.perplexities = [
            Perplexity(name=f"{direction}_perplexity") for direction in DIRECTIONS
        ]
        self.perplexity = Perplexity(name="perplexity")
        self.softmax.build((None, bilm.projection_dim))
        self.built = True

    @classmethod
    def from_preset(cls, preset, batch_size=16, vocabulary=None, **kwargs):
        """Loads a preset, or a checkpoint of bilm-tf, with vocabulary and softmax.

        Args:
            preset: See `BiLM.from_preset`.
            batch_size: See `LanguageModel`.
            vocabulary: The `Vocabulary`. Defaults to None: that of the preset.
            **kwargs: Arguments of `LanguageModel`. `tokenizer` defaults to the
                preset's.

        Raises:
            FileNotFoundError: if there is no such preset, or it has no softmax or no
                vocabulary.
            ValueError: if its files are broken, or do not belong together.
        """
        return cls.from_stored_model(
            open_weights(preset), batch_size, vocabulary, **kwargs
        )

    @classmethod
    def from_stored_model(cls, stored, batch_size=16, vocabulary=None, **kwargs):
        """As `from_preset`, but from a `StoredModel` of `keras_elmo.weights`."""
        bilm = BiLM.from_stored_model(stored)
        # A model that reads no bytes has no vocabulary of a softmax either.
        bilm.require_bytes("preset")
        if vocabulary is None:
            vocabulary = vocabulary_of(stored)
        tokenizer = {"tokenizer": stored.embedding.get("tokenizer", "space")}
        with stored.argument_errors(cls, {"batch_size": batch_size, **kwargs}):
            model = cls(bilm, vocabulary, batch_size, **{**tokenizer, **kwargs})
        model.load_softmax(stored)
        return model

    def load_softmax(self, stored):
        """Loads the softmax of a `StoredModel` with the same vocabulary.

        Raises:
            FileNotFoundError, ValueError: see `from_preset`.
        """
        stored.fill("softmax", self.softmax_variables())

    def save_to_preset(
        self, folder, metadata=None, dtype="float32", overwrite=False, tokenizer=None
    ):
        """As `BiLM.save_to_preset`, with vocabulary and softmax.

        Both are separate files, so that embedding text never reads them. `tokenizer`
        is that of the training text, which embeddings should use as well. Defaults to
        None: that of the model.
        """
        if tokenizer is None:
            tokenizer = self.tokenizer
        check_choice("tokenizer", tokenizer, tuple(TOKENIZERS))
        config = {
            **self.bilm.settings(),
            "embedding": {"tokenizer": tokenizer},
            "metadata": metadata or {},
        }
        with preset_folder.writing(folder, overwrite) as temporary:
            variables = named_variables(self.bilm)
            parts = {"softmax": self.softmax_variables()}
            preset_folder.write(temporary, config, variables, dtype, parts)
            self.vocabulary.save(Path(temporary) / preset_folder.VOCABULARY)

    def softmax_variables(self):
        """The softmax's variables by name."""
        return {
            "softmax/kernel": self.softmax.kernel,
            "softmax/bias": self.softmax.bias,
        }

    def call(self, batch, training=False):
        state = self.training_state if training else self.evaluation_state
        states = [
            tf.cast(tensor, self.bilm.compute_dtype)
            * tf.cast(batch["continues"], self.bilm.compute_dtype)
            for tensor in state.read()
        ]
        word_emb = self.bilm.char_cnn(batch["char_ids"])  # (distinct, projection_dim)
        losses, final_states = [], []
        size = len(states) // len(DIRECTIONS)
        for index, direction in enumerate(DIRECTIONS):
            loss, direction_states = self._read(
                direction,
                tf.gather(word_emb, batch[f"{direction}_index"]),
                states[index * size : (index + 1) * size],
                batch[f"{direction}_targets"],
                training,
            )
            losses.append(loss)
            final_states += direction_states
        state.assign(final_states)
        return losses

    def _read(self, direction, inputs, states, targets, training):
        """The losses of one direction, and the flat list of its final states."""

        def dropout(tensor):
            if not training or not self.dropout:
                return tensor
            return keras.random.dropout(tensor, self.dropout, seed=self.seed_generator)

        bilstm = self.bilm.bilstm
        outputs, final_states = bilstm.read(
            getattr(bilstm, f"{direction}_layers"),
            inputs,
            [states[2 * i : 2 * i + 2] for i in range(bilstm.num_layers)],
            dropout=dropout,
        )
        outputs = tf.reshape(dropout(outputs[-1]), [-1, self.bilm.projection_dim])
        flat_targets = tf.reshape(targets, [-1])
        loss = self.softmax(outputs, tf.maximum(flat_targets, 0), training=training)
        loss = tf.where(flat_targets == NO_TARGET, 0.0, loss)
        return tf.reshape(loss, tf.shape(targets)), tf.nest.flatten(final_states)

    def training_variables(self):
        """Every variable that training changes by name, without the optimizer's."""
        return {
            **named_variables(self.bilm),
            **self.softmax_variables(),
            "seed/dropout": self.seed_generator.state,
            "seed/samples": self.softmax.seed_generator.state,
            **self.training_state.by_replica(),
        }

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            losses = self(batch, training=True)
            # The mean is over all positions, with a token or without. Otherwise the few
            # tokens of a nearly empty batch would weigh as much as all of a full one.
            loss = tf.add_n([tf.reduce_mean(loss) for loss in losses]) / len(losses)
            # Keras adds up the gradients of all replicas.
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            scaled_loss = self.optimizer.scale_loss(loss / replicas)
        variables = self.trainable_weights
        # A sparse gradient may hold several slices of one row. They are added up here,
        # because the norm that Keras clips by is that of their sum.
        gradients = map(tf.convert_to_tensor, tape.gradient(scaled_loss, variables))
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return self._update_metrics(batch, losses)

    def test_step(self, batch):
        return self._update_metrics(batch, self(batch, training=False))

    def _update_metrics(self, batch, losses):
        for direction, loss, metric in zip(
            DIRECTIONS, losses, self.perplexities, strict=True
        ):
            is_token = batch[f"{direction}_targets"] != NO_TARGET
            for each in (self.loss_metric, metric, self.perplexity):
                each.update_state(loss, sample_weight=is_token)
        return self.get_metrics_result()

    @property
    def metrics(self):
        return [self.loss_metric, *self.perplexities, self.perplexity]


def vocabulary_of(stored: StoredModel) -> Vocabulary:
    """The `Vocabulary` that comes with a `StoredModel`.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is broken.
    """
    if stored.vocabulary is None:
        raise FileNotFoundError(
            f"Beside the weights there should be a {preset_folder.VOCABULARY} of the "
            f"words of their softmax. Received: {stored.origin!r}, which has none. "
            "Pass these words as `vocabulary`."
        )
    return Vocabulary.from_file(stored.vocabulary)
