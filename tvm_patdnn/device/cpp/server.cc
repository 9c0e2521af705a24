// The RPC server for boards and phones without Python: TVM's protocol, one session at a time, each
// in a process of its own, so that what a client tries there cannot end the server.
//
//   tvm-patdnn-server HOST PORT [KEY [TRACKER_HOST TRACKER_PORT]]
//
// TVM's runtime serves a session once its socket is open (`rpc.ServerLoop`); what is here is the
// handshake, the files of a session, its time limit, and what the client asks about the machine.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <tvm/runtime/base.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "messages.h"
#include "tracker.h"

namespace ffi = tvm::ffi;

namespace {

constexpr int kMagic = 0xFF271, kMismatch = kMagic + 2, kLongestKey = 4096, kWaitMs = 2000;

std::string session_folder = ".";

[[noreturn]] void Fail(const std::string& what) {
  std::perror(("tvm-patdnn-server: " + what).c_str());
  std::exit(1);
}

// The sizes of the first core's data caches, level by level, as Linux tells them.
std::string Caches() {
  std::string sizes;
  for (int index = 0;; index++) {
    std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::string kind;
    long size = 0;
    char unit = 0;
    if (!(std::ifstream(folder + "type") >> kind)) return "[" + sizes + "]";
    if (kind == "Instruction" || !(std::ifstream(folder + "size") >> size >> unit)) continue;
    size *= unit == 'M' ? 1 << 20 : unit == 'K' ? 1 << 10 : 1;
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  }
}

// What the client is told of this machine, as JSON.
std::string Facts() {
  utsname names{};
  uname(&names);
  std::ifstream file("/proc/cpuinfo");
  std::stringstream cpuinfo;
  cpuinfo << file.rdbuf();
  return "{\"tvm\": " + Quoted(TVM_VERSION) + ", \"machine\": " + Quoted(names.machine) +
         ", \"cores\": " + std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) +
         ", \"caches\": " + Caches() + ", \"cpuinfo\": " + Quoted(cpuinfo.str()) + "}";
}

// Runs a model whose inputs are set; returns the name and the seconds of each kernel, as JSON.
ffi::String KernelTimes(ffi::Module machine) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begun;
  std::stringstream told;
  auto note = [&](ffi::PackedArgs args, ffi::Any*) {
    if (args[2].cast<bool>()) {
      begun = Clock::now();
      return;
    }
    std::chrono::duration<double> spent = Clock::now() - begun;
    told << (told.tellp() > 0 ? ", [" : "[") << Quoted(args[1].cast<ffi::String>()) << ", "
         << spent.count() << "]";
  };
  ffi::Function instrument = machine->GetFunction("set_instrument").value();
  instrument(ffi::Function::FromPacked(note));
  machine->GetFunction("invoke_stateful").value()("main");
  instrument(ffi::Function::FromPacked([](ffi::PackedArgs, ffi::Any*) {}));
  return "[" + told.str() + "]";
}

void RegisterFunctions() {
  ffi::Function::SetGlobal(
      "tvm.rpc.server.workpath",
      ffi::Function::FromTyped([](ffi::String name) {
        return ffi::String(session_folder + "/" + std::string(name));
      }),
      true);
  ffi::Function::SetGlobal(
      "tvm.rpc.server.load_module",
      ffi::Function::FromTyped([](ffi::String name) {
        return ffi::Module::LoadFromFile(ffi::String(session_folder + "/" + std::string(name)));
      }),
      true);
  ffi::Function::SetGlobal("tvm_patdnn.kernel_times", ffi::Function::FromTyped(KernelTimes), true);
  ffi::Function::SetGlobal("tvm_patdnn.device_facts",
                           ffi::Function::FromTyped([]() { return ffi::String(Facts()); }), true);
}

// Serves one session in a child; `limit` seconds, or without a limit.
void Serve(int connection, double limit) {
  std::string pattern = (std::filesystem::temp_directory_path() / "tvm-patdnn-XXXXXX").string();
  if (!mkdtemp(pattern.data())) Fail("mkdtemp");
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    session_folder = pattern;
    if (chdir(session_folder.c_str()) != 0) Fail("chdir");
    try {
      ffi::Function::GetGlobalRequired("rpc.ServerLoop")(connection);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "tvm-patdnn-server: %s\n", error.what());
      _exit(1);
    }
    _exit(0);
  }
  std::time_t end = std::time(nullptr) + static_cast<std::time_t>(limit);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) != child) {
    if (limit > 0 && std::time(nullptr) >= end) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    usleep(5000);
  }
  if (WIFSIGNALED(status)) {
    std::fprintf(stderr, "tvm-patdnn-server: a session ended by signal %d\n", WTERMSIG(status));
  }
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
}

// Reads what a client says first; returns whether it says what is expected, and its time limit.
bool Greet(int connection, const std::string& key, const std::string& expected, double* limit) {
  timeval patience{10, 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int magic = 0, size = 0;
  if (!Receive(connection, &magic, 4) || magic != kMagic) return false;
  if (!Receive(connection, &size, 4) || size < 0 || size > kLongestKey) return false;
  std::string said(size, '\0');
  if (!Receive(connection, said.data(), size)) return false;
  if (said.substr(0, said.find(' ')) != "client:" + expected) {
    Send(connection, &kMismatch, 4);
    return false;
  }
  size_t at = said.find("-timeout=");
  *limit = at == std::string::npos ? 0 : std::atof(said.c_str() + at + 9);
  std::string answer = "server:" + key;
  int length = static_cast<int>(answer.size());
  timeval none{0, 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  return Send(connection, &kMagic, 4) && Send(connection, &length, 4) &&
         Send(connection, answer.data(), answer.size());
}

int Listen(const char* host, int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) Fail(std::string(host) + ": no address");
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail("bind");
  if (listen(listener, 4) != 0) Fail("listen");
  return listener;
}

// Whether a client comes soon.
bool Comes(int listener) {
  pollfd waiting{listener, POLLIN, 0};
  return poll(&waiting, 1, kWaitMs) > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc == 5 || argc > 6) {
    std::fprintf(stderr, "usage: tvm-patdnn-server HOST PORT [KEY [TRACKER_HOST TRACKER_PORT]]\n");
    return 2;
  }
  std::string key = argc > 3 ? argv[3] : "";
  std::string cores = std::to_string(sysconf(_SC_NPROCESSORS_ONLN));
  setenv("TVM_NUM_THREADS", cores.c_str(), 0);
  RegisterFunctions();
  int listener = Listen(argv[1], std::atoi(argv[2])), yes = 1;
  std::fprintf(stderr, "tvm-patdnn-server: serving on %s:%s, key '%s', TVM %s\n", argv[1], argv[2],
               key.c_str(), TVM_VERSION);
  std::optional<Tracker> tracker;
  if (argc > 5) tracker.emplace(argv[4], argv[5], key, std::atoi(argv[2])), tracker->Offer();
  for (;;) {
    if (tracker && !Comes(listener)) {
      tracker->Keep();
      continue;
    }
    int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) continue;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    double limit = 0;
    if (Greet(connection, key, tracker ? tracker->expected() : key, &limit)) {
      Serve(connection, limit);
      if (tracker) tracker->Offer();
    }
    close(connection);
  }
}
