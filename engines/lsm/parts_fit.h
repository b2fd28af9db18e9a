// Parts that each model their concept, but contradict each other: refused when an Lsm is composed,
// with an error that names both.
//
// A contradiction is a part that asks for what another one rules out, so that it can never happen.
// A poor choice is none: NoCache decompresses compressed blocks at every read, and a Cache beside
// mapped blocks that are not compressed stays empty; somebody may want to measure that. The headers
// of policies warn of it under "Not for".
//
// Each is asked as a capability constant of the parts, never by their names.
#ifndef ENGINES_LSM_PARTS_FIT_H_
#define ENGINES_LSM_PARTS_FIT_H_

namespace kv {

// True, or an error.
template <typename Parts>
constexpr bool LsmPartsFit() {
  // The log's records belong to no table that a dictionary could be stored in.
  static_assert(Parts::WalCompression::kDictionaryBytes == 0,
                "WalCompression and its dictionary contradict each other: dictionaries are trained "
                "on tables, for the Compression slot, and the log has none. Name a WalCompression "
                "without dictionary_bytes");
  if constexpr (requires { Parts::Compaction::kTtlGraceMillis; }) {
    static_assert(Parts::Compaction::kTtlGraceMillis == 0 || Parts::Expiry::kEnabled,
                  "Compaction and Expiry contradict each other: FifoCompaction with "
                  "ttl_grace_millis waits for files to expire, and with NoExpiry nothing does. "
                  "Name AbsoluteExpiry, or leave ttl_grace_millis out");
  }
  return true;
}

}  // namespace kv

#endif  // ENGINES_LSM_PARTS_FIT_H_
