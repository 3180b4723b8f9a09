"""Numbers that can be trusted: intervals, paired tests, confusion, calibration, mistakes."""

from mnist_dash.evaluation.accuracies import CONFIDENCE, Accuracy, Spread, accuracy, spread
from mnist_dash.evaluation.calibration import Bin, WhenSure, calibration_error, reliability, when_as_sure
from mnist_dash.evaluation.contenders import LEVEL, Contender, Verdict, check_same_data, contenders, verdicts
from mnist_dash.evaluation.importance import Effect, effects_of
from mnist_dash.evaluation.mistakes import (
    WRONG_LABELS,
    DigitScores,
    accuracy_without,
    digit_scores,
    disagreements,
    read_as,
    worst_mistakes,
)
from mnist_dash.evaluation.outcomes import Outcome, confusion_matrix, most_confused, of_run, read_outcome
from mnist_dash.evaluation.significance import (
    MeanDifference,
    Paired,
    difference_of_means,
    holm,
    mcnemar,
    paired_test,
    runs_needed,
    student_quantile,
    student_tail,
)
from mnist_dash.evaluation.traits import TRAITS, TraitPart, accuracy_by_trait, measure_trait

__all__ = [
    "CONFIDENCE",
    "LEVEL",
    "TRAITS",
    "WRONG_LABELS",
    "Accuracy",
    "Bin",
    "Contender",
    "DigitScores",
    "Effect",
    "MeanDifference",
    "Outcome",
    "Paired",
    "Spread",
    "TraitPart",
    "Verdict",
    "WhenSure",
    "accuracy",
    "accuracy_by_trait",
    "accuracy_without",
    "calibration_error",
    "check_same_data",
    "confusion_matrix",
    "contenders",
    "difference_of_means",
    "digit_scores",
    "disagreements",
    "effects_of",
    "holm",
    "mcnemar",
    "measure_trait",
    "most_confused",
    "of_run",
    "paired_test",
    "read_as",
    "read_outcome",
    "reliability",
    "runs_needed",
    "spread",
    "student_quantile",
    "student_tail",
    "verdicts",
    "when_as_sure",
    "worst_mistakes",
]
