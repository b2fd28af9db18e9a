#include "bench/remote/report.h"

#include <algorithm>
#include <cerrno>

#include "bench/remote/hdr_log.h"
#include "bench/remote/table.h"
#include "bench/system_info.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {

Report::Report(const Flags& flags, std::string executable, std::string label, double start,
               std::FILE* out)
    : flags_(flags),
      label_(std::move(label)),
      start_(start),
      out_(out),
      json_(std::move(executable), label_) {}

absl::Status Report::OpenFiles() {
  if (!flags_.json.empty() && !std::ofstream(flags_.json)) {
    return kv::IoError("write", flags_.json, errno);
  }
  if (flags_.hdr_log.empty()) return absl::OkStatus();
  hdr_log_.open(flags_.hdr_log, std::ios::trunc);
  if (!hdr_log_) return kv::IoError("write", flags_.hdr_log, errno);
  hdr_log_ << HdrLogHead("Ashlar, //bench:remote; nanoseconds", start_, StartTime());
  return absl::OkStatus();
}

void Report::Begin(const std::string& preamble,
                   const std::vector<std::pair<std::string, std::string>>& context) {
  json_.AddContext(context);
  fmt::print(out_, "{}\n{}", preamble, TableHead());
  std::fflush(out_);
}

void Report::Add(const RowResult& result) {
  ++added_;
  if (!result.invalid.empty()) ++invalid_;
  row_ = result.row;
  repetitions_.push_back(FiguresOf(result));
  if (flags_.operations) below_ += OperationLines(result);
  below_ += WorstIntervals(result.drive);
  below_ += TroubleLines(result);
  json_.Add(result, flags_.repetitions);
  LogHistograms(result);
}

void Report::LogHistograms(const RowResult& result) {
  if (!hdr_log_.is_open()) return;
  for (const OperationResult& operation : result.drive.operations) {
    if (operation.latency->Count() == 0) continue;
    hdr_log_ << HdrLogLine(NameOf(label_, result.row, operation.name), result.begin_seconds,
                           result.drive.seconds, *operation.latency);
  }
  hdr_log_.flush();
}

void Report::EndRow() {
  if (!row_.has_value()) return;
  fmt::print(out_, "{}{}", TableRow(*row_, repetitions_), below_);
  std::fflush(out_);
  row_.reset();
  repetitions_.clear();
  below_.clear();
}

void Report::AddFailure(const Row& row, const std::string& why) { json_.AddFailure(row, why); }

void Report::AddNote(const std::string& note) {
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
}

absl::Status Report::Finish(const std::vector<Row>& rows) {
  for (const std::string& note : Notes(rows)) AddNote(note);
  if (invalid_ > 0) {
    AddNote(fmt::format("{} of {} runs are INVALID: their figures are not to be used", invalid_,
                        added_));
  }
  if (!flags_.json.empty()) {
    KV_RETURN_IF_ERROR(json_.Write(flags_.json));
    AddNote("JSON written to " + flags_.json);
  }
  if (hdr_log_.is_open()) {
    hdr_log_.close();
    if (!hdr_log_) return kv::IoError("write", flags_.hdr_log, errno);
    AddNote("histograms written to " + flags_.hdr_log);
  }
  for (const std::string& note : notes_) fmt::print(out_, "  * {}\n", note);
  std::fflush(out_);
  return absl::OkStatus();
}

}  // namespace bench::remote
