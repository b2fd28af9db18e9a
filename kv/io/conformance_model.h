// A file system beside a map of strings: what conformance.h does with random histories.
#ifndef KV_IO_CONFORMANCE_MODEL_H_
#define KV_IO_CONFORMANCE_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/io/file_system.h"
#include "kv/io/simulated_crash.h"
#include "kv/io/whole_file.h"

namespace kv {

// Writes, extends, cuts, renames and removes a few files of the empty directory `root`, and looks
// at all of them after each step. Failures are gtest's.
template <FileSystem S>
void CheckRandomFileHistory(S& fs, const std::string& root) {
  std::map<std::string, std::string> model;
  simulated::Random random(20260101);
  const auto draw_name = [&] { return fmt::format("f{}", random.Below(4)); };
  const auto path = [&](const std::string& name) { return fmt::format("{}/{}", root, name); };
  for (int step = 0; step < 600; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    const std::string name = draw_name();
    const std::string bytes(random.Below(1'500), static_cast<char>('a' + random.Below(26)));
    switch (random.Below(6)) {
      case 0:
        ASSERT_TRUE(WriteWholeFile(fs, path(name), bytes).ok());
        model[name] = bytes;
        break;
      case 1:
      case 2: {
        auto file = fs.OpenForOverwrite(path(name));
        ASSERT_EQ(file.ok(), model.contains(name)) << file.status();
        if (!file.ok()) break;
        std::string& expected = model[name];
        const uint64_t offset = random.Coin() ? expected.size() : random.Below(4'000);
        ASSERT_TRUE(file->WriteAt(offset, bytes).ok());
        if (!bytes.empty()) {
          expected.resize(std::max<size_t>(expected.size(), offset + bytes.size()));
          expected.replace(offset, bytes.size(), bytes);
        }
        ASSERT_EQ(file->Size(), expected.size());
        break;
      }
      case 3: {
        const std::string to = draw_name();
        ASSERT_EQ(fs.Rename(path(name), path(to)).ok(), model.contains(name));
        if (to == name || !model.contains(name)) break;
        model[to] = model[name];
        model.erase(name);
        break;
      }
      case 4: {
        auto file = fs.OpenForOverwrite(path(name));
        if (!file.ok()) break;
        std::string& expected = model[name];
        const uint64_t size = random.Below(4'000);
        ASSERT_TRUE((size < expected.size() ? file->Truncate(size) : file->Extend(size)).ok());
        expected.resize(size);
        ASSERT_EQ(file->Size(), size);
        break;
      }
      default:
        ASSERT_EQ(fs.Remove(path(name)).ok(), model.erase(name) == 1);
    }
    const absl::StatusOr<std::vector<std::string>> names = fs.List(root);
    ASSERT_TRUE(names.ok()) << names.status();
    ASSERT_EQ(names->size(), model.size());
    for (const auto& [expected_name, expected] : model) {
      const absl::StatusOr<std::string> found = ReadWholeFile(fs, path(expected_name));
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_TRUE(*found == expected) << expected_name << " has other bytes";
    }
  }
}

}  // namespace kv

#endif  // KV_IO_CONFORMANCE_MODEL_H_
