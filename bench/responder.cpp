// The reference for speed: the least that can be called an HTTP server. Two epoll loops (SO_REUSEPORT), no
// parsing beyond the end of a head and its Content-Length, one constant answer of the size of a one-row
// prediction, or of the bytes of a file: a whole HTTP answer, so that both servers send the same.
//   responder PORT [THREADS] [ANSWER_FILE]
#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::string_view kBody =
    R"({"model_name":"adult","model_version":"1","id":"0192e4a0-7c2a-7d1b-9a3e-0f6c5b2d4e81",)"
    R"("outputs":[{"name":"probability","datatype":"FP32","shape":[1],"data":[0.12345678]}]})";

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

int listen_on(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        die("bind");
    }
    if (::listen(fd, 1024) != 0) {
        die("listen");
    }
    return fd;
}

/// Bytes of the first whole request in `bytes`, or 0.
std::size_t request_size(std::string_view bytes) {
    const std::size_t head = bytes.find("\r\n\r\n");
    if (head == std::string_view::npos) {
        return 0;
    }
    std::size_t body = 0;
    const std::size_t at = bytes.substr(0, head).find("Content-Length: ");
    if (at != std::string_view::npos) {
        body = static_cast<std::size_t>(std::atoll(bytes.data() + at + 16));
    }
    return bytes.size() >= head + 4 + body ? head + 4 + body : 0;
}

/// Answers all whole requests that are there; false when the connection is over.
bool serve(int fd, std::string& pending, const std::string& answer) {
    std::array<char, 16384> chunk{};
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) {
        return false;
    }
    pending.append(chunk.data(), static_cast<std::size_t>(got));
    std::string out;
    for (std::size_t size = request_size(pending); size > 0; size = request_size(pending)) {
        pending.erase(0, size);
        out.append(answer);
    }
    return out.empty() || ::write(fd, out.data(), out.size()) == static_cast<ssize_t>(out.size());
}

std::string constant_answer() {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(kBody.size()) + "\r\n\r\n" + std::string(kBody);
}

void run(std::uint16_t port, const std::string& answer) {
    const int listener = listen_on(port);
    const int poll = ::epoll_create1(0);
    epoll_event want{};
    want.events = EPOLLIN;
    want.data.fd = listener;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &want);
    std::unordered_map<int, std::string> pending;
    std::array<epoll_event, 256> ready{};
    for (;;) {
        const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = ready[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                want.data.fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
                ::epoll_ctl(poll, EPOLL_CTL_ADD, want.data.fd, &want);
            } else if (!serve(fd, pending[fd], answer)) {
                pending.erase(fd);
                ::close(fd);
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: responder PORT [THREADS] [ANSWER_FILE]\n");
        return 2;
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
    std::string answer = constant_answer();
    if (argc > 3) {
        std::ifstream file(argv[3], std::ios::binary);
        answer.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        if (answer.empty()) {
            die(argv[3]);
        }
    }
    std::vector<std::thread> pool;
    for (int i = 0; i < threads; ++i) {
        pool.emplace_back([port, &answer] { run(port, answer); });
    }
    for (std::thread& thread : pool) {
        thread.join();
    }
    return 0;
}
