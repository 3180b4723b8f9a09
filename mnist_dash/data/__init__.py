"""MNIST and the bundled sample: find, check, download, split.

No file is trusted: arrays are read without pickle, bounded in size, and checked against
the shapes, types, ranges and SHA-256 values of the real thing, whatever file they came in.
"""

from mnist_dash.data.arrays import check_pictures, read_arrays
from mnist_dash.data.collections import MAX_COLLECTION_BYTES, MAX_DIGITS, as_npz, as_pngs, read_collection
from mnist_dash.data.datasets import (
    ARRAYS,
    CLASSES,
    KNOWN,
    MNIST,
    SAMPLE,
    SAMPLE_FILE,
    Dataset,
    KnownData,
    class_counts,
    download,
    downloaded_file,
    load_dataset,
    read_dataset,
    select,
    sources,
    stamps,
)
from mnist_dash.data.splits import KEPT_BACK, Split, split

__all__ = [
    "ARRAYS",
    "CLASSES",
    "KEPT_BACK",
    "KNOWN",
    "MAX_COLLECTION_BYTES",
    "MAX_DIGITS",
    "MNIST",
    "SAMPLE",
    "SAMPLE_FILE",
    "Dataset",
    "KnownData",
    "Split",
    "as_npz",
    "as_pngs",
    "check_pictures",
    "class_counts",
    "download",
    "downloaded_file",
    "load_dataset",
    "read_arrays",
    "read_collection",
    "read_dataset",
    "select",
    "sources",
    "split",
    "stamps",
]
