// The full check of a tree's separated values: every byte of every value file, and that every
// pointer of every table leads to a whole value.
//
// Cost: reads each value file once in its order and once in that of the keys.
// Thread safety: a function over an immutable tree.
#ifndef ENGINES_LSM_VALUE_VERIFY_H_
#define ENGINES_LSM_VALUE_VERIFY_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "engines/lsm/version.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Parts, typename Files>
absl::Status VerifyValues(const Version<Parts, Files>& tree) {
  for (const auto& use : tree.values->uses()) KV_RETURN_IF_ERROR(use.file->Verify());
  typename TreeValues<Parts, Files>::Room room;
  std::string_view value;
  for (const auto& level : tree.levels) {
    for (const auto& table : level) {
      if (table->Values().empty()) continue;
      typename TableFile<Parts, Files>::TableType::Cursor cursor(&table->Get());
      for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
        if (cursor.record().kind != RecordKind::kSeparated) continue;
        KV_RETURN_IF_ERROR(tree.values->Read(cursor.record(), &room, &value));
      }
      KV_RETURN_IF_ERROR(cursor.status());
    }
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_VERIFY_H_
