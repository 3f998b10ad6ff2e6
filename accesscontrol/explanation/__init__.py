"""Why: a decision, by what it came about, and the smallest change that would allow what is refused."""

from accesscontrol.explanation.changes import explain
from accesscontrol.explanation.question import Change, Explanation, Question

__all__ = ["Change", "Explanation", "Question", "explain"]
