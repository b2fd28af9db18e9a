// Damaged files: a flipped bit or a lost tail is an error or harmless, never a wrong value.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/random.h"

namespace kv::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kKeys = 120;

std::string KeyOf(int i) { return fmt::format("key{:03}", i); }
// Some are larger than a page, and than what is kept apart from its key.
std::string ValueOf(int i) {
  return fmt::format("value of {} {}", i, std::string(i % 20 == 2 ? 5000 : 50, 'v'));
}

// A store of keys written in order, one at a time, some of them in tables and the last ones in
// the log where there is one.
bool MakeStore(Stage& stage, const std::string& directory) {
  const auto engine = stage.Open(Stage::SmallOptions(directory));
  if (engine == nullptr) return false;
  for (int i = 0; i < kKeys; ++i) {
    stage.ExpectOk(engine->Put(KeyOf(i), ValueOf(i)), "Put");
    if (i == 40) stage.ExpectOk(engine->Compact(), "Compact");
    if (i == 80) stage.ExpectOk(engine->Flush(), "Flush");
  }
  return stage.ExpectOk(engine->Close(), "Close");
}

std::vector<fs::path> FilesIn(const std::string& directory) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path());
  }
  return files;
}

// Opens the damaged store and reads all of it. Any call may fail; none may answer wrongly. A key
// may be absent only if every later one is: the end of a log cannot always be told from a torn
// tail, a hole can. Returns how many calls failed.
int ExpectNothingWrong(Stage& stage, const std::string& directory, std::string_view damage) {
  const auto engine = stage.composition().open(Stage::SmallOptions(directory));
  if (!engine.ok()) {
    stage.Expect(!engine.status().message().empty(), "a damaged store is refused without a word");
    return 1;
  }
  int refused = 0;
  int first_absent = kKeys;
  for (int i = 0; i < kKeys; ++i) {
    const auto found = Lookup(**engine, KeyOf(i));
    if (!found.ok()) {
      ++refused;
    } else if (found->has_value()) {
      stage.Expect(**found == ValueOf(i),
                   fmt::format("{}: Get {} is {}", damage, KeyOf(i), ShowFound(*found)));
      stage.Expect(i < first_absent, fmt::format("{}: {} is gone, {} is there", damage,
                                                 KeyOf(first_absent), KeyOf(i)));
    } else {
      first_absent = std::min(first_absent, i);
    }
  }
  if (!stage.has().ordered) return refused;
  const auto cursor = (*engine)->NewCursor();
  int expected = 0;
  for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next(), ++expected) {
    const bool right = expected < kKeys && cursor->key() == KeyOf(expected) &&
                       cursor->value() == ValueOf(expected);
    stage.Expect(right, fmt::format("{}: a scan shows {} = {}", damage, Show(cursor->key()),
                                    Show(cursor->value())));
    if (!right) break;
  }
  return refused + (cursor->status().ok() ? 0 : 1);
}

// Copies the store, damages the copy with `damage(file path)` and reads it.
template <typename Damage>
void TryDamage(Stage& stage, const std::string& intact, const fs::path& file,
               std::string_view description, Damage damage) {
  const std::string copy = stage.NewDirectory();
  fs::copy(intact, copy, fs::copy_options::recursive);
  damage(fs::path(copy) / fs::relative(file, intact));
  ExpectNothingWrong(stage, copy, description);
  fs::remove_all(copy);
}

void FlippedBitsAreNeverWrongValues(Stage& stage) {
  const std::string intact = stage.NewDirectory();
  if (!MakeStore(stage, intact)) return;
  Random random(31);
  const std::vector<fs::path> files = FilesIn(intact);
  const size_t flips = 100 / std::max<size_t>(files.size(), 1) + 5;  // of each
  for (const fs::path& file : files) {
    for (size_t flip = 0; flip < flips && !stage.failed(); ++flip) {
      // The ends, where headers and footers are, more often than the middle.
      const uint64_t size = fs::file_size(file);
      const uint64_t nearby = std::min<uint64_t>(size, 64);
      const uint64_t offset = random.OneIn(3)   ? random.Below(nearby)
                              : random.OneIn(2) ? size - 1 - random.Below(nearby)
                                                : random.Below(size);
      const auto bit = static_cast<unsigned char>(1u << random.Below(8));
      TryDamage(stage, intact, file,
                fmt::format("bit {:#04x} at {} of {}", bit, offset, file.filename().string()),
                [&](const fs::path& damaged) {
                  std::fstream stream(damaged, std::ios::in | std::ios::out | std::ios::binary);
                  stream.seekg(static_cast<std::streamoff>(offset));
                  const auto byte = static_cast<unsigned char>(stream.get());
                  stream.seekp(static_cast<std::streamoff>(offset));
                  stream.put(static_cast<char>(byte ^ bit));
                });
    }
  }
}

void LostTailsAreNeverWrongValues(Stage& stage) {
  const std::string intact = stage.NewDirectory();
  if (!MakeStore(stage, intact)) return;
  Random random(32);
  for (const fs::path& file : FilesIn(intact)) {
    for (int cut = 0; cut < 8 && !stage.failed(); ++cut) {
      const uint64_t kept = cut == 0 ? 0 : random.Below(fs::file_size(file));
      TryDamage(stage, intact, file,
                fmt::format("{} cut to {} bytes", file.filename().string(), kept),
                [&](const fs::path& damaged) { fs::resize_file(damaged, kept); });
    }
  }
}

void LostFilesAreNeverWrongValues(Stage& stage) {
  const std::string intact = stage.NewDirectory();
  if (!MakeStore(stage, intact)) return;
  for (const fs::path& file : FilesIn(intact)) {
    if (stage.failed()) return;
    TryDamage(stage, intact, file, fmt::format("{} removed", file.filename().string()),
              [](const fs::path& damaged) { fs::remove(damaged); });
  }
}

// Verify finds what is damaged in a store that still opens, or Open refuses it, and no read shows
// it: of each file that has a value as it was put, damaged there.
void VerifyFindsDamage(Stage& stage) {
  const std::string intact = stage.NewDirectory();
  if (!MakeStore(stage, intact)) return;
  for (const fs::path& file : FilesIn(intact)) {
    std::string bytes(fs::file_size(file), '\0');
    std::ifstream(file, std::ios::binary)
        .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const size_t at = bytes.find("value of 2");
    // Compressed or cut up otherwise: nothing is known about what any one byte means.
    if (at == std::string::npos) continue;
    const std::string copy = stage.NewDirectory();
    fs::copy(intact, copy, fs::copy_options::recursive);
    {
      std::fstream stream(fs::path(copy) / fs::relative(file, intact),
                          std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put('V');
    }
    auto engine = stage.composition().open(Stage::SmallOptions(copy));
    if (!engine.ok()) continue;
    const absl::Status status = (*engine)->Verify();
    engine->reset();
    const std::string name = file.filename().string();
    const int refused = ExpectNothingWrong(stage, copy, name + " has a damaged value");
    // What a log that is used again holds of earlier times is nobody's: all reads are right
    // without.
    if (status.ok() && refused == 0) continue;
    stage.ExpectCode(status, absl::StatusCode::kDataLoss, "Verify of a damaged store");
    stage.Expect(status.ToString().find(name) != std::string::npos,
                 fmt::format("Verify does not name {}: {}", name, status.ToString()));
  }
}

constexpr Needs kFiles = {.durable = true, .real_files = true};
constexpr Check kChecks[] = {
    {"FlippedBitsAreNeverWrongValues", kFiles, FlippedBitsAreNeverWrongValues},
    {"LostTailsAreNeverWrongValues", kFiles, LostTailsAreNeverWrongValues},
    {"LostFilesAreNeverWrongValues", kFiles, LostFilesAreNeverWrongValues},
    {"VerifyFindsDamage", kFiles, VerifyFindsDamage},
};

}  // namespace

std::span<const Check> CorruptionChecks() { return kChecks; }

}  // namespace kv::testing
