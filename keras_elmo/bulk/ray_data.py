"""Shards on the machines of a Ray cluster."""

import json
import logging
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf

from keras_elmo.arguments import check_positive_integer
from keras_elmo.bulk.run import Run
from keras_elmo.files.optional import import_optional

# What `Run.embed` raises.
_ERRORS = {kind.__name__: kind for kind in (OSError, ValueError, FloatingPointError)}


class RayData:
    """An engine of `embed_corpus` that has Ray Data embed the shards.

    Each worker is a process that loads the weights once, and then embeds a shard at a
    time. Text and output have to be at the same path for all of them, and the same
    versions of the libraries installed. Ray gives the shard of a worker that dies to
    another; what is written is the same as without Ray.

    It goes on with a cluster that `ray.init` was called for, or that the environment
    variable `RAY_ADDRESS` names; without either, Ray starts on this machine and is
    stopped at the end.

    Args:
        workers: How many workers, or the fewest and the most of them, between which
            Ray adds them as long as there is work and the cluster has cores. Defaults
            to 1.
        cpus_per_worker: Cores of a worker, which are threads of TensorFlow's too, or
            workers that share a machine would be in each other's way. Defaults to 1,
            which wastes least where there are many shards.

    Raises:
        ModuleNotFoundError: if Ray is not installed.
        ValueError: if a number is below 1, or the fewest workers are more than the
            most.

    Example:

    >>> import keras_elmo.bulk
    >>> engine = keras_elmo.bulk.RayData(workers=(2, 8), cpus_per_worker=4)

    Then `keras_elmo.bulk.embed_corpus(elmo, inputs, output, engine=engine)`.
    """

    def __init__(self, workers: int | tuple[int, int] = 1, cpus_per_worker: int = 1):
        fewest, most = workers if isinstance(workers, tuple) else (workers, workers)
        self._fewest = check_positive_integer("workers", fewest)
        self._most = check_positive_integer("workers", most)
        if fewest > most:
            raise ValueError(
                "`workers` should be a number, or the fewest and the most. Received: "
                f"workers={workers}. Exchange them"
            )
        self._cpus = check_positive_integer("cpus_per_worker", cpus_per_worker)
        _ray_data()

    def check(self, run: Run) -> None:
        """Refuses text that other processes can't read.

        Raises:
            ValueError: if some of it is standard input or a pipe.
        """
        if run.source.is_kept:
            raise ValueError(
                "`inputs` should be files that every worker can read. Received: "
                f"{', '.join(run.source.file_names)}, of which one is standard input "
                "or a pipe. Write it to a file first"
            )

    def __call__(
        self, run: Run, work: Sequence[int], embedded: Callable[[int], None]
    ) -> None:
        data = _ray_data()
        ray = import_optional("ray", "ray", "Workers")
        is_ours = not ray.is_initialized()
        if is_ours:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        try:
            shards = data.from_items(
                [{"number": number} for number in work], override_num_blocks=len(work)
            )
            reports = shards.map(
                _Worker,
                # In a list, or Ray would load it before the threads are set.
                fn_constructor_args=([ray.put(run)], self._cpus),
                compute=data.ActorPoolStrategy(
                    min_size=min(self._fewest, len(work)),
                    max_size=min(self._most, len(work)),
                ),
                num_cpus=self._cpus,
            )
            for report in reports.iter_rows():
                if report["error"]:
                    raise _ERRORS[report["error"]](*json.loads(report["arguments"]))
                embedded(report["tokens"])
        finally:
            if is_ours:
                ray.shutdown()


class _Worker:
    """Has a run of its own, and embeds shards of it."""

    def __init__(self, run: list[Any], threads: int):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        ray = import_optional("ray", "ray", "Workers")
        self._run: Run = ray.get(run[0])

    def __call__(self, row: dict[str, int]) -> dict[str, Any]:
        counts: list[int] = []
        report: dict[str, Any] = {"error": "", "arguments": ""}
        try:
            self._run.check_same_here()
            self._run.embed(row["number"], counts.append)
        except tuple(_ERRORS.values()) as error:
            # Ray would wrap it in errors of its own, and leave its type behind.
            name = next(n for n, kind in _ERRORS.items() if isinstance(error, kind))
            arguments = [*error.args]
            if isinstance(error, OSError):
                arguments = [error.errno, error.strerror, error.filename]
            report = {"error": name, "arguments": json.dumps(arguments, default=str)}
        return {**report, "tokens": sum(counts)}


def _ray_data() -> ModuleType:
    data = import_optional("ray.data", "ray", "Workers")
    context = data.DataContext.get_current()
    context.enable_progress_bars = False  # there is one already
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return data
