// What a cursor keeps alive: the view that it walks over. Where values are separated, it also
// fetches them.
//
// A value is fetched when the cursor comes to stand on it, and not when value() is asked for: a
// cursor that is Valid() has the value, and one that cannot have it is not Valid() and says why. A
// cursor that shows keys only never touches a value file.
//
// Thread safety: one thread.
#ifndef ENGINES_LSM_HELD_VIEW_H_
#define ENGINES_LSM_HELD_VIEW_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "kv/contract/record.h"

namespace kv {

enum class CursorShows : uint8_t { kKeys, kValues };

template <typename View, typename Values, bool kSeparates>
class HeldView {
 public:
  HeldView() = default;
  HeldView(std::shared_ptr<const View> view, CursorShows /*shows*/) : view_(std::move(view)) {}

 private:
  std::shared_ptr<const View> view_;
};

template <typename View, typename Values>
class HeldView<View, Values, true> {
 public:
  HeldView() = default;
  HeldView(std::shared_ptr<const View> view, CursorShows shows)
      : view_(std::move(view)), shows_(shows) {}

  // Sets `*fetched` to whether value() is the value of `record`, which otherwise has it itself.
  // False on an error, which status() has until Forget().
  bool Fetch(const Record& record, bool* fetched) {
    *fetched = record.kind == RecordKind::kSeparated && shows_ == CursorShows::kValues;
    if (*fetched) status_ = view_->version->values->Read(record, &room_, &value_);
    return status_.ok();
  }

  void Forget() {
    if (!status_.ok()) [[unlikely]]
      status_ = absl::OkStatus();
  }

  // Lives until the next call of Fetch.
  std::string_view value() const { return value_; }
  const absl::Status& status() const { return status_; }

 private:
  std::shared_ptr<const View> view_;
  CursorShows shows_ = CursorShows::kValues;
  typename Values::Room room_;
  std::string_view value_;
  absl::Status status_;
};

}  // namespace kv

#endif  // ENGINES_LSM_HELD_VIEW_H_
