#include "kv/testing/stage.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "fmt/format.h"

namespace kv::testing {
namespace {

// A check that fails in a loop says enough with its first failures.
constexpr size_t kMaxFailures = 12;
constexpr size_t kMaxShownBytes = 48;

}  // namespace

std::string Show(std::string_view bytes) {
  std::string shown = "\"";
  for (const char c : bytes.substr(0, kMaxShownBytes)) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
      shown.push_back(c);
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  shown += '"';
  if (bytes.size() > kMaxShownBytes) shown += fmt::format("... ({} bytes)", bytes.size());
  return shown;
}

std::string ShowFound(const std::optional<std::string>& value) {
  return value ? Show(std::string_view(*value)) : "absent";
}

TemporaryDirectory::TemporaryDirectory(Medium medium) {
  constexpr const char* kMemoryBase = "/dev/shm";
  const char* base = ::getenv("TEST_TMPDIR");
  if (medium == Medium::kMemory && ::access(kMemoryBase, W_OK | X_OK) == 0) base = kMemoryBase;
  path_ = fmt::format("{}/ashlar_XXXXXX", base != nullptr ? base : "/tmp");
  if (::mkdtemp(path_.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

absl::StatusOr<std::optional<std::string>> Lookup(AnyEngine& engine, std::string_view key) {
  std::string value;
  const absl::Status status = engine.Get(key, &value);
  if (status.ok()) return std::optional(std::move(value));
  if (absl::IsNotFound(status)) return std::optional<std::string>();
  return status;
}

absl::StatusOr<Contents> Scan(AnyCursor& cursor) {
  Contents contents;
  std::optional<std::string> last;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (last && cursor.key() <= *last) {
      return absl::InternalError(
          fmt::format("a cursor went from {} on to {}", Show(*last), Show(cursor.key())));
    }
    last = std::string(cursor.key());
    contents.emplace(cursor.key(), cursor.value());
  }
  KV_RETURN_IF_ERROR(cursor.status());
  return contents;
}

std::string Stage::NewDirectory() {
  return fmt::format("{}/store{}", root_.path(), directories_++);
}

Options Stage::SmallOptions(std::string directory) {
  Options options;
  options.directory = std::move(directory);
  options.memtable_bytes = 16 << 10;
  options.cache_bytes = 64 << 10;
  return options;
}

std::unique_ptr<AnyEngine> Stage::Open(const Options& options, Location where) {
  absl::StatusOr<std::unique_ptr<AnyEngine>> engine = composition_.open(options);
  if (!ExpectOk(engine.status(), "Open", where)) return nullptr;
  return *std::move(engine);
}

bool Stage::Reopen(std::unique_ptr<AnyEngine>* engine, const Options& options, Location where) {
  const bool closed = ExpectOk((*engine)->Close(), "Close", where);
  // The old one goes first: its lock file must not refuse the new one.
  engine->reset();
  *engine = Open(options, where);
  return closed && *engine != nullptr;
}

bool Stage::Expect(bool holds, std::string_view what, Location where) {
  if (!holds) Fail(what, where);
  return holds;
}

bool Stage::ExpectOk(const absl::Status& status, std::string_view what, Location where) {
  if (status.ok()) return true;
  Fail(fmt::format("{}: {}", what, status.ToString()), where);
  return false;
}

bool Stage::ExpectCode(const absl::Status& status, absl::StatusCode code, std::string_view what,
                       Location where) {
  if (status.code() == code) return true;
  Fail(fmt::format("{}: expected {}, got {}", what, absl::StatusCodeToString(code),
                   status.ToString()),
       where);
  return false;
}

bool Stage::ExpectGet(AnyEngine& engine, std::string_view key,
                      std::optional<std::string_view> expected, Location where) {
  const absl::StatusOr<std::optional<std::string>> found = Lookup(engine, key);
  if (!found.ok()) return ExpectOk(found.status(), fmt::format("Get {}", Show(key)), where);
  const bool same =
      found->has_value() == expected.has_value() && (!expected || **found == *expected);
  if (same) return true;
  Fail(fmt::format("Get {}: expected {}, got {}", Show(key), expected ? Show(*expected) : "absent",
                   ShowFound(*found)),
       where);
  return false;
}

bool Stage::ExpectCount(AnyEngine& engine, std::string_view prefix, uint64_t expected,
                        Location where) {
  const absl::StatusOr<uint64_t> count = engine.Count(prefix);
  if (!ExpectOk(count.status(), "Count", where)) return false;
  if (*count == expected) return true;
  Fail(fmt::format("Count {}: expected {}, got {}", Show(prefix), expected, *count), where);
  return false;
}

bool Stage::ExpectContents(AnyEngine& engine, const Contents& expected, Location where) {
  bool same = true;
  for (const auto& [key, value] : expected) {
    same = ExpectGet(engine, key, value, where) && same;
  }
  same = ExpectCount(engine, "", expected.size(), where) && same;
  if (!has().ordered) return same;
  const absl::StatusOr<Contents> scanned = Scan(*engine.NewCursor());
  if (!ExpectOk(scanned.status(), "scan", where)) return false;
  if (*scanned == expected) return same;
  for (const auto& [key, value] : *scanned) {
    const auto it = expected.find(key);
    if (it == expected.end() || it->second != value) {
      Fail(fmt::format("a scan shows {} = {}", Show(key), Show(value)), where);
      return false;
    }
  }
  Fail(fmt::format("a scan shows {} keys of {}", scanned->size(), expected.size()), where);
  return false;
}

void Stage::Fail(std::string_view what, Location where) {
  std::lock_guard lock(mutex_);
  if (failures_.size() == kMaxFailures) return;
  failures_.push_back(fmt::format("{}:{}: {}", where.file_name(), where.line(), what));
}

bool Stage::failed() const {
  std::lock_guard lock(mutex_);
  return !failures_.empty();
}

std::vector<std::string> Stage::failures() const {
  std::lock_guard lock(mutex_);
  return failures_;
}

}  // namespace kv::testing
