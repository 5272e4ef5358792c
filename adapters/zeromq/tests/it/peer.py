import sys, time, zmq
kind, how, endpoint = sys.argv[1:4]
context = zmq.Context()
socket = context.socket(getattr(zmq, kind))
for option in sys.argv[4:]:
    name, value = option.split("=", 1)
    value = int(value) if value.lstrip("-").isdigit() else value.encode()
    socket.setsockopt(getattr(zmq, name), value)
getattr(socket, how)(endpoint)
socket.RCVTIMEO = 10000

def shown(parts):
    return "|".join(part.decode("latin1") for part in parts)

print("ready")
for line in sys.stdin:
    verb, _, rest = line.rstrip("\n").partition(" ")
    try:
        if verb == "send":
            socket.send_multipart([part.encode("latin1") for part in rest.split("|")])
            print("sent")
        elif verb == "recv":
            print(shown(socket.recv_multipart()))
        elif verb == "quiet":
            print("message" if socket.poll(int(rest)) else "nothing")
        elif verb == "many":
            for number in range(int(rest)):
                socket.send(b"%d" % number)
            print("sent")
        elif verb == "sizes":
            print(",".join(str(len(part)) for part in socket.recv_multipart()))
        elif verb == "large":
            socket.send(b"x" * int(rest))
            print("sent")
        elif verb == "take":
            got = [int(socket.recv()) for _ in range(int(rest))]
            print("in order" if got == list(range(int(rest))) else got)
        elif verb == "all":
            got = []
            while socket.poll(int(rest)):
                got.append(socket.recv().decode())
            print(",".join(got))
        elif verb == "echo":
            for _ in range(int(rest)):
                parts = socket.recv_multipart()
                socket.send_multipart(parts[:-1] + [parts[-1].upper()])
            print("echoed")
        elif verb == "subscribe":
            socket.setsockopt(zmq.SUBSCRIBE, rest.encode())
            print("subscribed")
        elif verb == "close":
            socket.close(linger=1000)
            context.term()
            print("closed")
    except zmq.Again:
        print("again")
