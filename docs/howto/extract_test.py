"""extract.py, and that no block of a tutorial is left out of its test."""

import glob
import os
import re
import unittest

import extract

_HERE = os.path.dirname(os.path.abspath(__file__))

_TEXT = """
```cpp a.h
one
```

words

```cpp b.h
other
```

```cpp a.h
two
```

```python
not a file
```
"""


class ExtractTest(unittest.TestCase):
    def test_pieces_are_joined_in_order(self):
        self.assertEqual(extract.extract(_TEXT, "a.h"), "one\ntwo\n")
        self.assertEqual(extract.extract(_TEXT, "b.h"), "other\n")

    def test_a_missing_file_is_an_error_that_names_the_others(self):
        with self.assertRaisesRegex(SystemExit, "no block is c.h; there are a.h, b.h"):
            extract.extract(_TEXT, "c.h")

    def test_every_block_of_code_is_a_file_that_is_compiled(self):
        with open(os.path.join(_HERE, "BUILD.bazel"), encoding="utf-8") as file:
            build = file.read()
        documents = glob.glob(os.path.join(_HERE, "add-*.md"))
        self.assertGreater(len(documents), 3)
        for document in documents:
            with open(document, encoding="utf-8") as file:
                text = file.read()
            self.assertIsNone(re.search(r"^```cpp$", text, re.MULTILINE), document)
            for path, _ in extract.blocks(text):
                self.assertIn('"%s"' % path, build)


if __name__ == "__main__":
    unittest.main()
