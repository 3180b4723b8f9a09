"""The networks of the tutorials: hyperparameters, Keras models, experiments, code as script and notebook.

A network is described as data (`Layer`s and an `Optimizer`), so that the Keras model, the
stand-alone script and the summary on a page can never say different things.
"""
