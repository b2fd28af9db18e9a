// Runs the commands of a script on an engine; script.h says what they are.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/list_source.h"
#include "kv/testing/script.h"

namespace kv::testing {
namespace {

using Lines = std::vector<std::string>;

// Bare where a script could have it bare.
std::string Word(std::string_view bytes) {
  const bool bare = !bytes.empty() && bytes.size() <= 48 && bytes != "-" &&
                    bytes.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_./+-") == std::string_view::npos;
  return bare ? std::string(bytes) : Show(bytes);
}

std::string Code(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

class Runner {
 public:
  explicit Runner(Stage& stage) : stage_(stage) {
    names_["main"] = Stage::SmallOptions(stage.NewDirectory());
    Use("main");
  }

  Lines Run(const Command& command) {
    command_ = &command;
    const std::string& verb = command.words[0];
    if (engine_ == nullptr) return {"(no engine)"};
    if (verb == "put") return {Code(engine_->Put(Arg(1), Arg(2), {.expires_at = Expiry(3)}))};
    if (verb == "get") return {Get()};
    if (verb == "mget") return MultiGet();
    if (verb == "del") return {Code(engine_->Delete(Arg(1)))};
    if (verb == "cas") return {CompareAndSet()};
    if (verb == "batch") return {Write()};
    if (verb == "bulk") return {BulkLoad()};
    if (verb == "delete_range") return {Code(engine_->DeleteRange(Arg(1), Arg(2)))};
    if (verb == "count") return {Number(engine_->Count(Arg(1)))};
    if (verb == "scan" || verb == "rscan") return Scan(verb == "scan");
    if (verb == "walk") return {Walk()};
    if (verb == "snapshot") return {(snapshots_[Arg(1)] = engine_->TakeSnapshot()) ? "OK" : "none"};
    if (verb == "release") return {snapshots_.erase(Arg(1)) == 1 ? "OK" : "none"};
    if (verb == "expire") return {Code(engine_->ExpireAt(Arg(1), Expiry(2)))};
    if (verb == "expiry") return {ExpiryOf()};
    if (verb == "advance") return {Advance()};
    if (verb == "flush") return {Code(engine_->Flush())};
    if (verb == "compact") return {Code(engine_->Compact())};
    if (verb == "compact_range") return {Code(engine_->CompactRange(Arg(1), Arg(2)))};
    if (verb == "verify") return {Code(engine_->Verify())};
    if (verb == "reopen") return {Reopen()};
    if (verb == "checkpoint") return {Checkpoint()};
    if (verb == "use") return {Use(Arg(1))};
    return {"(unknown command)"};
  }

 private:
  // The word at `i`, or nothing.
  std::string Arg(size_t i) const {
    return i < command_->words.size() ? command_->words[i] : std::string();
  }

  uint64_t ExpiryOfWord(const std::string& word) const {
    if (word.empty() || word == "never") return kNeverExpires;
    return word == "past" ? 1 : stage_.composition().unix_millis() + std::stoull(word);
  }
  uint64_t Expiry(size_t i) const { return ExpiryOfWord(Arg(i)); }

  // The snapshot after `at`; null where there is no `at`.
  const AnySnapshot* At() const {
    const Lines& words = command_->words;
    if (words.size() < 3 || words[words.size() - 2] != "at") return nullptr;
    const auto found = snapshots_.find(words.back());
    return found == snapshots_.end() ? nullptr : found->second.get();
  }

  static std::string Number(const absl::StatusOr<uint64_t>& number) {
    return number.ok() ? std::to_string(*number) : Code(number.status());
  }

  std::string Get() {
    std::string value;
    const AnySnapshot* const snapshot = At();
    const absl::Status status = snapshot == nullptr ? engine_->Get(Arg(1), &value)
                                                    : engine_->Get(Arg(1), &value, *snapshot);
    return status.ok() ? Word(value) : Code(status);
  }

  Lines MultiGet() {
    const std::vector<std::string_view> keys(command_->words.begin() + 1, command_->words.end());
    std::vector<std::string> values(keys.size());
    std::vector<absl::Status> statuses(keys.size());
    engine_->MultiGet(keys, values, statuses);
    Lines lines;
    for (size_t i = 0; i < keys.size(); ++i) {
      lines.push_back(statuses[i].ok() ? Word(values[i]) : Code(statuses[i]));
    }
    return lines;
  }

  std::string CompareAndSet() {
    const std::string from = Arg(2);
    const std::string to = Arg(3);
    const auto optional = [](const std::string& word) {
      return word == "-" ? std::nullopt : std::optional<std::string_view>(word);
    };
    const auto result =
        engine_->CompareAndSet(Arg(1), optional(from), optional(to), {.expires_at = Expiry(4)});
    if (!result.ok()) return Code(result.status());
    if (result->swapped) return "swapped";
    return "found " + (result->current ? Word(*result->current) : "nothing");
  }

  std::string Write() {
    WriteBatch batch;
    for (const Lines& words : command_->body) {
      if (words.front() == "del") {
        batch.Delete(words.at(1));
      } else {
        batch.Put(words.at(1), words.at(2), ExpiryOfWord(words.size() > 3 ? words[3] : ""));
      }
    }
    return Code(engine_->Write(batch));
  }

  std::string BulkLoad() {
    std::vector<ListSource::Entry> entries;
    for (const Lines& words : command_->body) {
      entries.push_back({words.at(0), words.at(1), ExpiryOfWord(words.size() > 2 ? words[2] : "")});
    }
    ListSource source(std::move(entries));
    return Code(engine_->BulkLoad(source));
  }

  Lines Scan(bool forward) {
    CursorBounds bounds;
    if (command_->words.size() > 1 && Arg(1) != "at") bounds = {Arg(1), Arg(2)};
    const auto cursor = engine_->NewCursor(bounds, At());
    Lines lines;
    forward ? cursor->SeekToFirst() : cursor->SeekToLast();
    while (cursor->Valid()) {
      lines.push_back(Word(cursor->key()) + " = " + Word(cursor->value()));
      forward ? cursor->Next() : cursor->Prev();
    }
    if (!cursor->status().ok()) lines.push_back(Code(cursor->status()));
    if (lines.empty()) lines.emplace_back("(nothing)");
    return lines;
  }

  std::string Walk() {
    const auto cursor = engine_->NewCursor();
    cursor->Seek(Arg(1));
    std::string path = cursor->Valid() ? Word(cursor->key()) : "(end)";
    for (const char move : Arg(2)) {
      if (!cursor->Valid()) break;
      move == '>' ? cursor->Next() : cursor->Prev();
      path += " " + (cursor->Valid() ? Word(cursor->key()) : "(end)");
    }
    return path;
  }

  std::string ExpiryOf() {
    const auto at = engine_->ExpiresAt(Arg(1));
    if (!at.ok()) return Code(at.status());
    return *at == kNeverExpires ? "never" : "later";
  }

  std::string Advance() {
    stage_.composition().advance_millis(std::stoull(Arg(1)));
    return "OK";
  }

  std::string Reopen() {
    snapshots_.clear();
    return stage_.Reopen(&engine_, names_[used_]) ? "OK" : "(failed)";
  }

  std::string Checkpoint() {
    const auto [entry, fresh] = names_.try_emplace(Arg(1));
    if (fresh) entry->second = Stage::SmallOptions(stage_.NewDirectory());
    return Code(engine_->Checkpoint(entry->second.directory));
  }

  // The store that was in use stays open, unless it is this one.
  std::string Use(const std::string& name) {
    snapshots_.clear();
    if (engine_ != nullptr) open_[used_] = std::move(engine_);
    used_ = name;
    engine_ = std::move(open_[name]);
    if (engine_ == nullptr) engine_ = stage_.Open(names_[name]);
    return engine_ == nullptr ? "(failed)" : "OK";
  }

  Stage& stage_;
  const Command* command_ = nullptr;
  std::map<std::string, Options> names_;
  std::map<std::string, std::unique_ptr<AnyEngine>> open_;
  std::string used_;
  std::unique_ptr<AnyEngine> engine_;
  std::map<std::string, std::unique_ptr<AnySnapshot>> snapshots_;  // go before the engine
};

}  // namespace

std::vector<std::vector<std::string>> AnswersTo(const Script& script, Stage& stage) {
  Runner runner(stage);
  std::vector<std::vector<std::string>> answers;
  for (const Command& command : script.commands) answers.push_back(runner.Run(command));
  return answers;
}

}  // namespace kv::testing
