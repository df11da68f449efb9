"""Embeds whole corpora."""

import argparse
import sys

from keras_elmo.bulk import RayData, check, embed_corpus
from keras_elmo.embedding.elmo_embedding import ElmoEmbedding
from keras_elmo.weights.open_weights import open_weights

# A shell expects this code of a program that Ctrl-C ended.
_INTERRUPTED = 130


def run(args: argparse.Namespace) -> None:
    if args.check:
        _check(args)
        return
    if not args.inputs:
        raise ValueError(
            "Give INPUT... and OUTPUT before the options. Received: only "
            f"{str(args.output)!r}"
        )
    try:
        is_complete = _embed(args)
    except KeyboardInterrupt:
        option = "--resume in place of --overwrite" if args.overwrite else "--resume"
        sys.stderr.write(
            "keras-elmo embed: interrupted. Finished shards are kept: to go on, give "
            f"the same command with {option}\n"
        )
        sys.exit(_INTERRUPTED)
    if is_complete:
        print(f"{args.output} is complete")
    else:
        print(f"part {args.shard} is done; other parts of {args.output} are not yet")


def _embed(args: argparse.Namespace) -> bool:
    kwargs = {} if args.tokenizer is None else {"tokenizer": args.tokenizer}
    elmo = ElmoEmbedding.from_stored_model(open_weights(args.weights), **kwargs)
    return embed_corpus(
        elmo,
        args.inputs,
        args.output,
        layers=args.layers,
        format=args.format,
        dtype=args.dtype,
        max_tokens=args.max_tokens,
        lines_per_shard=args.lines_per_shard,
        shard=args.shard,
        resume=args.resume,
        overwrite=args.overwrite,
        ignore_free_space=args.ignore_free_space,
        engine=_engine(args),
    )


def _engine(args: argparse.Namespace) -> RayData | None:
    options = {"workers": args.workers, "cpus_per_worker": args.cpus_per_worker}
    given = {name: value for name, value in options.items() if value is not None}
    if args.engine == "ray":
        return RayData(**given)
    if given:
        raise ValueError(
            "`--workers` and `--cpus-per-worker` are for `--engine ray`. Received: "
            f"{given} without it. Add it"
        )
    return None


def _check(args: argparse.Namespace) -> None:
    if args.inputs:
        raise ValueError(f"`--check` takes one OUTPUT. Received: {args.inputs} too")
    problems = check(args.output)
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"keras-elmo embed: {args.output} is not as it was written")
    print(f"{args.output} is as it was written")
