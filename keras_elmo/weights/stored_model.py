import contextlib
import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_elmo.weights import mapping
from keras_elmo.weights.keywords import check_keywords
from keras_elmo.weights.mapping import Entry, LazyArray
from keras_elmo.weights.variables import named_variables, variable_shapes

# Errors quote the name of an argument in backticks.
_QUOTED_NAME = re.compile(r"[`'](\w+)[`']")
# These sentences tell how to get what a file lacks.
_NEXT_STEPS = {
    "softmax": "`keras-elmo train --from` fits one.",
    "word_cache": "`keras-elmo convert --cache-words` makes one.",
    "start_state": "`keras-elmo convert --warm-up`, or `ElmoEmbedding.warm_up`, makes "
    "one.",
}


@dataclasses.dataclass(frozen=True)
class StoredModel:
    """A pretrained model in a file of any format, opened but not yet read.

    Each format's reader returns one, so the rest of the package knows no format.

    Args:
        format: Name of the format.
        origin: Path of the weights, for errors.
        described_in: Path of the file that holds `arguments`, for errors.
        arguments: Arguments of the `BiLM`.
        table: The format's names of tensors, see `mapping`.
        arrays: The tensors by these names.
        embedding: Arguments of the `ElmoEmbedding`. Defaults to none.
        mix: `"weights"` and `"scaling"` of the mix, or None.
        metadata: What is known about the weights.
        extra_weights: By `"softmax"`, `"word_cache"` or `"start_state"`, a function
            that returns its tensors by our names. Defaults to none.
        vocabulary: Path of the words that the softmax predicts, or None.
    """

    format: str
    origin: str
    described_in: str
    arguments: Mapping[str, Any]
    table: Iterable[Entry]
    arrays: Mapping[str, LazyArray]
    embedding: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    mix: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    extra_weights: Mapping[str, Callable[[], Mapping[str, LazyArray]]] = (
        dataclasses.field(default_factory=dict)
    )
    vocabulary: Path | None = None

    def build(self, model_class: type, allow_nan: bool = False, **kwargs: Any) -> Any:
        """A new biLM with these weights.

        Args:
            model_class: `BiLM`, or a class derived from it.
            allow_nan: Whether to accept weights that are not finite.
            **kwargs: Arguments of `BiLM` to replace.

        Raises:
            ValueError: if arguments and weights do not belong together.
        """
        self.check(model_class, **kwargs)
        with self.argument_errors(model_class, kwargs):
            bilm = model_class(**{**self.arguments, **kwargs})
        variables = named_variables(bilm)
        mapping.apply(self.table, self.arrays, variables, self.origin, allow_nan)
        return bilm

    def fill(self, name: str, variables: Mapping[str, Any]) -> None:
        """Assigns one of the `extra_weights` to variables of just its names.

        Raises:
            FileNotFoundError: if there are none of this name.
            ValueError: if they do not fit.
        """
        if name not in self.extra_weights:
            held = sorted(self.extra_weights) or "the biLM"
            raise FileNotFoundError(
                f"The weights should come with a {name}. Received: {self.origin!r}, "
                f"which has only {held}. {_NEXT_STEPS[name]}"
            )
        table = [Entry(variable, (variable,)) for variable in variables]
        arrays = self.extra_weights[name]()
        mapping.apply(table, arrays, variables, f"{self.origin}, {name}")

    def fill_mix(self, mix: Any, allow_nan: bool = False) -> None:
        """Assigns the stored mix to a `ScalarMix`; does nothing if there is none.

        Args:
            mix: The layer, built.
            allow_nan: Whether to accept numbers that are not finite.

        Raises:
            ValueError: if the mix is one of another number of layers, or no numbers.
        """
        if self.mix is None:
            return
        arrays = [_as_floats(self.mix[key]) for key in ("weights", "scaling")]
        shapes = [tuple(variable.shape) for variable in mix.weights]
        is_finite = allow_nan or all(np.isfinite(array).all() for array in arrays)
        if [array.shape for array in arrays] != shapes or not is_finite:
            raise ValueError(
                f"The mix in `{self.described_in}` should hold {mix.num_layers} finite "
                f"weights, one a layer, and a scaling. Received: {self.mix}. Correct "
                "it, or fetch the file again"
            )
        mix.set_weights(arrays)

    def check(self, model_class: type, **kwargs: Any) -> dict[str, tuple[int, ...]]:
        """Refuses what can't be built, before any memory is taken for it.

        Args:
            model_class: See `build`.
            **kwargs: See `build`.

        Returns:
            The shapes of the variables by our names.

        Raises:
            ValueError: see `build`.
        """
        check_keywords(model_class, kwargs)
        arguments = {**self.arguments, **kwargs}
        with self.argument_errors(model_class, kwargs):
            inspect.signature(model_class).bind(**arguments)
            if "activation" not in kwargs:
                _check_is_name("activation", self.arguments.get("activation", "relu"))
            shapes = variable_shapes({**_defaults(model_class), **arguments})
        mapping.check(self.table, self.arrays, shapes, self.origin)
        return shapes

    @contextlib.contextmanager
    def argument_errors(
        self, model_class: type, kwargs: Mapping[str, Any]
    ) -> Iterator[None]:
        """Lets errors of `model_class` tell the caller's arguments from the file's.

        An error that names one of `kwargs` is the caller's, and passes unchanged. Any
        other names the file, and what was passed besides, if anything was.
        """
        try:
            yield
        except (TypeError, ValueError) as error:
            if not set(kwargs).isdisjoint(_QUOTED_NAME.findall(str(error))):
                raise
            received = f"some that it does not take ({error})"
            next_step = "Correct them, or fetch the file again"
            if kwargs:  # Keras does not always name the argument
                received += f", with {sorted(kwargs)} passed besides"
                next_step = "Check what was passed; if it is right, correct the file"
            raise ValueError(
                f"{self.described_in} should hold the arguments of "
                f"{model_class.__name__}. Received: {received}. {next_step}"
            ) from error

    @property
    def sentence_boundaries(self) -> bool:
        """Whether text is embedded between `<S>` and `</S>`."""
        of_bilm = self.arguments.get("sentence_boundaries", False)
        return self.embedding.get("sentence_boundaries", of_bilm)


def _check_is_name(name: str, value: Any) -> None:
    """Refuses all but a string: from a dictionary, Keras would make any object."""
    if not isinstance(value, str):
        raise ValueError(
            f"`{name}` should be the name of a Keras {name}. Received: "
            f"{name}={value!r}. A function of your own is to be passed"
        )


def _defaults(model_class: type) -> dict[str, Any]:
    parameters = inspect.signature(model_class).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _as_floats(values: Any) -> np.ndarray:
    """An array of float32, or NaN if these are no numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        array = np.array(None)
    if array.dtype.kind not in "fiu":
        return np.array(np.nan, "float32")
    with np.errstate(over="ignore"):
        return array.astype("float32")
