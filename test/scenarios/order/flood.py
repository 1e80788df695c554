"""Sends single packets, TCP SYN or UDP, to a list of frontends over and over, each with a source port that was not used
before, as fast as it can. Raw sockets: one system call a packet.

    flood.py SOURCE RATE < targets      each target a line "TCP 10.96.0.1 80"

Ends with SIGTERM and says how many packets it sent.
"""

import random
import signal
import socket
import struct
import sys
import time

NUMBERS = {"TCP": 6, "UDP": 17}


def folded(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def words(data):
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


class Target:
    """One frontend. Only the source port and the checksum differ from packet to packet."""

    def __init__(self, line, source):
        protocol, address, port = line.split()
        self.address = (address, 0)
        number = NUMBERS[protocol]
        self.socket = sockets[number]
        if protocol == "TCP":
            self.rest = struct.pack("!HIIHH", int(port), 1, 0, 0x5002, 1024)
            self.tail = struct.pack("!H", 0)
            length = 20
        else:
            self.rest = struct.pack("!HH", int(port), 12)
            self.tail = b"ping"
            length = 12
        pseudo = socket.inet_aton(source) + socket.inet_aton(address) + struct.pack("!HH", number, length)
        self.sum = words(pseudo) + words(self.rest) + words(self.tail)

    def send(self, port):
        checksum = struct.pack("!H", folded(self.sum + port))
        packet = struct.pack("!H", port) + self.rest + checksum + self.tail
        try:
            self.socket.sendto(packet, self.address)
        except OSError:
            # No way to an address that is not there yet.
            pass


source, rate = sys.argv[1], int(sys.argv[2])
sockets = {number: socket.socket(socket.AF_INET, socket.SOCK_RAW, number) for number in NUMBERS.values()}
targets = [Target(line, source) for line in sys.stdin]
random.Random(1).shuffle(targets)
# A port comes again at another target, and at the same one only after all the others.
ports = 64_000
while len(targets) % 2 == 0 or len(targets) % 5 == 0:
    targets.append(targets[0])

sent = 0
stopped = False


def stop(*_):
    global stopped
    stopped = True


signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
began = time.monotonic()
while not stopped:
    targets[sent % len(targets)].send(1024 + sent % ports)
    sent += 1
    if sent % 50 == 0:
        ahead = sent / rate - (time.monotonic() - began)
        if ahead > 0:
            time.sleep(ahead)
print(sent, flush=True)
