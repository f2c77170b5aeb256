"""Attacks on user-supplied scores: arrays checked, every attack that they permit, one result."""

from quantleak.scores.attack import ScoresSettings as ScoresSettings
from quantleak.scores.attack import attack_scores as attack_scores
from quantleak.scores.result import ScoresResult as ScoresResult
from quantleak.scores.scores import Scores as Scores
from quantleak.scores.scores import read_scores as read_scores
from quantleak.scores.scores import scores_of as scores_of
