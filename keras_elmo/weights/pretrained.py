import inspect
from typing import Any

from keras_elmo.weights.formats import allennlp, preset_folder, tfhub
from keras_elmo.weights.keywords import check_keywords
from keras_elmo.weights.open_weights import open_module, open_weights


class Pretrained:
    """Loading and saving, for layers that are a `BiLM` or have one.

    `BiLM` and `ElmoEmbedding` derive from it. They say how to make one from a
    `StoredModel` (`from_stored_model`), and what there is to write: `settings`,
    `bilm_variables` and `extra_weights`.
    """

    from_stored_model: Any
    settings: Any
    bilm_variables: Any

    @classmethod
    def from_hdf5(cls, options, weights, **kwargs):
        """Loads the files of AllenNLP, bilm-tf or simple_elmo.

        Args:
            options: Path of `options.json`, or its content as a dictionary.
            weights: Path of `weights.hdf5`.
            **kwargs: See `from_preset`. `sentence_boundaries` defaults to True,
                since these implementations train and embed with boundaries.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the files are broken, or do not belong together. All
                missing, unexpected and mis-shaped tensors are named, and none
                is loaded.
        """
        cls._check_keywords(kwargs)
        return cls.from_stored_model(allennlp.open_pair(options, weights), **kwargs)

    @classmethod
    def from_tfhub(cls, module, options=None, **kwargs):
        """Loads a module of TF-Hub: google/elmo/1, 2, 3, or one of DeepPavlov's.

        Its checkpoint is read; its graph is not run. Sizes are those of the tensors.
        An `ElmoEmbedding` takes over the module's mix.

        Args:
            module: Path of the module's folder, or of its .tar.gz; its address, or
                `"google/elmo/2"`. A folder need hold no more than `variables/`.
            options: Path of an `options.json`, or its content, for a module that is
                not made as Google's are: relu, skip connections, both clips at 3.
                Defaults to None.
            **kwargs: See `from_preset`. `sentence_boundaries` defaults to False for
                Google's modules, and to True for DeepPavlov's.

        Raises:
            FileNotFoundError: if there is no such module.
            ValueError: if it is broken, or is no ELMo.
        """
        cls._check_keywords(kwargs)
        return cls.from_stored_model(open_module(module, options), **kwargs)

    @classmethod
    def from_preset(cls, preset, **kwargs):
        """Loads a preset, or whatever else holds an ELMo.

        An `ElmoEmbedding` takes over the mix, and how text is split.

        Args:
            preset: `"tiny_en"`, a small English model that comes with the package;
                a name or an address of `keras_elmo.presets`; or a path: of what
                `save_to_preset`, `keras-elmo convert` or `keras-elmo train` wrote, of
                a TF-Hub module, of simple_elmo's folder, of an archive of these, of a
                checkpoint of bilm-tf.
            **kwargs: Any of these arguments. Both classes take:

                - `sentence_boundaries`: Boolean, whether the biLM reads each sentence
                  between `<S>` and `</S>`. Defaults to what the weights were made for.
                - `allow_nan`: Boolean, whether to accept weights that are NaN or
                  infinite. Defaults to False.
                - `name`: String, the name of the layer.
                - `dtype`: The dtype policy, such as `"mixed_bfloat16"`.

                `ElmoEmbedding` also takes its own arguments:

                - `output_key`: String, the only output to return, such as `"elmo"`.
                  Defaults to None: a dictionary of all.
                - `finetune`: `None` (default), `"lstm"` or `"all"`: what to train.
                - `tokenizer`: String, how text is split. Defaults to the preset's.
                - `dropout`: Float, the rate on the `"elmo"` output. Defaults to 0.
                - `cached_words`: List of strings whose `word_emb` is stored. Defaults
                  to the preset's.
                - `start_state`: `"zeros"` (default) or `"warm"`, which the LSTMs start
                  from.
                - `warm_up`: List of sentences that compute a warm state. Defaults to
                  None: the state that is stored with the weights.
                - `jit_compile`: `"auto"` (default), True or False: whether to use XLA.
                - `seed`, `mix_regularizer`, `do_layer_norm`: see `ElmoEmbedding`.

                `BiLM` also takes `return_state`: Boolean, whether to return the state
                of the LSTMs too. Defaults to False.

        Raises:
            FileNotFoundError: if there is no such preset.
            ValueError: if its files are broken, or do not belong together; or for an
                argument that the class does not take.

        Example:

        >>> import keras_elmo
        >>> bilm = keras_elmo.BiLM.from_preset("tiny_en", return_state=True)
        >>> bilm.num_layers, bilm.units, bilm.projection_dim
        (2, 512, 128)
        >>> elmo = keras_elmo.ElmoEmbedding.from_preset("tiny_en", output_key="elmo")
        >>> elmo(["the bank of the river", "money in the bank"]).shape
        TensorShape([2, 5, 256])
        """
        cls._check_keywords(kwargs)
        return cls.from_stored_model(open_weights(preset), **kwargs)

    def to_hdf5(self, options, weights, overwrite=False):
        """Writes the files that `from_hdf5` reads, both whole or neither.

        What the format has no place for is put under `keras_elmo` in the options,
        unless it is what other readers assume: that there are sentence boundaries, and
        no mix.

        Args:
            options: Path of the `options.json` to write.
            weights: Path of the `weights.hdf5` to write.
            overwrite: Whether to replace files that exist. Defaults to False.

        Raises:
            FileExistsError: if one of the files exists, without `overwrite`.
            ValueError: if the model has an activation that the format lacks, or a
                vocabulary of characters.
        """
        allennlp.write_pair(
            options, weights, self.settings(), self.bilm_variables(), overwrite
        )

    def to_tfhub(self, folder, overwrite=False):
        """Writes a checkpoint of TensorFlow 1 that `from_tfhub` reads.

        What it has no place for goes into `keras_elmo.json` beside it, unless it is as
        in Google's modules.

        Args:
            folder: The folder to write: new, or empty.
            overwrite: Whether to replace a module that is there. Defaults to False.

        Raises:
            FileExistsError: if `folder` holds a module, without `overwrite`.
            ValueError: if `folder` holds something else, or the model has a
                vocabulary of characters.
        """
        tfhub.write_folder(folder, self.settings(), self.bilm_variables(), overwrite)

    def save_to_preset(self, folder, metadata=None, dtype="float32", overwrite=False):
        """Writes the folder that `from_preset` reads, whole or not at all.

        With the biLM of an `ElmoEmbedding` go its mix, its cached words, its warm
        state, and what decides the outputs: `tokenizer`, `sentence_boundaries` and
        `do_layer_norm`.

        Args:
            folder: The folder to write: new, or empty.
            metadata: Dictionary of what is worth knowing about the weights, such
                as data and licence, for `metadata.json`. Defaults to None.
            dtype: To which to round the weights: `"float32"` (default), `"float16"`
                or `"bfloat16"`, which halve the file.
            overwrite: Whether to replace a preset that is there. Defaults to False.

        Raises:
            FileExistsError: if `folder` holds a preset, without `overwrite`.
            ValueError: if `folder` holds something else, or for another dtype.
        """
        config = {**self.settings(), "metadata": metadata or {}}
        with preset_folder.writing(folder, overwrite) as temporary:
            preset_folder.write(
                temporary, config, self.bilm_variables(), dtype, self.extra_weights()
            )

    def extra_weights(self):
        """Variables of what a preset may hold besides the biLM, see `preset_folder`."""
        return {}

    @classmethod
    def _check_keywords(cls, kwargs):
        """Refuses unknown keywords before anything is downloaded or read."""
        others = inspect.signature(cls.from_stored_model).parameters
        check_keywords(cls, kwargs, {*others} - {"stored", "kwargs"})
