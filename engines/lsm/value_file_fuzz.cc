// Fuzzes ValueFile: any bytes as a file of separated values, mapped or read by pread.
//
// What comes in: a value file, as it is or with its checksums made right. What must hold: it is
// refused as damage that names the file, or it opens, and then a pointer to a record gives the
// record's bytes and any other pointer is refused. Where Verify() finds nothing wrong, the file is,
// byte for byte, what the code that writes value files makes of its values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/checksum_repair.h"
#include "engines/lsm/value_file.h"
#include "engines/lsm/value_format.h"
#include "kv/reading/mmap.h"
#include "kv/reading/pread.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

constexpr uint64_t kNumber = 7;
constexpr char kPath[] = "/store/000007.values";

struct MappedParts {
  using Reading = MmapReading;
};
struct PreadParts {
  using Reading = PreadReading;
};

std::string Write(const std::vector<std::string_view>& values) {
  std::string bytes;
  AppendValueHeader(&bytes, kNumber);
  for (const std::string_view value : values) {
    AppendValueRecord(&bytes, value, kNumber, bytes.size());
  }
  AppendValueFooter(
      &bytes,
      {.number = kNumber, .bytes = bytes.size() + kValueFooterBytes, .records = values.size()});
  return bytes;
}

// What the manifest says of the file when nobody tells it otherwise.
ValueFileMeta MetaOf(std::string_view bytes) {
  ValueFileMeta meta{.number = kNumber, .bytes = bytes.size()};
  if (bytes.size() >= kValueFooterBytes) meta.records = LoadFixed64(&bytes[meta.RecordsEnd() + 16]);
  return meta;
}

template <typename Parts>
class ValueCheck {
 public:
  using File = ValueFile<Parts, ExactFiles>;

  ValueCheck(const File& file, std::string_view bytes) : file_(file), bytes_(bytes) {}

  // Whether Verify() finds nothing wrong.
  bool Check() {
    const absl::Status verified = file_.Verify();
    if (!verified.ok()) RequireRefusal(verified, kPath);
    std::vector<std::string_view> values;
    ValuePointer pointer{.file = kNumber, .offset = kValueHeaderBytes};
    const uint64_t end = file_.meta().RecordsEnd();
    while (pointer.offset < end && end - pointer.offset >= kValueRecordHeaderBytes) {
      pointer.bytes = LoadFixed32(&bytes_[pointer.offset + sizeof(uint64_t)]);
      const bool found = Reads(pointer);
      Require(found || !verified.ok(), "a value that Verify() passes cannot be read");
      if (pointer.RecordBytes() > end - pointer.offset) break;
      values.push_back(bytes_.substr(pointer.offset + kValueRecordHeaderBytes, pointer.bytes));
      // Around it there is nothing.
      for (const uint64_t off : {uint64_t{1}, ~uint64_t{0}}) {
        Require(!Reads({kNumber, pointer.offset + off, pointer.bytes}), "half a record is read");
        Require(!Reads({kNumber, pointer.offset, pointer.bytes + off}), "half a record is read");
      }
      pointer.offset += pointer.RecordBytes();
    }
    Require(!Reads({kNumber, ~uint64_t{0} - 5, 3}), "a value beyond the end is read");
    if (verified.ok()) Require(Write(values) == bytes_, "the file is not what its values make");
    return verified.ok();
  }

 private:
  bool Reads(const ValuePointer& pointer) {
    std::string_view value;
    const absl::Status status = file_.Read(pointer, &room_, &value);
    if (!status.ok()) {
      RequireRefusal(status, kPath);
      return false;
    }
    Require(value == bytes_.substr(pointer.offset + kValueRecordHeaderBytes, pointer.bytes),
            "another value is read than there is");
    return true;
  }

  const File& file_;
  std::string_view bytes_;
  typename File::Room room_;
};

template <typename Parts>
bool Run(const std::string& bytes, const ValueFileMeta& meta) {
  ExactFiles files;
  files.Set(kPath, bytes);
  const auto file = ValueFile<Parts, ExactFiles>::Open(files, kPath, meta);
  if (!file.ok()) {
    RequireRefusal(file.status(), kPath);
    return false;
  }
  return ValueCheck<Parts>(**file, bytes).Check();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  const std::string large(900, 'v');
  for (const uint8_t choice : {0, 1}) {
    AddSeeds(choice, Write({"one"}), &seeds);
    AddSeeds(choice, Write({"", "value", large, "last"}), &seeds);
  }
  return seeds;
}

bool FuzzRun(std::string_view input) {
  FuzzInput fuzzed(input);
  const ValueFileMeta meta =
      fuzzed.repair ? RepairValues(kNumber, &fuzzed.bytes) : MetaOf(fuzzed.bytes);
  // The manifest names no shorter file.
  std::string encoded;
  meta.AppendTo(&encoded);
  std::string_view rest(encoded);
  ValueFileMeta named;
  if (!ValueFileMeta::Take(&rest, &named)) return false;
  return fuzzed.choice % 2 == 0 ? Run<MappedParts>(fuzzed.bytes, named)
                                : Run<PreadParts>(fuzzed.bytes, named);
}

}  // namespace kv::testing
