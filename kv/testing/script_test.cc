// The scripts on the references, which are the source of their answers: with KV_REWRITE_GOLDEN=1 in
// the environment the files are rewritten with what the references say.
#include "kv/testing/script.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_engine.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {
namespace {

TEST(ScriptTest, TheReferencesGiveTheAnswers) {
  const Composition engine = CompositionOf<ReferenceEngine>("engine");
  const Composition store = CompositionOf<ReferenceStore<>>("store");
  ASSERT_GE(Scripts().size(), 12u);
  for (const Script& script : Scripts()) {
    if (std::getenv("KV_REWRITE_GOLDEN") != nullptr) {
      Stage stage(store);
      std::ofstream("kv/testing/testdata/" + script.name + ".txt")
          << WithAnswers(script, AnswersTo(script, stage));
      continue;
    }
    for (const Composition* composition : {&engine, &store}) {
      if (script.needs.durable && !composition->has.durable) continue;
      Stage stage(*composition);
      RunScript(script, stage);
      for (const std::string& failure : stage.failures()) ADD_FAILURE() << failure;
    }
  }
}

TEST(ScriptTest, AnotherAnswerIsAFailureThatSaysWhere) {
  const auto script = ParseScript("wrong", "put a 1\n  OK\n\nget a\n  2\n");
  ASSERT_TRUE(script.ok()) << script.status();
  const Composition composition = CompositionOf<ReferenceEngine>("engine");
  Stage run(composition);
  RunScript(*script, run);
  ASSERT_EQ(run.failures().size(), 1u);
  EXPECT_NE(run.failures()[0].find("wrong.txt:4:\n  expected\n    2\n  got\n    1"),
            std::string::npos)
      << run.failures()[0];
}

TEST(ScriptTest, RewritingKeepsAllButTheAnswers) {
  constexpr std::string_view kText =
      "# A comment.\nneeds ordered\n\nbatch\nput a 1\nend\n  OK\nscan\n";
  const auto script = ParseScript("text", kText);
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_TRUE(script->needs.ordered && !script->needs.durable);
  EXPECT_EQ(WithAnswers(*script, {{"OK"}, {"a = 1", "b = 2"}}),
            std::string(kText) + "  a = 1\n  b = 2\n");
}

TEST(ScriptTest, WordsAreAnyBytes) {
  const auto script = ParseScript("words", R"(put "a b\x00\"\\" "xy"*3 "")");
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_EQ(script->commands[0].words,
            (std::vector<std::string>{"put", std::string("a b\0\"\\", 6), "xyxyxy", ""}));
}

TEST(ScriptTest, ALineOfSpacesIsBlank) {
  const auto script = ParseScript("blank", " \nbatch\n   \nend\n");
  ASSERT_TRUE(script.ok()) << script.status();
  ASSERT_EQ(script->commands.size(), 1u);
  EXPECT_TRUE(script->commands[0].body.empty());
}

TEST(ScriptTest, WhatIsNoScriptIsRefused) {
  for (const char* text :
       {"  OK\n", "put \"a\n", "needs wings\n", "batch\nput a 1\n", "put \"ab\"*1000000000 a\n"}) {
    EXPECT_FALSE(ParseScript("wrong", text).ok()) << text;
  }
}

}  // namespace
}  // namespace kv::testing
