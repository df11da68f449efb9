"""Does `keras_elmo.compat.allennlp` compute what AllenNLP does, batch after batch?

    python allennlp_elmo.py --allennlp PYTHON
    python allennlp_elmo.py --allennlp PYTHON --model options.json weights.hdf5

embeds ten batches of changing sizes with AllenNLP's own `Elmo` and with ours, once with
the state carried from batch to batch and once from zeros, and compares every layer; so
it does with layer normalisation, kept boundaries and cached words. PYTHON should have
simple-elmo-pytorch (AllenNLP's Elmo). Without `--model`, the recorded models that
AllenNLP can load are taken: it refuses the others of `tests/fixtures`. Differences
above 1e-5 are an error.

`--record FILE` keeps what AllenNLP computed, see `tests/fixtures/README.md`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TOLERANCE = 1e-5
FIXTURES = os.path.join(os.path.dirname(__file__), "..", "fixtures")
CASES = ("skip", "clipped")
SIZES = (2, 4, 1, 3, 5, 2, 6, 1, 4, 3)
WORDS = ["the", "cat", "sat", "on", "a", "mat", ".", "naïve", "日本語", "😀", "<S>"]
WORDS.append("antidisestablishmentarianism" * 2)
VOCABULARY = ["@@PADDING@@", *WORDS[:6]]
MIX = [0.5, -1.0, 2.0]


def make_batches():
    """Sentences of up to seven tokens; some batches have an empty one among others."""
    rng = np.random.RandomState(0)
    batches = [
        [[str(word) for word in rng.choice(WORDS, rng.randint(1, 8))] for _ in range(n)]
        for n in SIZES
    ]
    batches[3][1] = batches[6][4] = []
    return batches


def numbers_of(batch):
    """Word ids by `VOCABULARY`; of other words, one that is too large."""
    longest = max(map(len, batch))
    words = np.zeros((len(batch), longest), "int64")
    for row, sentence in zip(words, batch):  # noqa: B905, Python 3.7
        for place, word in enumerate(sentence):
            known = word in VOCABULARY
            row[place] = VOCABULARY.index(word) if known else len(VOCABULARY)
    return words


def tokens_of(layers, batch):
    """`(batch, layers and mix, tokens, dim)` as `(all tokens, layers and mix, dim)`."""
    rows = [layer[:, : len(row)] for layer, row in zip(layers, batch)]  # noqa: B905
    return np.concatenate(rows, axis=1).swapaxes(0, 1)


def theirs(files, batches):
    """What AllenNLP computes, in its own Python."""
    import simple_elmo_pytorch.models.scalar_mix
    import simple_elmo_pytorch.nn.util
    import torch
    from simple_elmo_pytorch.models.elmo import Elmo, batch_to_ids

    # The package was cut out of AllenNLP without three functions that it calls: by
    # layer normalisation, where this is AllenNLP's number for float32, and by cached
    # words, which these two leave as they are if there are two axes.
    simple_elmo_pytorch.models.scalar_mix.util = simple_elmo_pytorch.nn.util
    simple_elmo_pytorch.nn.util.tiny_value_of_dtype = lambda dtype: 1e-13
    simple_elmo_pytorch.nn.util.combine_initial_dims = lambda tensor: tensor
    simple_elmo_pytorch.nn.util.uncombine_initial_dims = lambda tensor, size: tensor

    def layers_of(model, batch):
        outputs = model(batch_to_ids(batch))
        layers = [layer[:, 1:-1] for layer in outputs["activations"]]
        mixed = outputs["elmo_representations"][0]
        return torch.stack([*layers, mixed], 1).numpy()

    def representations(batch, words=None, **kwargs):
        model = Elmo(*files, 1, dropout=0.0, **kwargs).eval()
        words = None if words is None else torch.from_numpy(words)
        outputs = model(batch_to_ids(batch), words)
        return outputs["elmo_representations"][0].numpy(), outputs["mask"].numpy()

    with torch.no_grad():
        model = Elmo(*files, 1, dropout=0.0).eval()
        arrays = {"ids": batch_to_ids(batches[3]).numpy()}
        carried = [tokens_of(layers_of(model, batch), batch) for batch in batches]
        fresh = []
        for batch in batches:
            model._elmo_lstm._elmo_lstm.reset_states()
            fresh.append(tokens_of(layers_of(model, batch), batch))
        return {**arrays, **others(representations, batches), **sums(carried, fresh)}


def ours(files, batches):
    """The same by `keras_elmo.compat.allennlp`."""
    from keras_elmo.compat.allennlp import Elmo, ElmoEmbedder, batch_to_ids

    def representations(batch, words=None, **kwargs):
        elmo = Elmo(*files, dropout=0.0, **kwargs)
        outputs = elmo(batch_to_ids(batch), word_inputs=words)
        return outputs["elmo_representations"][0].numpy(), outputs["mask"].numpy()

    def layers_of(embedder, elmo, batch):
        layers, _ = embedder.batch_to_embeddings(batch)
        mixed = elmo(batch_to_ids(batch))["elmo_representations"][0]
        return np.concatenate([layers, mixed[:, None]], axis=1)

    carried, fresh = [
        [tokens_of(layers_of(embedder, elmo, batch), batch) for batch in batches]
        for embedder, elmo in [
            (ElmoEmbedder(*files, stateful=stateful), Elmo(*files, stateful=stateful))
            for stateful in (True, False)
        ]
    ]
    arrays = {"ids": batch_to_ids(batches[3])}
    return {**arrays, **others(representations, batches), **sums(carried, fresh)}


def others(representations, batches):
    batch = batches[3]
    kept, kept_mask = representations(
        batch, keep_sentence_boundaries=True, scalar_mix_parameters=MIX
    )
    normalized, mask = representations(batch, do_layer_norm=True)
    known = [word for word in batch[0] if word in VOCABULARY]
    cached, _ = representations(
        [known], numbers_of([known]), vocab_to_cache=list(VOCABULARY)
    )
    fallen_back, _ = representations(
        batch, numbers_of(batch), vocab_to_cache=list(VOCABULARY)
    )
    return {
        "kept": kept,
        "kept_mask": kept_mask,
        "normalized": normalized * mask[..., None],
        "mask": mask,
        "cached": cached,
        "fallen_back": fallen_back,
    }


def sums(carried, fresh):
    """Of all batches, the tokens one after the other."""
    return {"carried": np.concatenate(carried), "fresh": np.concatenate(fresh)}


def run_peer(python, files, batches):
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "theirs.npz")
        command = [python, __file__, "--model", *files, "--only", output]
        subprocess.run(command, check=True, stdout=sys.stderr)
        with np.load(output) as arrays:
            return dict(arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--allennlp", metavar="PYTHON")
    parser.add_argument("--model", nargs=2, metavar=("OPTIONS", "WEIGHTS"))
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    batches = make_batches()
    if args.only:  # in the peer's own Python
        np.savez(args.only, **theirs(args.model, batches))
        return
    if args.allennlp is None:
        parser.error("the peer's Python is needed: --allennlp")
    models = {"model": args.model}
    if args.model is None:
        names = ("options.json", "weights.hdf5")
        models = {c: [os.path.join(FIXTURES, c, name) for name in names] for c in CASES}
    recorded = {"batches": np.array(json.dumps(batches))}
    worst = 0.0
    for case, files in models.items():
        expected = run_peer(args.allennlp, files, batches)
        computed = ours(files, batches)
        differences = {
            name: np.abs(computed[name].astype("float64") - array).max()
            for name, array in expected.items()
        }
        print(json.dumps({case: {k: f"{v:.1e}" for k, v in differences.items()}}))
        worst = np.max([worst, *differences.values()])
        expected["ids"] = expected["ids"].astype("int16")
        for name in ("carried", "fresh"):  # of which the mix is the mean
            expected[name] = expected[name][:, :-1]
        recorded.update({f"{case}/{name}": a for name, a in expected.items()})
    if args.record:
        np.savez_compressed(args.record, **recorded)
    if not worst <= TOLERANCE:  # NaN is not
        sys.exit(f"Differences should be at most {TOLERANCE}. Received: {worst:.1e}")


if __name__ == "__main__":
    main()
