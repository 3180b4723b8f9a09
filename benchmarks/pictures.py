"""How well digits from screens and paper are read: `python -m benchmarks.pictures FOLDER [--json] [--wrong]`.

FOLDER holds pictures and `labels.csv` with the columns path, label, kind (drawn, paper or
sheet), source_repo and note; a sheet's label is its digits in reading order, rows joined by
"/". If it holds `semeion.npz` (x: shape (n, 16, 16), 0 or 255; y), those digits are read as
PNG files as well, black on white: "tight" as they are, "padded" with paper around them.

Every model that ships reads all of them, redrawn in three ways: "ours", by this project;
"tutorial", as the tutorial with the CNN does it to a picture from a paint program (shrunk
to 28 × 28, then grey, then what is below 100 is ink: “MNIST recognition with Keras”);
"plain", the grey picture shrunk, and inverted if it is dark on light.
"""

import argparse
import csv
import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_dash.analysis.accuracies import accuracy
from mnist_dash.digitizer.pipeline import Likelihood, digitize_file
from mnist_dash.errors import PictureError
from mnist_dash.inference import recognition
from mnist_dash.inference.novelty import NoveltyDetector
from mnist_dash.inference.predictor import Predictor
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.reference_runs import REFERENCE_FOLDER

SINGLE = ("drawn", "paper")
SHEET, TIGHT, PADDED = "sheet", "semeion tight", "semeion padded"
MARGIN = 6  # pixels of paper around a Semeion digit, which makes it 28 × 28
DRAFT = 1_000  # pixels; a JPEG is decoded at the smallest scale that gives so many
LARGE = 12_000_000  # pixels; a phone's photo
_SENTENCE = "{model}: {path} shows {label}, read as {answer!r} ({probability:.2f})"

Network = Callable[[np.ndarray], np.ndarray]  # pictures (n, 28, 28) → probabilities (n, 10)
Rows = list[list[np.ndarray]]  # digits in reading order, each shape (28, 28), uint8: 255 is ink


@dataclass(frozen=True)
class Picture:
    """A picture file and what it says; `path` is relative to the folder."""

    path: str
    content: bytes
    label: str
    kind: str
    source: str


@dataclass(frozen=True)
class Answer:
    """What a model read in a picture, rows joined by "/"; and how sure it was of its least sure digit."""

    picture: Picture
    digits: str
    probability: float

    @property
    def right(self) -> bool:
        """Whether all digits were found and read, and no more."""
        return self.digits == self.picture.label


def main() -> None:
    """Prints tables, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", choices=model_names(), default=model_names())
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--wrong", action="store_true", help="list what was read wrong our way as well")
    arguments = parser.parse_args()
    measured = measure(arguments.folder, arguments.models)
    if not arguments.wrong:
        del measured["wrong"]
    print(json.dumps(measured) if arguments.json else tables(measured))


def model_names() -> list[str]:
    """Returns the names of the models that ship, in the order of the variants."""
    shipped = {file.parent.name for file in REFERENCE_FOLDER.glob("*/model.tflite")}
    return [*(name for name in VARIANTS if name in shipped), *sorted(shipped - set(VARIANTS))]


def measure(folder: Path, models: Sequence[str]) -> dict:
    """Lets the models read everything in the folder; returns what `--json` prints."""
    pictures = labelled(folder)
    results: dict = {"accuracy": [], "sheets": [], "milliseconds": milliseconds(pictures), "wrong": []}
    pictures += semeion(folder)
    for way, redraw in WAYS.items():
        print(f"redrawing: {way}", file=sys.stderr)
        redrawn = [(picture, redraw(picture.content)) for picture in pictures if _is_for(way, picture)]
        for model in models:
            network = _network(model, as_pictures=way == "ours")
            answers = [read(network, picture, rows) for picture, rows in redrawn]
            for kind, of_kind in _grouped(answers, lambda answer: answer.picture.kind):
                part, summary = ("sheets", sheets) if kind == SHEET else ("accuracy", shares)
                results[part].append({"model": model, "way": way, "kind": kind, **summary(of_kind)})
            if way == "ours":
                results["wrong"] += [_mistake(model, answer) for answer in answers if not answer.right]
    return results


def _network(model: str, *, as_pictures: bool) -> Network:
    """Returns a function from pictures to probabilities; of the page's own kind, or the plain model."""
    folder = REFERENCE_FOLDER / model
    predictor = Predictor((folder / "model.tflite").read_bytes())
    settings = json.loads((folder / "run.json").read_text())["settings"] if as_pictures else {}
    return partial(recognition.predict, settings, predictor)


def labelled(folder: Path) -> list[Picture]:
    """Reads the pictures that `labels.csv` lists."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return [
            Picture(row["path"], (folder / row["path"]).read_bytes(), row["label"], row["kind"], row["source_repo"])
            for row in csv.DictReader(file)
        ]


def semeion(folder: Path) -> Iterator[Picture]:
    """Yields the digits of `semeion.npz`, if it is there, as PNG files: tight and padded."""
    if not (folder / "semeion.npz").exists():
        return
    with np.load(folder / "semeion.npz") as arrays:
        digits, labels = 255 - arrays["x"], arrays["y"]
    for kind, margin in ((TIGHT, 0), (PADDED, MARGIN)):
        for number, (digit, label) in enumerate(zip(digits, labels, strict=True)):
            padded = Image.fromarray(np.pad(digit, margin, constant_values=255))
            yield Picture(f"{kind} {number}", _file(padded, "PNG"), str(label), kind, "semeion")


def ours(content: bytes) -> Rows:
    """Returns the digits as this project finds and redraws them."""
    try:
        digits = digitize_file(content, _likelihood()).digits
    except PictureError:
        return []
    return [[digit.pixels for digit in row] for _, row in groupby(digits, key=lambda digit: digit.row)]


@cache
def _likelihood() -> Likelihood:
    return NoveltyDetector.shipped().likelihood


def tutorial(content: bytes) -> Rows:
    """Returns the picture as the tutorial's script makes it: 28 × 28, then grey, then black and white."""
    with Image.open(io.BytesIO(content)) as image:
        grey = np.asarray(image.resize((28, 28), Image.Resampling.LANCZOS).convert("L"))
    return [[np.where(grey < 100, 255, 0).astype(np.uint8)]]


def plain(content: bytes) -> Rows:
    """Returns the grey picture shrunk to 28 × 28; inverted if most of it is nearer to its lightest than its darkest."""
    with Image.open(io.BytesIO(content)) as image:
        grey = np.asarray(image.convert("L").resize((28, 28), Image.Resampling.LANCZOS))
    is_dark_on_light = np.median(grey) > (int(grey.min()) + int(grey.max())) / 2
    return [[255 - grey if is_dark_on_light else grey]]


WAYS: dict[str, Callable[[bytes], Rows]] = {"ours": ours, "tutorial": tutorial, "plain": plain}


def _is_for(way: str, picture: Picture) -> bool:
    """The other ways know no pictures of several digits, and need paper around one."""
    return way == "ours" or picture.kind not in (SHEET, TIGHT)


def read(network: Network, picture: Picture, rows: Rows) -> Answer:
    """Lets a model read a redrawn picture."""
    # One digit at a time: a predictor returns all layers' activations, 0.3 MB a digit.
    found = [[network(pixels[None])[0] for pixels in row] for row in rows]
    digits = "/".join("".join(str(probabilities.argmax()) for probabilities in row) for row in found)
    least = min((float(probabilities.max()) for row in found for probabilities in row), default=0.0)
    return Answer(picture, digits, least)


def shares(answers: Sequence[Answer]) -> dict[str, object]:
    """Returns which share was read right, with Wilson intervals.

    Returns:
        `pictures`, each picture counting the same; `sources`, each source counting the
        same, its interval as wide as for so many single pictures, which is the widest
        that it can be; `by_source`.
    """
    by_source = {
        source: accuracy(sum(answer.right for answer in given), len(given))
        for source, given in _grouped(answers, lambda answer: answer.picture.source)
    }
    sum_of_shares = sum(share.value for share in by_source.values())
    return {
        "pictures": asdict(accuracy(sum(answer.right for answer in answers), len(answers))),
        "sources": asdict(accuracy(sum_of_shares, len(by_source))),  # type: ignore[arg-type] # no whole number
        "by_source": {source: asdict(share) for source, share in by_source.items()},
    }


def sheets(answers: Sequence[Answer]) -> dict[str, object]:
    """Returns how well sheets of several digits were read.

    Returns:
        `sheets`, the share without any mistake; of all sheets' digits, `found`, as many as
        were found, and `read`, those also read right and in order; `extra`, how many
        were found where there are none, counted where a sheet has more than it should.
    """
    pairs = [(answer.picture.label.replace("/", ""), answer.digits.replace("/", "")) for answer in answers]
    digits = sum(len(label) for label, _ in pairs)
    return {
        "sheets": asdict(accuracy(sum(answer.right for answer in answers), len(answers))),
        "found": asdict(accuracy(sum(min(len(label), len(found)) for label, found in pairs), digits)),
        "read": asdict(accuracy(sum(in_order(label, found) for label, found in pairs), digits)),
        "extra": sum(max(0, len(found) - len(label)) for label, found in pairs),
    }


def in_order(label: str, found: str) -> int:
    """Returns how many of the label's digits were found in its order: their longest common subsequence."""
    longest = [0] * (len(found) + 1)
    for digit in label:
        before = longest
        longest = [0]
        for place, other in enumerate(found):
            longest.append(before[place] + 1 if digit == other else max(before[place + 1], longest[place]))
    return longest[-1]


def milliseconds(pictures: Sequence[Picture]) -> dict[str, float]:
    """Returns what redrawing costs.

    Returns:
        `median` and `percentile_95` of a picture beyond decoding its file; `large_decode`,
        to decode a JPEG of 12 megapixels, and `large_whole`, to decode and redraw it.
    """
    print("timing", file=sys.stderr)
    beyond = [_fastest(ours, picture.content) - _fastest(decode, picture.content) for picture in pictures]
    large = enlarged(max(pictures, key=lambda picture: (picture.kind == "paper", len(picture.content))).content)
    return {
        "median": float(np.median(beyond)),
        "percentile_95": float(np.percentile(beyond, 95)),
        "large_decode": _fastest(decode, large),
        "large_whole": _fastest(ours, large),
    }


def decode(content: bytes) -> None:
    """Decodes a picture file and does nothing with it."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (DRAFT, DRAFT))
        image.load()


def enlarged(content: bytes) -> bytes:
    """Returns the picture as a JPEG file of 12 megapixels."""
    with Image.open(io.BytesIO(content)) as image:
        scale = (LARGE / (image.width * image.height)) ** 0.5
        size = (round(image.width * scale), round(image.height * scale))
        return _file(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), "JPEG", quality=90)


def tables(measured: dict) -> str:
    """Returns the results as Markdown: all in one table, each source, sheets, times, what was read wrong."""
    times = measured["milliseconds"]
    parts = [
        "Pictures read right in percent, with 95 % intervals: mean over pictures and mean over sources.",
        _overview(measured["accuracy"]),
        *(_sources(way, [found for found in measured["accuracy"] if found["way"] == way]) for way in WAYS),
        _sheets(measured["sheets"]),
        f"Beyond decoding: {times['median']:.1f} ms a picture (median), {times['percentile_95']:.1f} ms (95th "
        f"percentile). A JPEG of 12 megapixels: {times['large_decode']:.0f} ms to decode, "
        f"{times['large_whole']:.0f} ms in all.",
    ]
    if "wrong" in measured:
        parts.append("\n".join(_SENTENCE.format(**mistake) for mistake in measured["wrong"]))
    return "\n\n".join(parts)


def _overview(results: list[dict]) -> str:
    kinds = sorted({found["kind"] for found in results})
    # Semeion is one source, so it has one mean.
    columns = [
        (kind, mean) for kind in kinds for mean in ("pictures", "sources") if kind in SINGLE or mean == "pictures"
    ]
    rows = []
    for key, group in groupby(results, key=itemgetter("way", "model")):
        of_kind = {found["kind"]: found for found in group}
        rows.append([*key, *(_percent(of_kind[kind][mean]) if kind in of_kind else "" for kind, mean in columns)])
    return _table(["way", "model", *(f"{kind}, {mean}" for kind, mean in columns)], rows)


def _sources(way: str, results: list[dict]) -> str:
    rows: dict[tuple[str, str], list[str]] = {}
    for found in results:
        for source, share in found["by_source"].items() if found["kind"] in SINGLE else ():
            row = rows.setdefault((found["kind"], source), [found["kind"], source, str(share["n"])])
            row.append(f"{100 * share['value']:.0f}")
    models = dict.fromkeys(found["model"] for found in results)
    return _table([way, "source", "n", *models], list(rows.values()))


def _sheets(results: list[dict]) -> str:
    shares_of = ("sheets", "found", "read")
    rows = [[found["model"], *(_percent(found[part]) for part in shares_of), str(found["extra"])] for found in results]
    return _table(["model", "sheets right", "digits found", "digits read in order", "extra digits"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines
    )


def _percent(share: dict[str, float]) -> str:
    return f"{100 * share['value']:.1f} ({100 * share['low']:.1f}–{100 * share['high']:.1f})"


def _mistake(model: str, answer: Answer) -> dict[str, object]:
    named = {"model": model, "path": answer.picture.path, "label": answer.picture.label}
    return {**named, "answer": answer.digits, "probability": round(answer.probability, 3)}


def _grouped(answers: Sequence[Answer], key: Callable[[Answer], str]) -> list[tuple[str, list[Answer]]]:
    return [(name, list(group)) for name, group in groupby(sorted(answers, key=key), key=key)]


def _file(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _fastest(function: Callable[[bytes], object], content: bytes, *, repeats: int = 3) -> float:
    """Returns milliseconds: what it takes when nothing else runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function(content)
        times.append(1000 * (time.perf_counter() - started))
    return min(times)


if __name__ == "__main__":
    main()
