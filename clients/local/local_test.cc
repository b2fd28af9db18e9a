#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "clients/connection.h"
#include "clients/local/certificates.h"
#include "clients/local/on_each_server.h"
#include "clients/local/process.h"
#include "clients/local/server.h"
#include "clients/local/server_cluster.h"
#include "gtest/gtest.h"

namespace clients::local {
namespace {

TEST(Process, ItsOutputAndItsEnd) {
  const TemporaryDirectory directory;
  const std::string log = directory.path() + "/log";
  auto process = Process::Start({"sh", "-c", "echo said; exit 3"}, log);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(WEXITSTATUS(process->Wait()), 3);
  EXPECT_FALSE(process->IsRunning());
  EXPECT_EQ(ReadFile(log), "said\n");
  EXPECT_EQ(ReadFile(directory.path() + "/absent"), "");
}

TEST(Process, ThatIsNotThereEndsAtOnce) {
  const TemporaryDirectory directory;
  auto process = Process::Start({"no-such-program"}, directory.path() + "/log");
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(WEXITSTATUS(process->Wait()), 127);
}

TEST(Process, IsEndedBySignals) {
  const TemporaryDirectory directory;
  auto process = Process::Start({"sleep", "1000"}, directory.path() + "/log");
  ASSERT_TRUE(process.ok());
  EXPECT_TRUE(process->IsRunning());
  process->Signal(SIGSTOP);
  EXPECT_EQ(WTERMSIG(process->End(SIGTERM)), SIGTERM);
}

TEST(Process, IsInAGroupOfItsOwn) {
  const TemporaryDirectory directory;
  const std::string log = directory.path() + "/log";
  auto process = Process::Start(
      {"sh", "-c", "read -r pid name state parent group rest </proc/$$/stat; echo $group $$"}, log);
  ASSERT_TRUE(process.ok());
  ASSERT_EQ(process->Wait(), 0);
  long group = 0;
  long own = 1;
  ASSERT_EQ(std::sscanf(ReadFile(log).c_str(), "%ld %ld", &group, &own), 2);
  EXPECT_EQ(group, own);
}

TEST(TemporaryDirectory, IsRemoved) {
  std::string path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    EXPECT_TRUE(std::filesystem::is_directory(path));
    EXPECT_LT(path.size(), 80u);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

// The time at which the directory was written to last becomes two hours ago.
void MakeOld(const std::string& path) {
  namespace fs = std::filesystem;
  fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
}

TEST(TemporaryDirectory, RemovesWhatAnInterruptedOwnerHasLeft) {
  const TemporaryDirectory held;
  const std::string parent = std::filesystem::path(held.path()).parent_path();
  std::string abandoned = parent + "/ashlar-clients.XXXXXX";
  std::string young = abandoned;
  ASSERT_TRUE(::mkdtemp(abandoned.data()) != nullptr && ::mkdtemp(young.data()) != nullptr);
  const std::string foreign = abandoned + "-of-another";
  ASSERT_TRUE(std::filesystem::create_directory(foreign));
  for (const std::string& path : {abandoned, young, foreign}) {
    std::ofstream(path + "/log") << "text";
  }
  for (const std::string& path : {held.path(), abandoned, foreign}) MakeOld(path);

  const TemporaryDirectory next;
  EXPECT_FALSE(std::filesystem::exists(abandoned));
  EXPECT_TRUE(std::filesystem::exists(young)) << "its owner may be about to hold it";
  EXPECT_TRUE(std::filesystem::exists(foreign)) << "no name of ours";
  EXPECT_TRUE(std::filesystem::exists(held.path())) << "its owner lives";
  std::filesystem::remove_all(young);
  std::filesystem::remove_all(foreign);
}

class RealServer : public OnEachServer<> {};

TEST_P(RealServer, KeepsWhatItAppendedAndLosesTheRest) {
  for (const bool append_only : {true, false}) {
    Server server =
        StartServer({.append_only = append_only, .settings = {{"appendfsync", "always"}}});
    auto connection = Connection::Open(server.connect_options());
    ASSERT_TRUE(connection.ok());
    ASSERT_TRUE(connection->Run({"SET", "k", "v"}).ok());
    server.Kill();
    ASSERT_TRUE(server.Restart().ok());
    auto again = Connection::Open(server.connect_options());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->Run({"GET", "k"})->is_nil(), !append_only);
  }
}

TEST_P(RealServer, IsTheOneThatIsWanted) {
  const Server server = StartServer();
  EXPECT_EQ(server.program(), GetParam() + "-server");
  auto connection = Connection::Open(server.connect_options());
  ASSERT_TRUE(connection.ok());
  const auto info = connection->Run({"INFO", "server"});
  ASSERT_TRUE(info.ok());
  EXPECT_NE(info->text().find(GetParam() + "_version:"), std::string_view::npos);
}

CLIENTS_TEST_ON_EACH_SERVER(RealServer);

TEST(Server, SaysWhyItDidNotStart) {
  const auto server = Server::Start({.settings = {{"nosuchsetting", "1"}}});
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().ToString().find("nosuchsetting"), std::string::npos) << server.status();
}

TEST(Server, ThatIsNotInstalledIsToldApart) {
  for (const std::string name : {"nosuch", "/nosuch/redis-server"}) {
    const auto server = Server::Start({.program = name});
    EXPECT_TRUE(absl::IsUnavailable(server.status())) << server.status();
    EXPECT_NE(server.status().ToString().find(name), std::string::npos) << server.status();
  }
}

TEST(Server, TwoHaveTwoPorts) {
  const auto first = Server::Start();
  const auto second = Server::Start();
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->port(), second->port());
}

TEST(ServerCluster, ServesEachSlotOnce) {
  auto cluster = ServerCluster::Start();
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  const auto slots = cluster->connection(4).Run({"CLUSTER", "SLOTS"});
  ASSERT_TRUE(slots.ok()) << slots.status();
  ASSERT_EQ(slots->size(), ServerCluster::kPrimaries);
  int64_t served = 0;
  for (size_t i = 0; i < slots->size(); ++i) {
    EXPECT_EQ((*slots)[i].size(), 4u);  // first, last, a primary and a replica
    served += (*slots)[i][1].integer() - (*slots)[i][0].integer() + 1;
  }
  EXPECT_EQ(served, 16384);
}

TEST(Certificates, AreMade) {
  const TemporaryDirectory directory;
  const auto made = MakeCertificates(directory.path(), "DNS:localhost");
  ASSERT_TRUE(made.ok()) << made.status();
  for (const std::string& path : {made->authority, made->certificate, made->key}) {
    EXPECT_NE(ReadFile(path).find("-----BEGIN"), std::string::npos) << path;
  }
  const auto broken = MakeCertificates(directory.path(), "NONSENSE:x");
  EXPECT_FALSE(broken.ok());
}

}  // namespace
}  // namespace clients::local
