#include "bench/remote/load/key_file.h"

#include <cstdio>
#include <fstream>
#include <string>

#include "bench/remote/load/text_file.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

std::string ErrorOf(std::string content) {
  const auto file = KeyFile::Parse(std::move(content), "keys.txt");
  return file.ok() ? "" : std::string(file.status().message());
}

TEST(KeyFiles, HaveAKeyALine) {
  const auto file = KeyFile::Parse("b\n\nlonger key\r\na", "f");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ((*file)->size(), 3u);
  EXPECT_EQ((*file)->key(0), "b");
  EXPECT_EQ((*file)->key(1), "longer key");
  EXPECT_EQ((*file)->key(2), "a");
  EXPECT_FALSE((*file)->has_values());
  EXPECT_EQ((*file)->largest_key(), 10u);
}

TEST(KeyFiles, MayHaveValuesBehindATab) {
  const auto file = KeyFile::Parse("k\tv\tw\r\nempty\t\n", "f");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->has_values());
  EXPECT_EQ((*file)->value(0), "v\tw");
  EXPECT_EQ((*file)->value(1), "");
}

TEST(KeyFiles, WhatCannotBeAnsweredIsRefused) {
  EXPECT_EQ(ErrorOf(""), "keys.txt: no keys");
  EXPECT_EQ(ErrorOf("\n\r\n"), "keys.txt: no keys");
  EXPECT_EQ(ErrorOf("a\nb\na\n"), "keys.txt:3: the key of line 1 once more");
  EXPECT_EQ(ErrorOf("a\tv\nb\n"), "keys.txt:2: no value, unlike the lines before");
  EXPECT_EQ(ErrorOf("a\nb\tv\n"), "keys.txt:2: a value, unlike the lines before");
  EXPECT_EQ(ErrorOf("a\tv\n\tv\n"), "keys.txt:2: no key");
}

TEST(KeyFiles, AreReadWhole) {
  const std::string path = ::testing::TempDir() + "/keys.txt";
  std::ofstream(path, std::ios::binary) << "a\nb\n";
  const auto file = KeyFile::Read(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->size(), 2u);
  std::remove(path.c_str());
  EXPECT_TRUE(absl::IsNotFound(KeyFile::Read(path).status()));
}

TEST(TextFiles, NoFileAndADirectoryAreErrorsWithThePath) {
  EXPECT_TRUE(absl::IsNotFound(ReadTextFile("/nonexistent/file").status()));
  const auto directory = ReadTextFile("/tmp");
  ASSERT_FALSE(directory.ok());
  EXPECT_NE(directory.status().ToString().find("/tmp"), std::string::npos);
}

}  // namespace
}  // namespace bench::remote
