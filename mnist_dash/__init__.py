"""MNIST Dash: train, compare and inspect the networks of five MNIST tutorials.

Data flows down this list, and a module may import only from those above its own:

errors, config  what can go wrong; what can be configured
datasets        MNIST, the sample, a person's own files: find, check, download, split
digitizer       any image → digits of 28 × 28, made as MNIST's were
corruptions     MNIST-C's kinds, shifts, turns, sizes
networks        architectures, hyperparameters, Keras model, experiments, code as script and notebook
store           every run is a row; search, kept digits, export; the only SQL
inference       LiteRT: probabilities, activations, weights; novelty; the digits of an image
worker          what a worker executes, and the Dask queue that hands it out
analysis        intervals, significance, replicates, calibration, slices, curves; and what they say in words
figures         plotly figures from plain values; the HTML report
ui              shared/ and one folder a page; the only Streamlit in the package
cli             the command line; __main__ runs it
assets          what ships: the sample and the reference models; made by tools/
"""

__version__ = "0.4.0"
