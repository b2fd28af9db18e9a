"""The order in which systems run: randomised blocks that a drift of the machine cannot favour.

A block runs every system once in a random order and then once more in the reverse order (A B B A
for two systems). So within a block every system has the same mean position, and what changes
slowly (temperature, a neighbour, the disk filling up) falls on all of them alike.
"""

import random


class Run:
    """One run to be made: which block, which of its two passes, which system."""

    def __init__(self, block, half, system):
        self.block = block
        self.half = half  # 0: the random order; 1: its reverse
        self.system = system

    @property
    def key(self):
        return "%d/%d/%s" % (self.block, self.half, self.system)

    def __repr__(self):
        return "Run(%s)" % self.key


def blocks_of(repetitions):
    """How many blocks hold so many runs of each system."""
    return (repetitions + 1) // 2


def schedule(systems, repetitions, seed):
    """All runs, in order: each system `repetitions` times.

    An odd number leaves the last block with its first pass only. Equal arguments give an equal
    schedule, which is what lets an interrupted one go on.
    """
    generator = random.Random("schedule %s" % seed)
    runs = []
    for block in range(blocks_of(repetitions)):
        order = list(systems)
        generator.shuffle(order)
        runs += [Run(block, 0, system) for system in order]
        if 2 * block + 2 <= repetitions:
            runs += [Run(block, 1, system) for system in reversed(order)]
    return runs
