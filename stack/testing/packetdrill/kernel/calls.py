"""System calls of a script, made inside a network namespace: a JSON value a line on stdin, an answer a line on stdout.

Node has no raw system calls. Each call runs in a thread of its own, so that one that blocks keeps no other from running; the answer has the
result, or the name of the error. Descriptors are the script's own numbers, given out as a kernel does: the lowest that is free, from 3.
"""

import array, errno, fcntl, json, select, socket, struct, subprocess, sys, termios, threading

FIRST_DESCRIPTOR = 3
SOL_MPTCP = 284
MPTCP_INFO = 1
sockets = {}
lock = threading.Lock()


def keep(made):
    with lock:
        number = next(n for n in range(FIRST_DESCRIPTOR, 1 << 16) if n not in sockets)
        sockets[number] = made
    return number


def make(family, kind, protocol):
    return keep(socket.socket(family, kind, protocol))


def accept(number, flags):
    made, _ = sockets[number].accept()
    # Python sets the blocking mode of what it accepts by a default of its own; accept4 sets it by its flags.
    made.setblocking(not flags & socket.SOCK_NONBLOCK)
    return keep(made)


def connect(number, address, port):
    sockets[number].connect((address, port))
    return 0


def bind(number, address, port):
    sockets[number].bind((address, port))
    return 0


def listen(number, backlog):
    sockets[number].listen(backlog)
    return 0


def read(number, length, flags):
    data = sockets[number].recv(length, flags)
    return len(data), data.hex()


def write(number, data, flags):
    return sockets[number].send(bytes.fromhex(data), flags | socket.MSG_NOSIGNAL)


def write_to(number, data, flags, address, port):
    return sockets[number].sendto(bytes.fromhex(data), flags | socket.MSG_NOSIGNAL, (address, port))


def close(number):
    with lock:
        closing = sockets.pop(number)
    closing.close()
    return 0


def shutdown(number, how):
    sockets[number].shutdown(how)
    return 0


def set_option(number, level, name, value):
    sockets[number].setsockopt(level, name, bytes.fromhex(value))
    return 0


def get_option(number, level, name, length):
    return 0, sockets[number].getsockopt(level, name, length).hex()


def set_blocking(number, blocking):
    sockets[number].setblocking(blocking)
    return 0


def get_flags(number):
    return fcntl.fcntl(sockets[number], fcntl.F_GETFL)


def readable_bytes(number):
    value = array.array("i", [0])
    fcntl.ioctl(sockets[number], termios.FIONREAD, value)
    return 0, value[0]


def poll(entries, timeout):
    poller = select.poll()
    numbers = {sockets[number].fileno(): number for number, _ in entries}
    for number, events in entries:
        poller.register(sockets[number], events)
    ready = {numbers[descriptor]: events for descriptor, events in poller.poll(timeout)}
    return len(ready), [ready.get(number, 0) for number, _ in entries]


def information(number):
    """TCP_INFO and MPTCP_INFO, each empty where the socket has none."""
    found = []
    for level, name in ((socket.SOL_TCP, socket.TCP_INFO), (SOL_MPTCP, MPTCP_INFO)):
        try:
            found.append(sockets[number].getsockopt(level, name, 512).hex())
        except OSError:
            found.append("")
    return 0, found


def states():
    """Of the connections that the namespace has, also of those that no descriptor holds any more; numbers of the kernel."""
    found = []
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name) as table:
            found += [int(line.split()[3], 16) for line in list(table)[1:]]
    return 0, found


def run(command):
    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stderr


operations = {
    "socket": make, "accept": accept, "connect": connect, "bind": bind, "listen": listen, "read": read, "write": write,
    "writeTo": write_to, "close": close, "shutdown": shutdown, "setOption": set_option, "getOption": get_option, "setBlocking": set_blocking,
    "getFlags": get_flags, "readableBytes": readable_bytes, "poll": poll, "information": information,
    "states": states, "run": run,
}


def answer(request):
    reply = {"id": request["id"]}
    try:
        result = operations[request["call"]](*request["arguments"])
        reply["value"], reply["data"] = result if isinstance(result, tuple) else (result, None)
    except OSError as error:
        reply["value"], reply["errno"] = -1, errno.errorcode.get(error.errno, str(error))
    except KeyError:
        reply["value"], reply["errno"] = -1, "EBADF"
    line = json.dumps(reply) + "\n"
    with lock:
        sys.stdout.write(line)
        sys.stdout.flush()


print("{}", flush=True)
for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
