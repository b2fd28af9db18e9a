// What a check or a script asks of an engine: one without it is not asked.
//
// Thread safety: a plain value.
#ifndef KV_TESTING_NEEDS_H_
#define KV_TESTING_NEEDS_H_

namespace kv::testing {

// What an engine must have for a check to apply.
struct Needs {
  bool ordered = false;
  bool expiry = false;
  bool durable = false;
  bool real_files = false;  // the check reaches for the store's files behind the engine's back
  bool no_expiry = false;   // the check is about engines without an Expiry part
};

}  // namespace kv::testing

#endif  // KV_TESTING_NEEDS_H_
