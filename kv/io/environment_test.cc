#include "kv/io/environment.h"

#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "kv/io/file_system.h"

namespace kv {
namespace {

static_assert(FileSystem<SystemEnvironment::FileSystem>);
static_assert(Clock<SystemEnvironment::Clock>);

// Engines keep copies of the environment that they were opened on.
TEST(SystemEnvironment, CopiesSeeTheSameFiles) {
  SystemEnvironment environment;
  SystemEnvironment copy = environment;
  const std::string path = testing::TempDir() + "environment_test_" + std::to_string(getpid());
  ASSERT_TRUE(environment.file_system.Create(path).ok());
  EXPECT_TRUE(copy.file_system.Exists(path));
  EXPECT_TRUE(copy.file_system.Remove(path).ok());
  EXPECT_FALSE(environment.file_system.Exists(path));
}

}  // namespace
}  // namespace kv
