import argparse
import unittest

from bench.compare import systems
from bench.policies import cases, figures, policies


class CasesTest(unittest.TestCase):

    def setUp(self):
        self.known = systems.Known.load()
        self.slots = {slot.name: slot for slot in cases.SLOTS}

    def policies_of(self, slot):
        if slot.engine is None:
            return cases.ENGINES
        return self.known.policies(slot.engine, slot.name)

    def test_every_policy_of_every_slot_has_a_case(self):
        for slot in cases.SLOTS:
            claimed = {case.policy for case in cases.CASES if case.slot == slot.name}
            self.assertEqual(claimed, set(self.policies_of(slot)), slot.name)

    def test_every_slot_of_the_matrix_is_here(self):
        combined = {name for names in self.known.slots.values() for name in names}
        self.assertLessEqual(combined, set(self.slots))

    def test_every_engine_is_here(self):
        engines = {self.known.engines[name] for name in cases.ENGINES}
        self.assertEqual(engines, set(self.known.engines.values()))

    def test_every_system_exists(self):
        for case in cases.CASES:
            chosen = policies.systems_of(case, self.slots[case.slot], self.known)
            self.assertIn(case.policy, chosen)
            self.assertEqual(len(set(chosen.values())), len(chosen), case.title)
            for name in chosen.values():
                self.known.target(name)  # raises otherwise

    def test_cases_name_what_there_is(self):
        for case in cases.CASES:
            self.assertIn(case.figure, figures.FIGURES, case.title)
            if case.limit:
                self.assertIn(case.limit[0], figures.FIGURES, case.title)
            self.assertNotIn(case.policy, case.without, case.title)
            self.assertLessEqual(set(case.without), set(self.policies_of(self.slots[case.slot])))
            self.assertNotIn("|", case.title)
        titles = [(case.slot, case.policy, case.title) for case in cases.CASES]
        self.assertEqual(len(set(titles)), len(titles))

    def test_equal_loads_share_their_runs(self):
        args = argparse.Namespace(smoke=False, dir=None)
        plan = policies.Plan([self.slots["Compaction"]], self.known, args)
        of = {case.policy: plan.experiment(case) for case in plan.cases}
        self.assertIs(of["tiered"], of["lazy_leveled"])
        self.assertIsNot(of["tiered"], of["leveled"])
        self.assertEqual(len(of["tiered"].names), len(plan.names()))

    def test_toy_sizes_are_toy_sizes(self):
        args = argparse.Namespace(smoke=True, dir=None)
        for one in policies.Plan(cases.SLOTS, self.known, args).experiments.values():
            flags = one.request.flags(1)
            self.assertIn("--num=2k", flags)
            self.assertFalse([f for f in flags if f.startswith(("--reads", "--duration="))
                              and f != "--duration=20ms"], flags)

    def test_policies_beside_are_slots_of_the_engine(self):
        for case in cases.CASES:
            slot = self.slots[case.slot]
            for name, policy in case.beside.items():
                self.assertIn(policy, self.known.policies(slot.engine, name), case.title)


class FiguresTest(unittest.TestCase):

    def test_less_is_more_merit_where_less_is_better(self):
        figure = figures.FIGURES["p99"]
        self.assertEqual(figure.value({"p99_ns": 2000.0}), 2.0)
        self.assertGreater(figure.merit({"p99_ns": 1000.0}), figure.merit({"p99_ns": 2000.0}))
        self.assertEqual(figure.text(figure.merit({"p99_ns": 2000.0})), "2 us")
        self.assertIsNone(figure.merit({}))
        self.assertIsNone(figure.merit({"p99_ns": 0.0}))

    def test_hit_ratio(self):
        figure = figures.FIGURES["hit ratio"]
        merit = figure.merit({"engine_cache_hits": 3, "engine_cache_misses": 1})
        self.assertEqual((merit, figure.text(merit)), (0.75, "75.0 %"))
        self.assertEqual(figure.merit({"engine_cache_misses": 5}), 0)
        self.assertIsNone(figure.merit({}))


if __name__ == "__main__":
    unittest.main()
