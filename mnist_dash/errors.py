"""Every error that MNIST Dash raises on purpose, as a tree.

Each message is written for the reader at the screen: what happened, with the values
seen; what was expected; what to do next. Programmers' mistakes are `ValueError`s.
"""


class MnistDashError(Exception):
    """Base of all errors whose message may be shown to the user as it is."""


class SettingsError(MnistDashError):
    """An environment variable or secret has a value that cannot be used."""


class DataError(MnistDashError):
    """A data file is missing, damaged or not MNIST."""


class DownloadError(DataError):
    """The full MNIST could not be fetched."""


class PictureError(MnistDashError):
    """An image cannot be read, or contains no digit."""


class VariantError(MnistDashError):
    """A variant is unknown, or one of its settings is out of range."""


class StoreError(MnistDashError):
    """The database cannot be opened or written."""


class RunNotFoundError(StoreError):
    """No run has this number or name."""


class RunStateError(StoreError):
    """A run cannot do this in the state that it is in."""


class NotAllowedError(RunStateError):
    """A visitor of a shared dashboard wants to change what is somebody else's."""


class KeptDigitsError(StoreError):
    """A visitor wants to keep more digits than allowed."""


class TrainingError(MnistDashError):
    """Training cannot start or go on."""


class ComparisonError(MnistDashError):
    """Results cannot be compared, because they were measured on different data."""


class QueueError(MnistDashError):
    """The workers cannot be started or reached."""
