"""Pretrained models by name: the package's own, each a folder here, and others'."""

from keras_elmo.presets.location import bundled, cache_dir, locate
from keras_elmo.presets.published import (
    PublishedModel,
    find_published,
    published_models,
)

__all__ = [
    "PublishedModel",
    "bundled",
    "cache_dir",
    "find_published",
    "locate",
    "published_models",
]
