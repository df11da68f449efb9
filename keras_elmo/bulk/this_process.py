from collections.abc import Callable, Sequence

from keras_elmo.bulk.run import Run


class ThisProcess:
    """The engine that embeds one shard after the other; see `Engine`."""

    def check(self, run: Run) -> None:
        """Nothing is refused."""

    def __call__(
        self, run: Run, work: Sequence[int], embedded: Callable[[int], None]
    ) -> None:
        for number in work:
            run.embed(number, embedded)
