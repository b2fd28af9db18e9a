// Makes the checksums of an LSM store's files right, for fuzz targets: a mutation of their bytes is
// then met by the code behind the checksums. For logs: kv/io/log_repair.h.
//
// Each function goes along its format as far as that leads, and leaves what it does not understand
// as it is: the reader's refusal of that is what is tested.
//
// Thread safety: functions of their arguments.
#ifndef ENGINES_LSM_CHECKSUM_REPAIR_H_
#define ENGINES_LSM_CHECKSUM_REPAIR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engines/lsm/manifest.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_index.h"
#include "engines/lsm/value_format.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"

namespace kv {

// CURRENT, whose first line may be anything.
inline void RepairCurrent(std::string* current) {
  current->resize(std::min(current->find('\n'), current->size()));
  current->push_back('\n');
  current->append(fmt::format("{:016x}\n", Checksum(*current, 0)));
}

// Makes of `manifest` the one of this number: header, and records as far as their sizes lead.
inline void RepairManifest(uint64_t number, std::string* manifest) {
  if (manifest->size() < kManifestHeaderBytes) return;
  char* const bytes = manifest->data();
  const std::string_view whole(*manifest);
  kManifestMagic.copy(bytes, kManifestMagic.size());
  StoreFixed64(bytes + 12, number);
  StoreFixed64(bytes + 20, Checksum(whole.substr(0, 20), 0));
  size_t offset = kManifestHeaderBytes;
  while (whole.size() - offset >= kManifestRecordHeaderBytes) {
    const uint64_t size = LoadFixed32(bytes + offset + 8);
    if (size > whole.size() - offset - kManifestRecordHeaderBytes) return;
    StoreFixed64(bytes + offset,
                 Checksum(whole.substr(offset + 8, size + 4), ManifestSeed(number, offset)));
    offset += kManifestRecordHeaderBytes + size;
  }
}

// Makes of `values` a file of this number and of its own size, and answers what the manifest would
// say of it. The number of records stays what the footer says.
inline ValueFileMeta RepairValues(uint64_t number, std::string* values) {
  ValueFileMeta meta{.number = number, .bytes = values->size()};
  if (values->size() < kValueHeaderBytes + kValueFooterBytes) return meta;
  char* const bytes = values->data();
  const std::string_view whole(*values);
  StoreFixed64(bytes, kValueMagic);
  StoreFixed64(bytes + 12, number);
  StoreFixed64(bytes + 20, Checksum(whole.substr(0, 20), BlockSeed(number, 0)));
  meta.records = LoadFixed64(bytes + meta.RecordsEnd() + 16);
  std::string footer;
  AppendValueFooter(&footer, meta);
  values->replace(meta.RecordsEnd(), kValueFooterBytes, footer);
  size_t offset = kValueHeaderBytes;
  while (meta.RecordsEnd() - offset >= kValueRecordHeaderBytes) {
    const uint64_t size = LoadFixed32(bytes + offset + 8);
    if (size > meta.RecordsEnd() - offset - kValueRecordHeaderBytes) break;
    StoreFixed64(bytes + offset,
                 Checksum(whole.substr(offset + 8, size + 4), BlockSeed(number, offset)));
    offset += kValueRecordHeaderBytes + size;
  }
  return meta;
}

// The properties of a table, by its footer, of which nothing is believed. False: there are none.
inline bool FindTableProperties(std::string_view table, TableFooter::Extent* place,
                                TableProperties* properties) {
  if (table.size() < TableFooter::kBytes + kBlockTrailerBytes) return false;
  const char* const footer = table.data() + table.size() - TableFooter::kBytes;
  *place = {LoadFixed64(footer + 48), LoadFixed64(footer + 56)};
  const size_t room = table.size() - TableFooter::kBytes - kBlockTrailerBytes;
  if (place->offset > room || place->bytes > room - place->offset) return false;
  return TableProperties::Parse(table.substr(place->offset, place->bytes), properties);
}

// Makes of `table` one of its own size: footer, properties, and whatever these and the index lead
// to. Answers what the manifest would say of it, which is what its properties say.
inline TableMeta RepairTable(std::string* table) {
  TableMeta meta{.bytes = table->size()};
  TableFooter::Extent place;
  TableProperties properties;
  if (!FindTableProperties(*table, &place, &properties)) return meta;
  meta = properties.meta;
  meta.bytes = table->size();
  char* const bytes = table->data();
  StoreFixed64(bytes + place.offset, meta.bytes);
  const uint64_t at = table->size() - TableFooter::kBytes;
  StoreFixed64(bytes + at, meta.number);
  StoreFixed64(bytes + at + 8, meta.bytes);
  StoreFixed64(bytes + at + 72, kTableMagic);
  const std::string_view whole(*table);
  // Stores the checksum of [offset, end), which are its last eight bytes.
  const auto store = [&](uint64_t offset, uint64_t end, uint64_t seed) {
    StoreFixed64(bytes + end - 8, Checksum(whole.substr(offset, end - 8 - offset), seed));
  };
  store(at, whole.size(), BlockSeed(meta.number, at));
  const auto footer = TableFooter::Parse(whole.substr(at), meta.bytes, meta.number, "");
  if (!footer.ok()) return meta;
  for (const TableFooter::Extent& extent :
       {footer->filter, footer->dictionary, footer->index, footer->properties}) {
    if (extent.offset == 0 && extent.bytes == 0) continue;  // no dictionary
    store(extent.offset, extent.end(), BlockSeed(meta.number, extent.offset));
  }
  TableIndex index;
  if (!TableIndex::Parse(whole.substr(footer->index.offset, footer->index.bytes),
                         footer->filter.offset, &index)) {
    return meta;
  }
  for (size_t i = 0; i < index.blocks(); ++i) {
    const TableIndex::Block block = index.block(i);
    const std::string_view directory =
        whole.substr(index.data_bytes() + block.directory_begin, block.directory_bytes);
    store(block.offset, block.offset + block.stored_bytes,
          Checksum(directory, BlockSeed(meta.number, block.offset)));
  }
  return meta;
}

}  // namespace kv

#endif  // ENGINES_LSM_CHECKSUM_REPAIR_H_
