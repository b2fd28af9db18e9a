// A server that does what a test tells it: answers given bytes, closes in the middle, stalls.
//
//   FakeServer server([](FakeServer::Peer& peer) {
//     if (peer.Await("PING")) peer.Send("+PONG\r\n");
//     if (peer.Await("GET")) peer.Send("$100\r\nhalf");
//   });                                                  // and closes
//
// Each connection runs the script in a thread of its own. The server ends all of them when it goes.
//
// Thread safety: the script runs in several threads at once; the rest is the test's.
#ifndef CLIENTS_TESTING_FAKE_SERVER_H_
#define CLIENTS_TESTING_FAKE_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "clients/dialer.h"
#include "clients/socket.h"
#include "clients/url.h"

namespace clients::testing {

class FakeServer {
 public:
  // One connection, as the script sees it.
  class Peer {
   public:
    Peer(int fd, int number) : fd_(fd), number_(number) {}

    // Reads until `text` has come. False: the client has gone, or the server is ending.
    bool Await(std::string_view text);
    // The same of several: which of them came first. nullopt: none will.
    std::optional<size_t> AwaitAny(std::initializer_list<std::string_view> texts);
    // False: the client has gone.
    bool Send(std::string_view bytes) const;
    // Reads, and answers nothing, until the client has gone.
    void Stall() const;
    // Closes with a reset instead of an end.
    void Reset() const;
    // Counted from 0 over all connections of the server.
    int number() const { return number_; }

   private:
    int fd_;
    int number_;
    std::string received_;
  };
  using Script = std::function<void(Peer& peer)>;

  explicit FakeServer(Script script);
  ~FakeServer();

  uint16_t port() const { return port_; }
  HostPort node() const { return {"127.0.0.1", port_}; }
  // With times that no busy machine takes, and one try only. A test of a time-out sets its own.
  ConnectOptions connect_options() const;
  int connections() const;

 private:
  void Accept();

  Script script_;
  Fd listener_;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  bool ending_ = false;               // guarded by mutex_
  std::vector<Fd> sockets_;           // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_ until Accept has ended
  std::thread accepting_;
};

}  // namespace clients::testing

#endif  // CLIENTS_TESTING_FAKE_SERVER_H_
