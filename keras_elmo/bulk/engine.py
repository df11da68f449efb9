"""What computes the shards of a run."""

from collections.abc import Callable, Sequence
from typing import Protocol

from keras_elmo.bulk.run import Run


class Engine(Protocol):
    """A way to embed shards: here, or on other machines.

    The unit of work is a shard, which `Run.embed` writes whole or not at all, with the
    same bytes wherever it is called. So an engine has but to call it for each.
    """

    def __call__(
        self, run: Run, work: Sequence[int], embedded: Callable[[int], None]
    ) -> None:
        """Embeds shards.

        Args:
            run: The run.
            work: The numbers of the shards.
            embedded: Told how many more tokens are embedded.

        Raises:
            OSError, ValueError, FloatingPointError: what `Run.embed` raises.
        """

    def check(self, run: Run) -> None:
        """Refuses a run that it can't do, before anything is written.

        Raises:
            ValueError, ModuleNotFoundError: if it can't.
        """
