"""The document of what was planted and caught."""

from tools.mutants import planted

_HEAD = """# Planted bugs, and the tests that catch them

Written by `bazel run //tools/mutants -- --markdown=docs/mutants.md`; do not edit. Each line is one
edit of the real code (`tools/mutants/planted.py`), made in a copy; the test passes without it.

%d planted, %d caught, %d survived.
"""


def markdown(outcomes):
    caught = sum(outcome.caught for outcome in outcomes)
    text = _HEAD % (len(outcomes), caught, len(outcomes) - caught)
    for layer, title in planted.LAYERS.items():
        rows = [outcome for outcome in outcomes if outcome.mutant.layer == layer]
        if not rows:
            continue
        text += "\n## %s\n\n| bug | in | test | |\n|---|---|---|---|\n" % (
            title[0].upper() + title[1:])
        for outcome in rows:
            mutant = outcome.mutant
            test = mutant.test.rpartition(":")[2]
            if mutant.config:
                test += " --config=" + mutant.config
            text += "| %s | `%s` | `%s` | %s |\n" % (
                mutant.name, mutant.file, test, "caught" if outcome.caught else "**survived**")
    return text
