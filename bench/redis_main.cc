// The main of //bench:redis: the lab on a server instead of an embedded engine.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/engine_subject.h"
#include "bench/flags.h"
#include "bench/redis_subject.h"
#include "bench/run.h"
#include "clients/redis_engine.h"
#include "fmt/format.h"

namespace {

using Engine = clients::RedisEngine;

int Fail(int status, const absl::Status& why) {
  fmt::print(stderr, "error: {}\n", std::string(why.message()));
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto flags = bench::TakeRedisFlags(&arguments);
  if (!flags.ok()) return Fail(2, flags.status());
  std::vector<char*> rest = {argv[0]};
  for (std::string& argument : arguments) rest.push_back(argument.data());
  const auto run = [&](bench::Subject& subject) {
    return bench::Main(static_cast<int>(rest.size()), rest.data(),
                       bench::ThisBuild(ASHLAR_COMPILATION_MODE), subject);
  };
  // What needs no server starts none.
  if (bench::ParseFlags("redis", arguments).exit_status.has_value()) {
    if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
      fmt::print("{}", bench::RedisHelp());
    }
    bench::EngineSubject<Engine> nothing("redis");
    return run(nothing);
  }
  auto store = bench::RedisStore::Start(*flags);
  if (!store.ok()) return Fail(1, store.status());
  bench::EngineSubject<Engine> subject(
      store->capabilities(), [&](const kv::Options& options) { return store->Open(options); });
  const int status = run(subject);
  const absl::Status cleaned = store->Clean();
  return cleaned.ok() ? status : Fail(std::max(status, 1), cleaned);
}
