// TableVerifier: Table::Verify, which reads and checks every byte of an open table.
//
// Reads the file as if for the first time: neither what is in memory nor the cache is believed.
// Checked, in order: footer, properties, index, filter and padding as Open does; each block's
// checksum; each entry's decoding, kind and place in the order; what a block's directory says of
// its entries; separators; that the filter holds each key; and the counts, ranges and sums that the
// properties claim.
//
// Cost: about one sequential read and 50 ns an entry; in memory, a second copy of what the table
// holds (table_layout.h).
#ifndef ENGINES_LSM_TABLE_VERIFY_H_
#define ENGINES_LSM_TABLE_VERIFY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engines/lsm/block_cursor.h"
#include "engines/lsm/table_block.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_index.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/value_pointer.h"
#include "fmt/format.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/reading/concept.h"

namespace kv {

class TableVerifier {
 public:
  template <typename TableType>
  static absl::Status Run(const TableType& table) {
    const typename TableType::Blocks& blocks = table.blocks_;
    typename TableType::Blocks::Layout layout(table.path(), table.meta());
    KV_RETURN_IF_ERROR(layout.Load(blocks.reader()));
    typename TableType::Blocks::Reader::Window window;
    std::string decompressed;
    TableVerifier verifier;
    for (size_t i = 0; i < layout.index().blocks(); ++i) {
      const TableIndex::Block place = layout.index().block(i);
      std::string_view stored;
      if (!window.Holds(place.offset, place.stored_bytes, &stored)) {
        KV_RETURN_IF_ERROR(window.Read(blocks.reader(), place.offset, place.stored_bytes,
                                       layout.index().data_bytes(), ReadDirection::kForward,
                                       &stored));
      }
      KV_RETURN_IF_ERROR(layout.CheckBlock(i, place, stored));
      BlockBytes bytes{.contents = stored.substr(0, stored.size() - kBlockTrailerBytes),
                       .directory = layout.Directory(place)};
      if (place.compressed) {
        if (!layout.Decompress(bytes.contents, &decompressed)) return layout.MalformedBlock(i);
        bytes.contents = decompressed;
      }
      const std::string before = i == 0 ? std::string() : layout.index().separator(i - 1);
      const std::string separator = layout.index().separator(i);
      const char* const wrong = verifier.Block(
          bytes, before, separator, i == 0,
          [&](uint64_t hash) { return TableType::Filter::MayContain(layout.filter(), hash); });
      if (wrong != nullptr) {
        return Corruption(table.path(), place.offset, fmt::format("data block {}: {}", i, wrong));
      }
    }
    verifier.meta_.number = table.meta().number;
    verifier.meta_.bytes = table.meta().bytes;
    verifier.meta_.ranges_applied = table.meta().ranges_applied;
    verifier.meta_.largest = verifier.last_key_;
    if (verifier.meta_ != table.meta()) {
      return Corruption(table.path(), layout.footer().properties.offset,
                        "the properties differ from what the blocks hold");
    }
    return absl::OkStatus();
  }

 private:
  // Returns what is wrong, or nullptr.
  template <typename MayContain>
  const char* Block(const BlockBytes& bytes, std::string_view before, std::string_view separator,
                    bool first_block, MayContain may_contain) {
    BlockCursor cursor;
    if (!cursor.Enter(bytes)) return "malformed";
    const BlockView& view = cursor.block();
    std::string first_key;
    for (size_t i = 0; i < view.entries(); ++i) {
      const char* const expected = i == 0 ? bytes.contents.data() : cursor.entry_end();
      if (!cursor.MoveTo(i)) return "an entry is malformed";
      BlockEntry entry;
      if (!view.DecodeAt(i, &entry) || !view.Begins(i, expected)) {
        return "an offset is not where an entry begins";
      }
      const Record& record = cursor.record();
      if (i == 0) first_key = record.key;
      const bool new_key = meta_.entries == 0 || record.key != last_key_;
      if (meta_.entries != 0 &&
          CompareInternal(last_key_, last_sequence_, record.key, record.sequence) >= 0) {
        return "records are not in order";
      }
      if (i == 0 && !first_block && record.key < before) return "a separator is too large";
      ValuePointer pointer;
      if (record.kind == RecordKind::kSeparated && !ValuePointer::Parse(record.value, &pointer)) {
        return "a tombstone has a value that is no pointer";
      }
      if (record.key.size() > kMaxTableKeyBytes) return "a key is too long";
      const uint64_t hash = HashKey(record.key);
      if (view.fingerprint(i) != BlockFingerprint(hash)) return "a fingerprint is wrong";
      if (new_key && !may_contain(hash)) return "the filter lacks a key";
      if (const char* const wrong = CheckShared(view, i, entry, record.key)) return wrong;
      Count(record, new_key);
    }
    if (view.prefix_bytes() != CommonPrefixLength(first_key, last_key_)) {
      return "the common prefix is wrong";
    }
    if (!view.AtEnd(cursor.entry_end())) return "there are bytes after the last entry";
    if (!view.PaddingIsZero()) return "the padding is not zero";
    if (separator < last_key_) return "its separator is too small";
    return nullptr;
  }

  // The searches rely on `shared` being the whole common prefix, and on the heads.
  static const char* CheckShared(const BlockView& view, size_t i, const BlockEntry& entry,
                                 std::string_view key) {
    std::string_view restart;
    if (!view.RestartKey(i / kBlockRestartInterval, &restart)) return "a restart is malformed";
    if (i % kBlockRestartInterval != 0) {
      return entry.shared == CommonPrefixLength(restart, key) ? nullptr
                                                              : "a shared length is wrong";
    }
    if (key.size() < view.prefix_bytes()) return "the common prefix is wrong";
    return view.head(i / kBlockRestartInterval) == KeyHead(key.substr(view.prefix_bytes()))
               ? nullptr
               : "a head is wrong";
  }

  void Count(const Record& record, bool new_key) {
    meta_.Count(record);
    if (new_key) last_key_.assign(record.key);
    last_sequence_ = record.sequence;
  }

  TableMeta meta_;  // counted
  std::string last_key_;
  Sequence last_sequence_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_VERIFY_H_
