// Bytes over a socket, and text as JSON has it.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdio>
#include <string>

inline bool Send(int fd, const void* data, size_t size) {
  for (const char* at = static_cast<const char*>(data); size > 0;) {
    ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += sent, size -= sent;
  }
  return true;
}

inline bool Receive(int fd, void* data, size_t size) {
  for (char* at = static_cast<char*>(data); size > 0;) {
    ssize_t got = recv(fd, at, size, 0);
    if (got <= 0) return false;
    at += got, size -= got;
  }
  return true;
}

inline std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (unsigned char c : text) {
    char escaped[8];
    if (c < 0x20 || c == '"' || c == '\\' || c > 0x7e) {
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      quoted += escaped;
    } else {
      quoted += static_cast<char>(c);
    }
  }
  return quoted + "\"";
}
