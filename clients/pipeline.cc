#include "clients/pipeline.h"

#include <span>

#include "kv/base/status.h"

namespace clients {

absl::Status Pipeline::Add(Arguments arguments) {
  KV_RETURN_IF_ERROR(AppendCommand(arguments, &bytes_));
  commands_.emplace_back(arguments[0]);
  return absl::OkStatus();
}

absl::Status Pipeline::Run() {
  if (replies_.size() < commands_.size()) replies_.resize(commands_.size());
  const absl::Status status =
      connection_->Exchange(bytes_, std::span(replies_).first(commands_.size()), &answered_);
  for (size_t i = 0; i < answered_; ++i) {
    if (!replies_[i].is_error()) continue;
    const std::string_view text = replies_[i].text();
    ++errors_[{commands_[i], std::string(text.substr(0, text.find(' ')))}];
  }
  bytes_.clear();
  commands_.clear();
  return status;
}

}  // namespace clients
