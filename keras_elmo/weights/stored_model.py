import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_elmo.weights import mapping
from keras_elmo.weights.mapping import Entry, LazyArray
from keras_elmo.weights.variables import named_variables, variable_shapes

_MAKERS = {
    "softmax": "`keras-elmo train --from` fits one.",
    "word_cache": "`keras-elmo convert --cache-words` makes one.",
    "start_state": "`keras-elmo convert --warm-up`, or `ElmoEmbedding.warm_up`, makes "
    "one.",
}


@dataclasses.dataclass(frozen=True)
class StoredModel:
    """A pretrained model in a file of any format, opened but not yet read.

    This is what each format's reader returns, and all that the rest of the package
    knows of formats.

    Args:
        format: What to call the format.
        origin: What to call the file in an error.
        described_in: The same of the file that says the arguments.
        arguments: Of the `BiLM`.
        table: The format's names, see `mapping`.
        arrays: The tensors by these names.
        embedding: Arguments of the `ElmoEmbedding`. Defaults to none.
        mix: Its `"weights"` and `"scaling"`, or None.
        metadata: What is known about the weights.
        parts: Of what there is besides the biLM, `"softmax"`, `"word_cache"` or
            `"start_state"`, a function that returns the tensors by our names.
        vocabulary: The file of the words that it predicts, or None.
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
    parts: Mapping[str, Callable[[], Mapping[str, LazyArray]]] = dataclasses.field(
        default_factory=dict
    )
    vocabulary: Path | None = None

    def build(self, kind: type, allow_nan: bool = False, **kwargs):
        """A new `kind`, which is `BiLM`, with these weights.

        Args:
            kind: The class.
            allow_nan: Whether to accept weights that are not finite.
            **kwargs: Arguments of `BiLM` to replace.

        Raises:
            ValueError: if arguments and weights do not belong together.
        """
        self.check(kind, **kwargs)
        with self.explaining(kind, kwargs):
            bilm = kind(**{**self.arguments, **kwargs})
        variables = named_variables(bilm)
        mapping.apply(self.table, self.arrays, variables, self.origin, allow_nan)
        return bilm

    def fill(self, part: str, variables: Mapping[str, Any]) -> None:
        """Assigns one of the `parts` to variables of just its names.

        Raises:
            FileNotFoundError: if there is no such part.
            ValueError: if it does not fit.
        """
        if part not in self.parts:
            raise FileNotFoundError(
                f"The weights should come with a {part}. Received: {self.origin!r}, "
                f"which has only {sorted(self.parts) or 'the biLM'}. {_MAKERS[part]}"
            )
        table = [Entry(name, (name,)) for name in variables]
        mapping.apply(table, self.parts[part](), variables, f"{self.origin}, {part}")

    def fill_mix(self, mix, allow_nan=False):
        _set_mix(mix, self, allow_nan)

    def check(self, kind: type, **kwargs) -> dict[str, tuple[int, ...]]:
        """Refuses what can't be built, before any memory is taken for it.

        Args:
            kind: See `build`.
            **kwargs: See `build`.

        Returns:
            The shapes of the variables by our names.

        Raises:
            ValueError: see `build`.
        """
        arguments = {**self.arguments, **kwargs}
        with self.explaining(kind, kwargs):
            inspect.signature(kind).bind(**arguments)
            if "activation" not in kwargs:
                _check_is_name("activation", self.arguments.get("activation", "relu"))
            shapes = variable_shapes({**_defaults(kind), **arguments})
        mapping.check(self.table, self.arrays, shapes, self.origin)
        return shapes

    @contextlib.contextmanager
    def explaining(self, kind: type, kwargs: Mapping[str, Any]) -> Iterator[None]:
        """Says of errors of `kind` which file, and what besides, has its arguments."""
        try:
            yield
        except (TypeError, ValueError) as error:
            besides = f", with {sorted(kwargs)} passed besides" if kwargs else ""
            raise ValueError(
                f"{self.described_in} should hold the arguments of {kind.__name__}. "
                f"Received: some that it does not take ({error}){besides}. Correct "
                "them, or fetch the file again"
            ) from error

    @property
    def sentence_boundaries(self) -> bool:
        """Whether text is embedded between `<S>` and `</S>`."""
        of_bilm = self.arguments.get("sentence_boundaries", False)
        return self.embedding.get("sentence_boundaries", of_bilm)


def _check_is_name(name: str, value: Any) -> None:
    """Refuses what is no name: of a dictionary, Keras would make any object."""
    if not isinstance(value, str):
        raise ValueError(
            f"`{name}` should be the name of a Keras {name}. Received: "
            f"{name}={value!r}. A function of your own is to be passed"
        )


def _defaults(kind: type) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _set_mix(mix, stored, allow_nan):
    """Assigns what a file says of the mix, if it is one of as many layers."""
    arrays = [_as_floats(stored.mix[key]) for key in ("weights", "scaling")]
    expected = [tuple(variable.shape) for variable in mix.weights]
    is_finite = allow_nan or all(np.isfinite(array).all() for array in arrays)
    if [array.shape for array in arrays] != expected or not is_finite:
        raise ValueError(
            f"The mix in `{stored.described_in}` should hold {mix.num_layers} finite "
            f"weights, one a layer, and a scaling. Received: {stored.mix}. Correct it, "
            "or fetch the file again"
        )
    mix.set_weights(arrays)


def _as_floats(values):
    """An array of float32, NaN if these are no numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        array = np.array(None)
    if array.dtype.kind not in "fiu":
        return np.array(np.nan, "float32")
    with np.errstate(over="ignore"):
        return array.astype("float32")
