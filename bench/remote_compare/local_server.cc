// Starts a real server, prints its URL on a line, and ends it when standard input ends: a server
// for programs in other languages, which cannot outlive them.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "clients/local/server.h"
#include "fmt/format.h"

int main(int argc, char** argv) {
  CLI::App app("Starts a Redis or Valkey server until standard input ends; prints its URL.");
  clients::local::ServerOptions options;
  std::vector<std::string> settings;
  app.add_option("--program", options.program, "redis, valkey, or the path of a server");
  app.add_option("--setting", settings, "name=value as in redis.conf; repeatable");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      fmt::print(stderr, "error: --setting={}: name=value is wanted\n", setting);
      return 2;
    }
    options.settings.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  // Ctrl-C is for whoever started this, who may still need the server.
  ::signal(SIGINT, SIG_IGN);
  const auto server = clients::local::Server::Start(options);
  if (!server.ok()) {
    fmt::print(stderr, "error: {}\n", std::string(server.status().message()));
    return 1;
  }
  fmt::print("{}\n", clients::Redacted(server->url()));
  std::fflush(stdout);
  char ignored[256];
  while (::read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
  }
  return 0;
}
