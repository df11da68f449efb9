"""Names that arguments may have as values.

They are repeated from modules that import TensorFlow, which help must not wait for; a
test compares them.
"""

TOKENIZERS = ("space", "whitespace", "unicode_script", "treebank")
DTYPES = ("float32", "float16", "bfloat16")
TARGETS = ("preset", "hdf5", "tfhub")
LAYERS = ("all", "top", "average", "elmo", "default")
FORMATS = ("hdf5", "parquet", "npy")
ENGINES = ("local", "ray")
STORED_DTYPES = ("float32", "float16", "int16")
START_STATES = ("zeros", "warm")
STRATEGIES = ("none", "mirrored", "multi-worker")
PICTURES = ("html", "parquet", "tensorboard")
