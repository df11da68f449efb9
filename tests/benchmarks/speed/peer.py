import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

WORKER = Path(__file__).parents[2] / "peers" / "embedding_speed.py"


class Peer:
    """Another ELMo, loaded in a process of its own Python, which waits for commands.

    Args:
        key: One of the worker's `PEERS`.
        name: Its name in the table.
        python: The interpreter that has it.
        files: Paths of options, weights and sentences.
    """

    def __init__(self, key, name, python, files):
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("TF2_BEHAVIOR", None)  # by which TensorFlow 2 marks it
        environment.pop("PYTHONPATH", None)  # which is for this Python
        self._process = subprocess.Popen(
            [python, str(WORKER), key, *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        self.name = name
        self.version = self._answer()["version"]

    def seconds(self, sentences, batch):
        """The time it takes to embed lists of tokens."""
        return self._ask(sentences=sentences, batch=batch)["seconds"]

    def outputs(self, sentences):
        """The mix of each, of one batch. The first call alone starts from zeros."""
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "outputs.npz")
            self._ask(sentences=sentences, batch=len(sentences), outputs=file)
            with np.load(file) as arrays:
                return [arrays[name] for name in arrays.files]

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, **command):
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"The worker of {self.name} has ended; to see why, run "
                f"{self._process.args}"
            )
        return json.loads(line)
