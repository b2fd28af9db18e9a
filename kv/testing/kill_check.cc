// Memory order: seq_cst, the default, throughout; KillPage (kill_writer.h) says why.
#include "kv/testing/kill_check.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "kv/testing/kill_point.h"
#include "kv/testing/kill_writer.h"
#include "kv/testing/random.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

// A kill point that is not reached by so many calls is none that this life comes to.
constexpr uint64_t kCallsToAPoint = 400;

// Which write each key of one thread shows: (operation, place in it).
using Writes = std::map<uint64_t, std::pair<uint64_t, uint64_t>>;

void Apply(uint64_t seed, size_t thread, uint64_t number, Writes* state) {
  for (const KillWrite& write : MakeKillOperation(seed, thread, number).writes) {
    if (write.slot) {
      (*state)[write.key] = {number, *write.slot};
    } else {
      state->erase(write.key);
    }
  }
}

std::string Difference(const Writes& expected, const Writes& actual) {
  const auto show = [](const Writes& writes, uint64_t key) {
    const auto it = writes.find(key);
    return it == writes.end() ? std::string("absent")
                              : fmt::format("{}.{}", it->second.first, it->second.second);
  };
  std::string text;
  for (uint64_t key = 0; key < kKillKeys; ++key) {
    const std::string wanted = show(expected, key);
    const std::string found = show(actual, key);
    if (wanted != found) text += fmt::format(" key{:02}: {}, found {};", key, wanted, found);
  }
  return text;
}

class Checker {
 public:
  Checker(const Composition& composition, const KillPlan& plan)
      : composition_(composition),
        plan_(plan),
        stage_(composition),
        directory_(stage_.NewDirectory()),
        page_path_(root_.path() + "/page"),
        page_(MapKillPage(page_path_)),
        random_(plan.seed) {}

  ~Checker() { UnmapKillPage(page_); }

  KillReport Run() {
    for (life_ = 0; life_ < plan_.kills && !stage_.failed(); ++life_) {
      LiveAndDie();
      if (!stage_.failed()) CheckStore();
    }
    report_.failures = stage_.failures();
    report_.kills = life_;
    return std::move(report_);
  }

 private:
  void Fail(std::string_view what) {
    stage_.Fail(fmt::format("seed {}, life {}, killed {}: {}", plan_.seed, life_,
                            point_ ? ToString(*point_) : "at random", what));
  }

  // What stores do often is counted further than what they do now and then.
  std::optional<KillPoint> SomePoint() {
    if (random_.OneIn(2)) return std::nullopt;
    const uint64_t call = random_.Below(KillPointCalls().size());
    const std::string_view name = KillPointCalls()[call];
    const bool often = name == "write" || name == "sync";
    return KillPoint{.call = call,
                     .moment = random_.OneIn(2) ? KillMoment::kBefore : KillMoment::kAfter,
                     .count = 1 + random_.Below(often ? 40 : 3)};
  }

  void LiveAndDie() {
    point_ = SomePoint();
    page_->opened.store(0);
    page_->reached.store(0);
    for (size_t t = 0; t < kKillThreads; ++t) {
      for (auto* counters :
           {&page_->first, &page_->started, &page_->acknowledged, &page_->flushed}) {
        (*counters)[t].store(survived_[t]);
      }
    }
    const pid_t writer = Start();
    // Now and then it dies while it opens the store.
    if (!random_.OneIn(6)) {
      while (page_->opened.load() == 0 && page_->reached.load() == 0) {
        if (Ended(writer)) return Fail("the writer ended by itself; its reason is on stderr");
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    }
    const std::chrono::microseconds moment(random_.Below(25'000));
    if (point_) {
      // A function of what it does, and not of how fast.
      while (page_->reached.load() == 0 && CallsOfThisLife() < kCallsToAPoint && !Ended(writer)) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    } else {
      std::this_thread::sleep_for(moment);
    }
    ::kill(writer, SIGKILL);
    int status = 0;
    ::waitpid(writer, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
      Fail("the writer ended by itself; its reason is on stderr");
    }
    if (page_->reached.load() == 0) return;
    const std::string reached = ToString(*point_);
    report_.points.insert(reached.substr(0, reached.rfind(' ')));
  }

  uint64_t CallsOfThisLife() const {
    uint64_t calls = 0;
    for (size_t t = 0; t < kKillThreads; ++t) calls += page_->started[t].load() - survived_[t];
    return calls;
  }

  pid_t Start() {
    std::vector<std::string> arguments = {
        "/proc/self/exe", std::string(kKillWriterFlag), page_path_,
        directory_,       std::to_string(plan_.seed),   point_ ? ToString(*point_) : "-"};
    arguments.insert(arguments.end(), plan_.extra_arguments.begin(), plan_.extra_arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    return child;
  }

  // True when the child has ended and was not killed. It is still there to be waited for.
  static bool Ended(pid_t child) {
    siginfo_t info = {};
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == child && info.si_code != CLD_KILLED;
  }

  void CheckStore() {
    const auto engine = stage_.Open(Stage::SmallOptions(directory_));
    if (engine == nullptr) return Fail("the store does not open");
    KillCounts needed = {};  // by values that survived
    for (size_t t = 0; t < kKillThreads; ++t) CheckThread(*engine, t, &needed);
    for (size_t t = 0; t < kKillThreads; ++t) {
      if (needed[t] > survived_[t]) {
        Fail(
            fmt::format("a hole: a write survived that began after {} operations of writer {} "
                        "were acknowledged, of which {} survived",
                        needed[t], t, survived_[t]));
      }
    }
    if (const absl::Status status = engine->Verify(); !status.ok()) Fail(status.ToString());
    // An unsynced store is as safe as it was only after a Close; the others may go without.
    if (!composition_.has.durable_on_return || random_.OneIn(2)) {
      if (const absl::Status status = engine->Close(); !status.ok()) Fail(status.ToString());
    }
  }

  void CheckThread(AnyEngine& engine, size_t thread, KillCounts* needed) {
    Writes actual;
    for (uint64_t key = 0; key < kKillKeys; ++key) {
      const auto found = Lookup(engine, KillKey(thread, key));
      if (!found.ok()) return Fail(found.status().ToString());
      if (!found->has_value()) continue;
      const auto parts = ParseKillValue(plan_.seed, thread, **found);
      if (!parts) {
        return Fail(fmt::format("{} has a value that nobody wrote: {}", KillKey(thread, key),
                                ShowFound(*found)));
      }
      actual[key] = {parts->number, parts->slot};
      for (size_t t = 0; t < kKillThreads; ++t) {
        (*needed)[t] = std::max((*needed)[t], parts->acknowledged[t]);
      }
    }
    const uint64_t least = composition_.has.durable_on_return ? page_->acknowledged[thread].load()
                                                              : page_->flushed[thread].load();
    const uint64_t most = page_->started[thread].load();
    Writes state = states_[thread];
    Writes at_least;  // the state after `least` operations, for the message
    std::optional<std::pair<uint64_t, Writes>> match;
    for (uint64_t number = survived_[thread];; ++number) {
      if (number == least) at_least = state;
      // The last match: operations that change nothing may have survived as well as not.
      if (number >= least && state == actual) match = {number, state};
      if (number == most) break;
      Apply(plan_.seed, thread, number, &state);
    }
    if (!match) {
      return Fail(
          fmt::format("writer {}: {} operations were promised and {} begun; the store "
                      "shows no state between. After {}:{}",
                      thread, least, most, least, Difference(at_least, actual)));
    }
    survived_[thread] = match->first;
    states_[thread] = std::move(match->second);
  }

  const Composition& composition_;
  const KillPlan& plan_;
  Stage stage_;
  TemporaryDirectory root_{Medium::kDisk};
  const std::string directory_;
  const std::string page_path_;
  KillPage* const page_;
  Random random_;
  int life_ = 0;
  std::optional<KillPoint> point_;  // of this life; else it ends at random
  KillReport report_;
  KillCounts survived_ = {};  // operations of each thread that are in the store
  std::array<Writes, kKillThreads> states_;
};

}  // namespace

KillReport CheckKills(const Composition& composition, const KillPlan& plan) {
  return Checker(composition, plan).Run();
}

}  // namespace kv::testing
