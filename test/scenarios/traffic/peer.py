"""Answers and sends requests in many network namespaces: a thread may enter one, open a socket there and leave, and the
socket stays. One process for all of them, and Python because it has SCTP.

Orders on standard input, replies on standard output, one JSON object a line; ends with its input.
"""

import asyncio
import ctypes
import errno
import json
import os
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
KINDS = {
    "TCP": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "UDP": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "SCTP": (socket.SOCK_STREAM, 132),
}
namespaces = {}
held = {}
pumps = {}
servers = set()


def open_socket(namespace, protocol, family):
    if namespace not in namespaces:
        namespaces[namespace] = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if LIBC.setns(namespaces[namespace], CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    kind, number = KINDS[protocol]
    opened = socket.socket(family, kind, number)
    opened.setblocking(False)
    if protocol == "TCP":
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if protocol == "SCTP":
        # SCTP_RTOINFO: what comes back while connect() still runs is not taken for an answer, only what the second
        # packet brings (sctp_v4_err); that one is sent after 50 ms, not 3 s.
        opened.setsockopt(132, 0, struct.pack("iIII", 0, 50, 60, 50))
        # IP_RECVERR, IPV6_RECVERR: a refusal by ICMP ends the attempt instead of being kept for later.
        if family == socket.AF_INET:
            opened.setsockopt(socket.IPPROTO_IP, 11, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IPV6, 25, 1)
    return opened


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(order):
    for protocol in order["protocols"]:
        for family, everywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            listener = open_socket(order["namespace"], protocol, family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((everywhere, order["port"]))
            if protocol != "UDP":
                listener.listen(1024)
            work = datagrams if protocol == "UDP" else connections
            task = asyncio.ensure_future(work(listener, order["name"]))
            servers.add(task)


# The address that a datagram came to, of IPv4 and IPv6: its option, the option that asks for it, and where it stands.
ASKED = {
    socket.AF_INET: (socket.IPPROTO_IP, 8, 8, lambda info: struct.pack("i4s4x", 0, info[8:12])),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 50, 49, lambda info: info[:16] + struct.pack("i", 0)),
}


async def datagrams(listener, name):
    """Answers from the address that was asked: one of several, where VIPs are on the pod itself."""
    level, option, wish, answering = ASKED[listener.family]
    listener.setsockopt(level, wish, 1)

    def answer():
        try:
            _, ancillary, _, source = listener.recvmsg(2048, 256)
            own = [(level, option, answering(data)) for _, kind, data in ancillary if kind == option]
            listener.sendmsg([f"{name} {source[0]}\n".encode()], own, 0, source)
        except OSError:
            return

    loop = asyncio.get_running_loop()
    loop.add_reader(listener, answer)
    await loop.create_future()


async def connections(listener, name):
    loop = asyncio.get_running_loop()
    while True:
        connection, source = await loop.sock_accept(listener)
        task = asyncio.ensure_future(converse(connection, f"{name} {source[0]}\n".encode()))
        servers.add(task)
        task.add_done_callback(servers.discard)


async def converse(connection, answer):
    loop = asyncio.get_running_loop()
    with connection:
        try:
            while await loop.sock_recv(connection, 2048):
                await loop.sock_sendall(connection, answer)
        except OSError:
            return


async def connect(order):
    opened = open_socket(order["namespace"], order["protocol"], family_of(order["address"]))
    try:
        if order["protocol"] == "SCTP":
            # Unbound, a socket offers every address of the namespace to the other side, which then uses any of them.
            opened.bind((source_towards(order), 0))
        await asyncio.get_running_loop().sock_connect(opened, (order["address"], order["port"]))
        return opened
    except BaseException:
        opened.close()
        raise


def source_towards(order):
    with open_socket(order["namespace"], "UDP", family_of(order["address"])) as probe:
        probe.connect((order["address"], order["port"]))
        return probe.getsockname()[0]


async def exchange(opened):
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(opened, b"who are you?\n")
    except PermissionError:
        # A datagram of this host that a hook drops. Whether it was refused too is told by what comes back.
        pass
    received = b""
    while not received.endswith(b"\n"):
        chunk = await loop.sock_recv(opened, 2048)
        if not chunk:
            raise ConnectionResetError(errno.ECONNRESET, "closed")
        received += chunk
    pod, saw = received.decode().split()
    return {"pod": pod, "saw": saw}


async def within(patience_ms, work):
    try:
        return await asyncio.wait_for(work, patience_ms / 1000)
    except asyncio.TimeoutError:
        return {"failure": "silence"}
    except OSError as error:
        return {"failure": errno.errorcode.get(error.errno, str(error))}


async def ask_once(order):
    async def work():
        opened = await connect(order)
        with opened:
            return await exchange(opened)

    return await within(order["patienceMs"], work())


async def ask(order):
    return [await ask_once(order) for _ in range(order.get("count", 1))]


async def ask_all(order):
    return await asyncio.gather(*(ask(each) for each in order["asks"]))


async def hold(order):
    async def work():
        opened = await connect(order)
        held[order["name"]] = opened
        return await exchange(opened)

    return await within(order["patienceMs"], work())


async def resume(order):
    return await within(order["patienceMs"], exchange(held[order["name"]]))


def release(order):
    held.pop(order["name"]).close()


async def pump(name, opened, progress):
    while True:
        before = time.monotonic()
        outcome = await within(5000, exchange(opened))
        progress["exchanges"] += 1
        progress["longestMs"] = max(progress["longestMs"], (time.monotonic() - before) * 1000)
        if "failure" in outcome:
            progress["failure"] = outcome["failure"]
            return
        await asyncio.sleep(0.02)


def start_pump(order):
    progress = {"exchanges": 0, "longestMs": 0, "failure": None}
    task = asyncio.ensure_future(pump(order["name"], held[order["name"]], progress))
    pumps[order["name"]] = (task, progress)


def read_pump(order):
    return pumps[order["name"]][1]


def stop_pump(order):
    task, progress = pumps.pop(order["name"])
    task.cancel()
    return progress


async def steady(order, outcomes):
    started = time.monotonic()
    pending = set()
    sent = 0
    while True:
        await asyncio.sleep(max(0, started + sent / order["perSecond"] - time.monotonic()))
        task = asyncio.ensure_future(ask_once(order))
        pending.add(task)
        task.add_done_callback(pending.discard)
        task.add_done_callback(lambda done: outcomes.append(done.result()))
        sent += 1
        if order["name"] not in pumps:
            await asyncio.gather(*pending)
            return


def start_stream(order):
    outcomes = []
    pumps[order["name"]] = None
    task = asyncio.ensure_future(steady(order, outcomes))
    pumps[order["name"]] = (task, outcomes)


async def stop_stream(order):
    task, outcomes = pumps.pop(order["name"])
    await task
    return outcomes


VERBS = {
    "serve": serve,
    "ask": ask,
    "askAll": ask_all,
    "hold": hold,
    "resume": resume,
    "release": release,
    "startPump": start_pump,
    "readPump": read_pump,
    "stopPump": stop_pump,
    "startStream": start_stream,
    "stopStream": stop_stream,
}


async def carry_out(line):
    order = json.loads(line)
    try:
        result = VERBS[order["verb"]](order)
        reply = {"result": await result if asyncio.iscoroutine(result) else result}
    except Exception as error:  # An order that cannot be carried out fails its test, not this process.
        reply = {"error": repr(error)}
    sys.stdout.write(json.dumps({"number": order["number"], **reply}) + "\n")
    sys.stdout.flush()


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    orders = set()
    while line := await reader.readline():
        task = asyncio.ensure_future(carry_out(line))
        orders.add(task)
        task.add_done_callback(orders.discard)


asyncio.run(main())
