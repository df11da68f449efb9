"""Shards on the machines of a Ray cluster."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf

from keras_elmo.arguments import check_positive_integer
from keras_elmo.bulk.run import Run
from keras_elmo.files.optional import import_optional

# `Run.embed` raises these, and the first that fits is the most exact.
_ERRORS = (FileNotFoundError, PermissionError, OSError, ValueError, FloatingPointError)


class RayData:
    """An engine of `embed_corpus` that has Ray Data embed the shards.

    Each worker is a process that loads the weights once, and then embeds a shard at a
    time. Text and output have to be at the same path for all of them, and the same
    versions of the libraries installed. Ray gives the shard of a worker that dies to
    another; what is written is the same as without Ray.

    It goes on with a cluster that `ray.init` was called for, or that the environment
    variable `RAY_ADDRESS` names, or that runs on this machine; without any, Ray starts
    here and is stopped at the end.

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
            most; when it embeds, if no machine has so many cores.

    Example:

    >>> import keras_elmo.bulk
    >>> engine = keras_elmo.bulk.RayData(workers=(2, 8), cpus_per_worker=4)

    Then `keras_elmo.bulk.embed_corpus(elmo, inputs, output, engine=engine)`.
    """

    def __init__(self, workers: int | tuple[int, int] = 1, cpus_per_worker: int = 1):
        pair: Any = workers if isinstance(workers, tuple) else (workers, workers)
        if len(pair) != 2:
            raise ValueError(
                "`workers` should be a number, or the fewest and the most. Received: "
                f"workers={workers}. Pass two numbers at most"
            )
        fewest, most = pair
        self._fewest = check_positive_integer("workers", fewest)
        self._most = check_positive_integer("workers", most)
        if fewest > most:
            raise ValueError(
                "`workers` should be a number, or the fewest and the most. Received: "
                f"workers={workers}. Exchange them"
            )
        self._cpus = check_positive_integer("cpus_per_worker", cpus_per_worker)
        _import("ray.data")

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
        ray = _import("ray")
        is_ours = not ray.is_initialized()
        if is_ours:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        try:
            self._check_cluster(ray)
            with _quiet():
                self._embed(run, work, embedded)
        finally:
            if is_ours:
                ray.shutdown()

    def _check_cluster(self, ray: ModuleType) -> None:
        """Refuses what Ray would wait for without end."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        most = int(max((node.get("CPU", 0) for node in nodes), default=0))
        if most < self._cpus:
            raise ValueError(
                "`cpus_per_worker` should be at most the cores of a machine. Received: "
                f"cpus_per_worker={self._cpus}, where the largest of {len(nodes)} has "
                f"{most}. Give fewer, or add a larger machine to the cluster"
            )

    def _embed(
        self, run: Run, work: Sequence[int], embedded: Callable[[int], None]
    ) -> None:
        data = _import("ray.data")
        shards = data.from_items(
            [{"number": number} for number in work], override_num_blocks=len(work)
        )
        reports = shards.map(
            _Worker,
            # The run is in a list, or Ray would load it before the threads are set.
            fn_constructor_args=([_import("ray").put(run)], self._cpus),
            compute=data.ActorPoolStrategy(
                min_size=min(self._fewest, len(work)),
                max_size=min(self._most, len(work)),
            ),
            num_cpus=self._cpus,
        )
        rows = iter(reports.iter_rows())
        try:
            for report in rows:
                if report["error"]:
                    raise _error(report)
                embedded(report["tokens"])
        finally:
            # Ray goes on with the other shards as long as there is somebody to ask.
            del rows


class _Worker:
    """Has a run of its own, and embeds shards of it."""

    def __init__(self, run: list[Any], threads: int):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self._run: Run = _import("ray").get(run[0])

    def __call__(self, row: dict[str, int]) -> dict[str, Any]:
        counts: list[int] = []
        report: dict[str, Any] = {"error": "", "arguments": ""}
        try:
            self._run.check_same_here()
            self._run.embed(row["number"], counts.append)
        except _ERRORS as error:
            # Ray would wrap it in errors of its own, and leave its type behind.
            name = next(kind.__name__ for kind in _ERRORS if isinstance(error, kind))
            arguments = error.args
            if isinstance(error, OSError) and error.errno is not None:
                arguments = error.errno, error.strerror, error.filename
            report = {"error": name, "arguments": json.dumps(arguments, default=str)}
        return {**report, "tokens": sum(counts)}


def _error(report: Mapping[str, Any]) -> Exception:
    """The error that a worker reports."""
    kind = {kind.__name__: kind for kind in _ERRORS}[report["error"]]
    return kind(*json.loads(report["arguments"]))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Has Ray Data be silent, since there is a bar already; and then as it was."""
    context = _import("ray.data").DataContext.get_current()
    logger = logging.getLogger("ray.data")
    before = context.enable_progress_bars, logger.level
    context.enable_progress_bars = False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = before[0]
        logger.setLevel(before[1])


def _import(name: str) -> ModuleType:
    return import_optional(name, "ray", "Workers")
