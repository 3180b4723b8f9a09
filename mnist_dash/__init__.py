"""MNIST Dash: train, compare and question the networks of five MNIST tutorials.

errors, settings     what can go wrong, what can be configured
data, images         MNIST's digits; any picture redrawn the way they were drawn
corruptions          pictures made harder to read, after MNIST-C
models, scripts      the networks and their settings (variants); each as a plain Keras script
experiments          from one form to all the runs that it asks for
runs                 the store: every run is a row; the only SQL
training, jobs       one run, compiled; the workers that execute it
robustness           how well a finished run reads corrupted pictures
prediction           what finished runs say about a digit, without TensorFlow
novelty, recognition whether something is a digit at all; the numbers in a picture
evaluation, figures  numbers that can be trusted; charts made from them
ui, cli              what Streamlit pages share; the command line
"""

__version__ = "0.4.0"
