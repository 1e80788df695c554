/** A program for Python: sends as many bytes as the first line of a connection asks for. */
export function byteServer(port: number): string {
  return `
import socket, threading
block = b"x" * (1 << 20)
def serve(made):
    with made, made.makefile("rb") as stream:
        try:
            left = int(stream.readline() or 0)
            while left > 0:
                left -= made.send(block[:left])
        except OSError:
            pass
listener = socket.create_server(("::", ${port}), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
`;
}
