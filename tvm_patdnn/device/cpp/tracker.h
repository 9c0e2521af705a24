// A server's side of TVM's tracker, which hands out devices: the server offers itself under a key
// that it makes up, and who gets it from the tracker comes with that key.
#pragma once

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include "messages.h"

class Tracker {
 public:
  // `host`, `port`: of the tracker; `key`: the kind of device; `own_port`: of this server.
  Tracker(std::string host, std::string port, std::string key, int own_port)
      : host_(std::move(host)), port_(std::move(port)), key_(std::move(key)), own_port_(own_port) {}

  // What the next client has to say; nobody knows it before `Offer`.
  const std::string& expected() const { return expected_; }

  // Offers this server to one client.
  void Offer() {
    taken_ = 0;
    expected_ = key_ + ":" + std::to_string(random_());
    std::string offer = "[" + std::to_string(own_port_) + ", " + Quoted(expected_) + "]";
    if (Connected()) Ask("[3, " + Quoted(key_) + ", " + offer + "]");
  }

  // To be called now and then while nobody comes: a tracker that went away may be back, and a
  // client that took this server may have gone before it came.
  void Keep() {
    bool was_connected = connection_ >= 0;
    std::string waiting = was_connected ? Ask("[7]") : "";
    if (connection_ < 0) return Offer();
    taken_ = waiting.find(Quoted(expected_)) == std::string::npos ? taken_ + 1 : 0;
    if (taken_ > kPatience) Offer();
  }

 private:
  static constexpr int kMagic = 0x2F271, kPatience = 3, kLongest = 1 << 20;

  bool Connected() {
    if (connection_ >= 0) return true;
    addrinfo wanted{}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host_.c_str(), port_.c_str(), &wanted, &found) != 0) return false;
    connection_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval patience{5, 0};
    setsockopt(connection_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int magic = 0;
    bool greeted = connect(connection_, found->ai_addr, found->ai_addrlen) == 0 &&
                   Send(connection_, &kMagic, 4) && Receive(connection_, &magic, 4) &&
                   magic == kMagic;
    freeaddrinfo(found);
    if (!greeted) return Close();
    std::string address = "[null, " + std::to_string(own_port_) + "]";
    Ask("[5, {\"key\": " + Quoted("server:" + key_) + ", \"addr\": " + address + "}]");
    if (connection_ >= 0) std::fprintf(stderr, "tvm-patdnn-server: known to the tracker\n");
    return connection_ >= 0;
  }

  // Returns the answer; closes the connection where there is none.
  std::string Ask(const std::string& question) {
    int32_t size = static_cast<int32_t>(question.size());
    std::string answer;
    bool answered = Send(connection_, &size, 4) && Send(connection_, question.data(), size) &&
                    Receive(connection_, &size, 4) && size >= 0 && size <= kLongest;
    if (answered) {
      answer.resize(size);
      answered = Receive(connection_, answer.data(), size);
    }
    if (!answered) Close();
    return answered ? answer : "";
  }

  bool Close() {
    close(connection_);
    connection_ = -1;
    return false;
  }

  std::string host_, port_, key_, expected_;
  int own_port_, connection_ = -1, taken_ = 0;
  std::random_device random_;
};
