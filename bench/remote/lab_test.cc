#include "bench/remote/lab.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "bench/remote/suite.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

const BuildInfo kBuild{.compiler = "a compiler", .flags = "a test", .optimized = true};

// What Run prints.
std::string RunLab(Lab* lab, const std::vector<Row>& rows, absl::Status* status) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* const out = open_memstream(&text, &size);
  *status = lab->Run(rows, out);
  std::fclose(out);
  std::string printed(text, size);
  std::free(text);
  return printed;
}

size_t Count(const std::string& text, const std::string& words) {
  size_t count = 0;
  for (size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
  return count;
}

TEST(Lab, RowsOfOneLoadShareItsData) {
  Flags flags = ParseFlags({"--load=getset", "--keys=100", "--requests=500", "--connections=1,2",
                            "--repetitions=2"})
                    .flags;
  const std::atomic<bool> stop = false;
  auto lab = Lab::Open(flags, kBuild, &stop);
  ASSERT_TRUE(lab.ok()) << lab.status();
  absl::Status status;
  const std::string text = RunLab(lab->get(), RowsFor(flags), &status);
  EXPECT_TRUE(status.ok()) << status;
  // Each reason why a row may not be believed names its limit. That this build keeps the generator
  // busy for so few requests is the only one that may be there.
  const size_t reasons = Count(text, ", limit");
  EXPECT_EQ(reasons, Count(text, "the generator was CPU-bound")) << text;
  EXPECT_EQ((*lab)->invalid() > 0, reasons > 0) << text;
  EXPECT_NE(text.find("% of 2\n"), std::string::npos) << text;
  const size_t note = text.find("memory per key of getset");
  EXPECT_NE(note, std::string::npos) << text;
  EXPECT_EQ(text.find("memory per key", note + 1), std::string::npos) << text;
}

TEST(Lab, AStopBeforeTheFirstRowRunsNone) {
  Flags flags = ParseFlags({"--load=getset", "--keys=100"}).flags;
  const std::atomic<bool> stop = true;
  auto lab = Lab::Open(flags, kBuild, &stop);
  ASSERT_TRUE(lab.ok()) << lab.status();
  absl::Status status;
  const std::string text = RunLab(lab->get(), RowsFor(flags), &status);
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(text.find("\ngetset "), std::string::npos) << text;
}

TEST(Lab, ABuildWithAssertsSaysSo) {
  Flags flags = ParseFlags({"--load=redis_ping_mbulk", "--requests=10"}).flags;
  const std::atomic<bool> stop = false;
  auto lab = Lab::Open(flags, {.optimized = true, .asserts = true}, &stop);
  ASSERT_TRUE(lab.ok()) << lab.status();
  absl::Status status;
  EXPECT_NE(RunLab(lab->get(), RowsFor(flags), &status).find("asserts on"), std::string::npos);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace bench::remote
