"""Each rule of tidy passes on a good tree and fails on the same tree with one thing wrong."""

import os
import tempfile
import unittest

import tidy

GOOD_HEADER = """\
// A thing of the base layer that does nothing at all, for tests.
#ifndef KV_BASE_THING_H_
#define KV_BASE_THING_H_

namespace kv {

inline int Thing() { return 1; }

}  // namespace kv

#endif  // KV_BASE_THING_H_
"""


def header(path, body=""):
    """A good header for `path`; `body` goes after the guard."""
    guard = path.replace("/", "_").replace(".", "_").upper() + "_"
    text = GOOD_HEADER.replace("KV_BASE_THING_H_", guard)
    return text.replace("\nnamespace kv {", body + "\nnamespace kv {", 1)


def including(*paths):
    return "\n" + "".join(f'#include "{path}"\n' for path in paths)


GOOD_TREE = {
    "BUILD.bazel": 'deps = ["//kv/base", "//kv/filter"]\n',
    "kv/base/BUILD.bazel": 'hdrs = ["thing.h"]\n',
    "kv/base/thing.h": GOOD_HEADER,
    "kv/base/thing_test.cc": '#include "kv/base/thing.h"\n',
    "kv/filter/BUILD.bazel": """\
hdrs = ["concept.h", "none.h"]
headers_compile(
    hdrs = ["concept.h"],
)
""",
    "kv/filter/concept.h": header("kv/filter/concept.h"),
    "kv/filter/none.h": header(
        "kv/filter/none.h",
        including("kv/base/thing.h", "kv/filter/concept.h")
        + '\ninline constexpr char kName[] = "none";\n',
    ),
    "kv/filter/conformance_test.cc": '#include "kv/filter/none.h"\n',
}


class TidyTest(unittest.TestCase):
    def rules_broken(self, changes):
        """Names of the rules that the good tree breaks after `changes` (None removes a file)."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**GOOD_TREE, **changes}.items():
                if text is None:
                    continue
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            with open(os.path.join(root, ".clang-format"), "w", encoding="utf-8") as file:
                file.write("BasedOnStyle: Google\nColumnLimit: 100\n")
            return sorted({finding.rule for finding in tidy.check(root)[0]})

    def assert_breaks(self, rule, changes):
        self.assertEqual(self.rules_broken(changes), [rule])

    def with_line(self, line):
        return {"kv/base/thing.h": header("kv/base/thing.h", f"\n{line}\n")}

    def test_good_tree(self):
        self.assertEqual(self.rules_broken({}), [])

    def test_long_file(self):
        long = {"tools/long.py": "pass\n" * 401}
        reason = {"tools/tidy/long_files.txt": "tools/long.py 401 a table\n"}
        grown = {"tools/tidy/long_files.txt": "tools/long.py 400 a table\n"}
        bare = {"tools/tidy/long_files.txt": "tools/long.py 401\n"}
        self.assert_breaks("long-file", long)
        self.assertEqual(self.rules_broken({**long, **reason}), [])
        self.assert_breaks("long-file", {**long, **grown})
        self.assert_breaks("long-file", reason)
        self.assertIn("list", self.rules_broken({**long, **bare}))

    def test_long_line(self):
        self.assert_breaks("long-line", {"tools/a.py": "x = '" + "a" * 100 + "'\n"})

    def test_whitespace(self):
        self.assert_breaks("whitespace", {"tools/a.py": "x = 1 \n"})
        self.assert_breaks("whitespace", {"tools/a.py": "x = 1"})

    def test_unfinished(self):
        self.assert_breaks("unfinished", self.with_line("// TO" + "DO: the rest."))
        self.assertEqual(self.rules_broken(self.with_line("// mkdtemp wants XXXXXX.")), [])

    def test_machine_path(self):
        self.assert_breaks("machine-path", {"docs/a.md": "See /ho" + "me/someone/notes.\n"})
        self.assertEqual(self.rules_broken({"docs/a.md": "See https://host.org/home/a.\n"}), [])

    def test_opening_comment(self):
        text = GOOD_HEADER.split("\n", 1)[1]
        self.assert_breaks("opening-comment", {"kv/base/thing.h": text})

    def test_include_guard(self):
        text = GOOD_HEADER.replace("KV_BASE_THING_H_", "THING_H_")
        self.assert_breaks("include-guard", {"kv/base/thing.h": text})

    def test_using_namespace(self):
        self.assert_breaks("using-namespace", self.with_line("using namespace std;"))

    def test_include_cycle(self):
        """Of one header, of two, and of three."""
        one, two, three = "kv/filter/concept.h", "kv/filter/none.h", "kv/filter/third.h"
        third = {
            "kv/filter/BUILD.bazel": """\
hdrs = ["concept.h", "none.h", "third.h"]
headers_compile(
    hdrs = ["concept.h"],
)
""",
            "kv/filter/third_test.cc": f'#include "{three}"\n',
            three: header(three, including(two)),
        }
        self.assertEqual(self.rules_broken(third), [])
        self.assert_breaks("include-cycle", {one: header(one, including(one))})
        self.assert_breaks("include-cycle", {one: header(one, including(two))})
        self.assert_breaks("include-cycle", {**third, one: header(one, including(three))})

    def test_selection_macro(self):
        self.assert_breaks("selection-macro", self.with_line("#ifdef KV_FAST\n#endif"))
        self.assertEqual(self.rules_broken(self.with_line("#ifdef NDEBUG\n#endif")), [])
        for place in ("bench/bench_main.cc", "kv/testing/composition_under_test.cc"):
            self.assertEqual(self.rules_broken({place: "#ifdef KV_FAST\n#endif\n"}), [])
        self.assert_breaks("selection-macro", {"bench/a.cc": "#ifdef KV_FAST\n#endif\n"})

    def test_atomic_order(self):
        use = "inline void Set(auto& x) { x.store(1, std::memory_order_release); }"
        include = "#include <atomic>\n\n"
        far_away = "\n\n".join(f"using T{i} = int;" for i in range(4))
        self.assert_breaks("atomic-order", self.with_line(include + far_away + "\n\n" + use))
        explained = self.with_line(include + "// Pairs with the acquire in Get.\n" + use)
        self.assertEqual(self.rules_broken(explained), [])
        self.assert_breaks(
            "atomic-order", self.with_line("inline int Get(auto& x) { return x.load(); }")
        )

    def test_absl_mutex(self):
        self.assert_breaks("absl-mutex", self.with_line('#include "absl/synchronization/mutex.h"'))

    def test_layer(self):
        up = header("kv/base/thing.h", including("kv/filter/concept.h"))
        self.assert_breaks("layer", {"kv/base/thing.h": up})

    def test_policies_do_not_include_each_other(self):
        changes = {
            "BUILD.bazel": 'deps = ["//kv/base", "//kv/cache", "//kv/filter"]\n',
            "kv/cache/BUILD.bazel": 'hdrs = ["none.h"]\n',
            "kv/cache/none.h": header("kv/cache/none.h", including("kv/filter/none.h")),
            "kv/cache/none_test.cc": '#include "kv/cache/none.h"\n',
        }
        self.assert_breaks("layer", changes)

    def test_missing_include(self):
        self.assert_breaks("missing-include", self.with_line('#include "kv/base/gone.h"'))
        self.assert_breaks("missing-include", {"kv/base/other_test.cc": '#include "thing.h"\n'})
        self.assertEqual(self.rules_broken(self.with_line('#include "xxhash.h"')), [])

    def test_unlisted_header(self):
        self.assert_breaks("unlisted-header", {"kv/base/BUILD.bazel": "hdrs = []\n"})

    def test_not_exported(self):
        self.assert_breaks("not-exported", {"BUILD.bazel": 'deps = ["//kv/base"]\n'})

    def test_dead_header(self):
        changes = {"kv/base/thing_test.cc": "int main() {}\n", "kv/filter/none.h": None}
        changes["kv/filter/none.h"] = header("kv/filter/none.h")
        self.assertIn("dead-header", self.rules_broken(changes))

    def test_untested_header(self):
        changes = {"kv/base/thing_test.cc": None, "bench/a.cc": '#include "kv/base/thing.h"\n'}
        self.assert_breaks("untested-header", changes)

    def test_a_fuzz_target_is_a_test(self):
        changes = {
            "kv/base/thing_test.cc": None,
            "kv/base/thing_fuzz.cc": '#include "kv/base/thing.h"\n',
        }
        self.assertEqual(self.rules_broken(changes), [])

    def test_conformance(self):
        changes = {
            "kv/filter/conformance_test.cc": None,
            "kv/filter/other_test.cc": '#include "kv/filter/none.h"\n',
        }
        self.assert_breaks("conformance", changes)

    def test_helper_of_a_policy(self):
        """A header without a kName is no policy, and the test of what includes it will do."""
        helper = "kv/filter/helper.h"
        changes = {
            "kv/filter/BUILD.bazel": GOOD_TREE["kv/filter/BUILD.bazel"].replace(
                '"concept.h"', '"concept.h", "helper.h"'
            ),
            helper: header(helper, including("kv/filter/concept.h")),
            "kv/filter/none.h": header("kv/filter/none.h", including("kv/base/thing.h", helper)),
            "kv/filter/helper_benchmark.cc": f'#include "{helper}"\n',
            "kv/filter/conformance_test.cc": GOOD_TREE["kv/filter/conformance_test.cc"],
        }
        self.assertEqual(self.rules_broken(changes), [])

    def test_self_contained(self):
        self.assert_breaks(
            "self-contained",
            {"kv/filter/BUILD.bazel": 'hdrs = ["concept.h", "none.h"]\n'},
        )

    def test_headers_that_share_a_source(self):
        """Each includes the one before it, be it through a third."""

        def sharing(*names):
            shared = ", ".join(f'"{name}"' for name in names)
            return {
                "kv/filter/BUILD.bazel": f"""\
hdrs = ["some.h", "concept.h", "none.h"]
headers_compile(
    hdrs = [[{shared}]],
)
""",
                "kv/filter/some.h": header("kv/filter/some.h", including("kv/filter/none.h")),
                "kv/filter/other_test.cc": '#include "kv/filter/none.h"\n#include "kv/filter/some.h"\n',
            }

        self.assertEqual(self.rules_broken(sharing("concept.h", "some.h")), [])
        self.assert_breaks("self-contained", sharing("some.h", "concept.h"))
        self.assert_breaks("self-contained", sharing("concept.h"))

    def test_composition(self):
        """An entry of engines.bzl lists its header, and a main includes it through a macro."""
        path = "engines/compositions/x.h"
        entry = {"engines/engines.bzl": 'COMPOSITIONS = [struct(name = "x", type = "X")]\n'}
        main = {"bench/bench_main.cc": "#include ASHLAR_HEADER\n"}
        late = {"bench/bench_main.cc": '#include "kv/base/thing.h"\n\n#include ASHLAR_HEADER\n'}
        tree = {
            "BUILD.bazel": 'deps = ["//engines/compositions", "//kv/base", "//kv/filter"]\n',
            "engines/compositions/BUILD.bazel": "hdrs = [composition.name]\n",
            path: header(path),
        }
        self.assertEqual(self.rules_broken({**tree, **entry, **main}), [])
        self.assert_breaks("self-contained", {**tree, **entry})
        self.assert_breaks("self-contained", {**tree, **entry, **late})
        self.assertEqual(
            self.rules_broken({**tree, **main}),
            ["dead-header", "self-contained", "unlisted-header"],
        )

    def test_standard_include(self):
        """What a header names of std, but not what a comment or a string names."""
        for line in ("std::string Text();", "uint64_t Sum();", "size_t Count();"):
            self.assert_breaks("standard-include", self.with_line(line))
        for line in ("// A std::string.", 'inline constexpr char k[] = "std::string";'):
            self.assertEqual(self.rules_broken(self.with_line(line)), [])
        included = self.with_line("#include <string>\n\nstd::string Text();")
        self.assertEqual(self.rules_broken(included), [])
        # In a source the compiler finds what is missing, in an optimised build.
        text = '#include "kv/base/thing.h"\nstd::string text;\n'
        self.assertEqual(self.rules_broken({"kv/base/thing_test.cc": text}), [])

    @unittest.skipUnless(
        tidy.clang_format_major() == tidy.CLANG_FORMAT_MAJOR, "another release of clang-format"
    )
    def test_format(self):
        text = '#include "kv/base/thing.h"\nint  i;\n'
        self.assert_breaks("format", {"kv/base/thing_test.cc": text})

    def test_exceptions(self):
        broken = self.with_line("using namespace std;")
        entry = {"tools/tidy/exceptions.txt": "using-namespace kv/base/thing.h shown in a test\n"}
        self.assertEqual(self.rules_broken({**broken, **entry}), [])
        self.assert_breaks("list", entry)


if __name__ == "__main__":
    unittest.main()
