"""Text in, shards out, and at the end a manifest."""

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

from keras_elmo.arguments import check_choice, check_positive_integer
from keras_elmo.bulk.engine import Engine
from keras_elmo.bulk.fingerprint import fingerprint
from keras_elmo.bulk.forecast import Forecast
from keras_elmo.bulk.layers import LAYERS, Layers
from keras_elmo.bulk.manifest import Manifest
from keras_elmo.bulk.output import Output
from keras_elmo.bulk.plan import make_plan, parse_share
from keras_elmo.bulk.run import Run, versions
from keras_elmo.bulk.text_source import TextSource
from keras_elmo.bulk.this_process import ThisProcess
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.files.paths import reaching
from keras_elmo.files.progress import progress_bar
from keras_elmo.files.run_record import check_unchanged

# Beyond, every access gets slower: h5py's issue 2540 tells of 45 times at a million.
_MANY_DATASETS = 100_000


def embed_corpus(
    elmo: ElmoEmbedding,
    inputs: str | os.PathLike | Sequence[str | os.PathLike],
    output: str | os.PathLike,
    *,
    layers: str = "all",
    format: str | None = None,
    dtype: str = "float32",
    max_tokens: int | None = None,
    lines_per_shard: int | None = None,
    shard: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    ignore_free_space: bool = False,
    engine: Engine | None = None,
    report: Callable[[str], None] = print,
) -> bool:
    """Embeds text files of any length, one sentence a line.

    The text is read twice: first it is counted and cut into shards, then each shard is
    embedded, written under a temporary name, and renamed. A process that is killed
    loses the shard at work; `resume=True` computes the others no second time, and gives
    the same bytes as without the interruption. These are a function of the weights,
    the text, the options, the versions of the libraries and the kind of processor.

    An empty line is a sentence without tokens, so that sentence `i` is line `i`. Bytes
    that are no UTF-8 are embedded as they are, and stored as `\\x..` where text is
    stored.

    Args:
        elmo: The embedding; its `tokenizer` splits the lines.
        inputs: Paths, glob patterns, `"-"` for standard input; .gz, .xz and .bz2 are
            decompressed.
        output: The file or folder to write, which `keras_elmo.bulk.open` reads.
        layers: What to store for each sentence: `"all"` (default), every layer
            `(layers, tokens, dim)` with `word_emb` doubled, as AllenNLP; `"top"`, the
            last, `"average"`, their mean, or `"elmo"`, the mix, each `(tokens, dim)`;
            or `"default"`, the mean of the mix over tokens, `(dim,)`.
        format: `"hdf5"`, one file in AllenNLP's layout, for up to 100,000 sentences or
            so; `"parquet"`, a folder of files for pandas, Polars, DuckDB or Spark,
            which needs pyarrow; or `"npy"`, a folder of NumPy files to map into memory.
            Defaults to None: hdf5 for names in .hdf5 or .h5, parquet for those in
            .parquet, or else npy.
        dtype: `"float32"` (default); `"float16"`, of half the size, with 11 bits of
            each number; or `"int16"`, of about half the size, for the format npy: 16
            bits of the largest number of each vector, which is nearer to float32.
        max_tokens: Tokens of a batch. Defaults to None, for the embedding's choice.
        lines_per_shard: Lines of the unit of work. Defaults to None: as many as make
            512 KiB of text, which take minutes with the largest models.
        shard: `"I/N"`: which part of the shards to compute, with I from 1 to N (or from
            0 to N - 1). N processes, on any machines that share the folder, may run at
            once; the last of them finishes the output. Implies `resume`. Defaults to
            None: all.
        resume: Whether to go on with what is there, if anything is. Shards that are
            damaged are computed anew. No other process may be at work there, except
            that those with `shard` may be at once.
        overwrite: Whether to replace an output that is there.
        ignore_free_space: Whether to start where the disk seems too small.
        engine: What computes the shards, such as `keras_elmo.bulk.RayData`. Defaults to
            None: this process.
        report: What to do with lines that tell of text, disk and time. Defaults to
            `print`.

    Returns:
        Whether the output is complete, which it is not before all parts of `shard` are.

    Raises:
        FileExistsError: if `output` is there, without `resume` or `overwrite`.
        FileNotFoundError: if a file of text is not there, or vanishes.
        OSError: if a file can't be read or written, the disk is full, or another
            process writes the whole output.
        FloatingPointError: if a value is not finite, or too large for `dtype`.
        ValueError: for an argument that is not as described; if the text changes
            meanwhile; with `resume`, if anything is not as it was.

    Example:

    >>> import pathlib, tempfile
    >>> import keras_elmo.bulk
    >>> elmo = ElmoEmbedding.from_preset("tiny_en")
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "text.txt").write_text("the cat sat\\n\\ndogs\\n")
    >>> def say_nothing(line): pass
    >>> embed_corpus(elmo, folder / "text.txt", folder / "vectors", report=say_nothing)
    True
    >>> with keras_elmo.bulk.open(folder / "vectors") as vectors:
    ...     [sentence.shape for sentence in vectors]
    [(3, 3, 256), (3, 0, 256), (3, 1, 256)]
    """
    chosen = Layers(
        check_choice("layers", layers, LAYERS),
        elmo.bilm.num_layers,
        elmo.bilm.projection_dim,
    )
    for name, value in (
        ("max_tokens", max_tokens),
        ("lines_per_shard", lines_per_shard),
    ):
        if value is not None:
            check_positive_integer(name, value)
    share = parse_share(shard)
    if overwrite and (resume or shard is not None):
        raise ValueError(
            "`overwrite` should not come with `resume` or `shard`, which go on with "
            f"what is there. Received: overwrite={overwrite}, resume={resume}, "
            f"shard={shard!r}. Overwrite in one run, or choose a new output"
        )
    resume = resume or shard is not None
    place = Output(output, format)
    if dtype not in place.format.dtypes:
        raise ValueError(
            f"`dtype` should be one of: {', '.join(map(repr, place.format.dtypes))}, "
            f"with the format {place.format_name!r}. Received: dtype={dtype!r}. Choose "
            "one of them; the format npy has all"
        )
    place.format.require()
    with reaching(place.path):
        place.check_new(resume, overwrite)
    # Shares of one run are at work at once; two of the whole would be in their way.
    alone = place.only_writer() if shard is None else contextlib.nullcontext()
    with alone, TextSource(inputs) as source:
        place.check_apart_from(source.paths)
        before = place.existing() if resume else None
        options = {
            "layers": layers,
            "dtype": dtype,
            "max_tokens": max_tokens,
            "lines_per_shard": lines_per_shard,
        }
        run = _make_run(elmo, source, place, options, chosen, before)
        if before and shard is None:  # no share may be at work either
            place.remove_scratch()
        engine = engine or ThisProcess()
        engine.check(run)
        work = run.shards_of(*share) if overwrite else run.unfinished(*share)
        _forecast(run, work, ignore_free_space, report)
        for path in run.damaged(work) if before else ():
            report(f"damaged, computed anew: {path}")
        if overwrite:
            place.remove()
        run.start(work)
        tokens = sum(run.manifest.shards[number].tokens for number in work)
        with progress_bar("tokens") as bar:
            embedded = functools.partial(bar.advance, bar.add_task("", total=tokens))
            if work:
                engine(run, work, embedded)
        return run.finish()


def _make_run(
    elmo: ElmoEmbedding,
    source: TextSource,
    place: Output,
    options: dict[str, Any],
    layers: Layers,
    before: Manifest | None,
) -> Run:
    """The run of these options, which goes on with an earlier one if there is one.

    Raises:
        ValueError: if the earlier one is of something else.
    """
    known = before.shards if before else ()
    plan = make_plan(source, elmo.tokenizer, options["lines_per_shard"], known)
    manifest = Manifest(
        run={
            "weights": fingerprint(elmo),
            "format": place.format_name,
            "tokenizer": elmo.tokenizer,
            "jit_compile": elmo.jit_compile,
            **options,
            **versions(place),
        },
        text=source.facts,
        row_shape=layers.row_shape,
        shards=plan.shards,
    )
    if before:
        check_unchanged(place.path, before.values(), manifest.values())
        manifest = manifest.with_checksums(before)
    return Run(elmo, source, plan, place, manifest, layers, options["max_tokens"])


def _forecast(
    run: Run, work: list[int], ignore_free_space: bool, report: Callable[[str], None]
) -> None:
    manifest = run.manifest
    if run.output.format.assemble and manifest.lines > _MANY_DATASETS:
        report(
            f"warning: {manifest.lines:,} datasets in one HDF5 file get slow to "
            "write and to read; --format parquet and npy do not"
        )
    report(
        f"text: {manifest.lines:,} sentences, {manifest.tokens:,} tokens, "
        f"{len(manifest.shards):,} shards, {len(work):,} of them to compute"
    )
    if not work:
        return
    forecast = Forecast.of(run, work)
    for line in forecast.lines():
        report(line)
    if not ignore_free_space:
        forecast.check_disk()
