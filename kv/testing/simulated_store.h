// What the tests of durable engines share about a store on the simulated disk.
//
// Thread safety: none.
#ifndef KV_TESTING_SIMULATED_STORE_H_
#define KV_TESTING_SIMULATED_STORE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/base/status.h"
#include "kv/io/simulated.h"
#include "kv/testing/short_history.h"

namespace kv::testing {

inline const std::string kStoreDirectory = "/store";

// Writes a whole file, durably.
inline void SetContents(SimulatedFileSystem fs, const std::string& path, const std::string& bytes) {
  auto file = fs.Create(path);
  if (file.ok()) file->Append(bytes).IgnoreError();
  if (file.ok()) file->Sync().IgnoreError();
  fs.SyncDirectory(kStoreDirectory).IgnoreError();
}

// Whether the error's message has `what` in it.
inline bool Names(const absl::Status& status, std::string_view what) {
  return std::string_view(status.message().data(), status.message().size()).find(what) !=
         std::string_view::npos;
}

// All that a cursor shows.
template <typename C>
absl::StatusOr<Model> Walk(C cursor) {
  Model model;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    model.emplace(cursor.key(), cursor.value());
  }
  KV_RETURN_IF_ERROR(cursor.status());
  return model;
}

}  // namespace kv::testing

#endif  // KV_TESTING_SIMULATED_STORE_H_
