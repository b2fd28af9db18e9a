"""From the runs of a case to its outcome: is the policy the best choice at this load?

    best           better than each other choice, credibly (bench/compare/verdict.py)
    level          none is credibly better, and with one at least there is no difference
    not the best   another choice is credibly better, or the policy exceeds the case's own limit
    only           no other policy is a choice here
    inconclusive   none of these; more runs would tell

Who cannot run the load, exceeds the case's limit or is left out by the case is no choice there; the
table says why. The p values are corrected (Holm) for all comparisons that are judged together.
"""

import copy
import statistics

from bench.compare import rows, verdict
from bench.policies import figures

BEST, LEVEL, NOT_BEST, ONLY = "best", "level", "not the best", "only"
INCONCLUSIVE = verdict.INCONCLUSIVE


class Outcome:
    def __init__(self, case):
        self.case = case
        self.own = None  # the policy's Row
        self.pairs = {}  # {sibling: (the policy's Row against it, the sibling's Row)}
        self.no_choice = {}  # {sibling: why}
        self.verdict = INCONCLUSIVE
        self.reason = ""

    @property
    def best_sibling(self):
        """The other choice with the best median; None when there is none."""
        return max(self.pairs, key=lambda name: self.pairs[name][1].median, default=None)

    @property
    def against_best(self):
        """The policy's Row, judged against best_sibling; None when there is none."""
        name = self.best_sibling
        return None if name is None else self.pairs[name][0]


def _over(limit, runs, system, case):
    """The median by which a system exceeds the case's limit, as text; "" when it does not."""
    if limit is None:
        return ""
    figure, bound = figures.FIGURES[limit[0]], limit[1]
    found = rows.row_of(runs, case.workloads[-1], case.threads, system, _blocks(runs), figure.value)
    if not found.runs or statistics.median(found.runs) <= bound:
        return ""
    return "%s %.3g, above %g" % (limit[0], statistics.median(found.runs), bound)


def _blocks(runs):
    return 1 + max((run["block"] for run in runs), default=0)


def outcome_of(case, systems, runs):
    """The outcome of a case before it is judged. `systems` is {policy: name of its system}."""
    outcome = Outcome(case)
    merit = figures.FIGURES[case.figure].merit
    by_policy = {}
    for policy, system in systems.items():
        row = rows.row_of(runs, case.workloads[-1], case.threads, system, _blocks(runs), merit)
        if row.runs:
            row.summarise()
        by_policy[policy] = row
    outcome.own = by_policy[case.policy]
    own_excess = _over(case.limit, runs, systems[case.policy], case)
    if own_excess:
        outcome.verdict, outcome.reason = NOT_BEST, own_excess
    elif not outcome.own.runs:
        outcome.reason = outcome.own.reason or "no " + case.figure
    for policy, row in by_policy.items():
        if policy == case.policy:
            continue
        why = case.without.get(policy) or _over(case.limit, runs, systems[policy], case)
        if not row.runs:
            why = why or row.reason or "no " + case.figure
        if why:
            outcome.no_choice[policy] = why
        elif outcome.own.runs:
            outcome.pairs[policy] = (copy.copy(outcome.own), row)
    return outcome


def judge(outcomes, seed):
    """Sets the verdicts of outcomes that are judged together."""
    pairs = [pair for outcome in outcomes for pair in outcome.pairs.values()]
    verdict.judge_pairs(pairs, seed)
    for outcome in outcomes:
        if outcome.reason or not outcome.own.runs:
            continue
        found = {pair[0].verdict for pair in outcome.pairs.values()}
        if not found:
            outcome.verdict = ONLY
        elif verdict.SLOWER in found:
            outcome.verdict = NOT_BEST
            outcome.reason = ", ".join(name for name, pair in outcome.pairs.items()
                                       if pair[0].verdict == verdict.SLOWER) + " better"
        elif found == {verdict.FASTER}:
            outcome.verdict = BEST
        elif verdict.INCONCLUSIVE not in found:
            outcome.verdict = LEVEL
        else:
            outcome.reason = "about %d more runs" % max(
                pair[0].more for pair in outcome.pairs.values())
